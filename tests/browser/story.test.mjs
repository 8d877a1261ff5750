// The main job: from the set-up link to a visitor and two agents in one ticket, through a restart.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Desk, Visitor, invite, setUp } from "./lib/actors.mjs";
import { launch, person, screenshot, slow } from "./lib/browser.mjs";
import { shop, site } from "./lib/pages.mjs";
import { Parlour } from "./lib/parlour.mjs";

let parlour, page, theirs, ours, owner, snippet, visitor, desk;

before(async () => {
  parlour = await Parlour.start();
  page = await site(() => shop(snippet ?? ""));
  [theirs, ours] = await Promise.all([launch(), launch()]);
});

after(async () => {
  await Promise.all([theirs?.close(), ours?.close(), page?.close()]);
  await parlour?.stop();
});

test("the owner sets up, and the link works once", async () => {
  ({ page: owner, snippet } = await setUp(ours, parlour, { origins: [page.origin] }));
  assert.match(snippet, /^<script async src="http:\/\/127\.0\.0\.1:\d+\/w\/\w+\.js"><\/script>$/);
  await owner.getByText("Waiting for the first visitor…").waitFor();
  await screenshot(owner, "install");
  const again = await person(ours);
  assert.equal((await again.goto(parlour.setUp)).status(), 404);
  await again.close();
});

test("a visitor writes from another origin, and the waiting page turns live", async () => {
  visitor = new Visitor(await person(theirs));
  await visitor.page.goto(page.url);
  assert.deepEqual(await visitor.page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]), ["", 0, 0], "nothing is stored before the panel is opened");
  await visitor.open();
  await visitor.say("When will my table arrive?");
  await visitor.sees("When will my table arrive?");
  await visitor.tick("Sent");
  await owner.locator("[data-waiting][data-state=arrived]").waitFor();
});

test("the agent sees her, answers, and both see how far it came", async () => {
  desk = new Desk(owner);
  await owner.goto(`${parlour.url}/tickets`);
  await desk.live();
  await visitor.tick("Delivered");
  await desk.openFirst();
  await desk.sees("When will my table arrive?");
  await visitor.tick("Read");
  await desk.composer.pressSequentially("It is ");
  await visitor.panel.getByText("Ada Lovelace is typing").waitFor({ state: "attached" });
  await desk.say("It is on its way.");
  await visitor.sees("It is on its way.");
  await desk.tick("It is on its way.", "read");
  await visitor.composer.pressSequentially("Thank");
  await owner.locator("[data-typing-line]", { hasText: "is typing" }).waitFor();
  await visitor.say("Thank you!");
  await desk.sees("Thank you!");
  await screenshot(owner, "thread");
  await screenshot(visitor.page, "widget");
});

test("a reload brings the whole history back", async () => {
  await visitor.page.reload();
  await visitor.open();
  for (const text of ["When will my table arrive?", "It is on its way.", "Thank you!"]) {
    await visitor.sees(text);
    assert.equal(await visitor.bubble(text).count(), 1, text);
  }
});

test("who comes back and writes before the server has answered goes on in her ticket", async () => {
  let answer;
  const held = new Promise((resolve) => (answer = resolve));
  const sessions = "**/api/v1/sessions";
  await visitor.page.route(sessions, async (route) => {
    await held;
    await route.continue();
  });
  await visitor.page.reload();
  await visitor.open();
  await visitor.say("One more thing.");
  answer();
  await visitor.tick("Read");
  await visitor.sees("Thank you!");
  await desk.sees("One more thing.");
  await visitor.page.unroute(sessions);
});

test("a second agent joins by a link; notes stay among agents", async () => {
  const ticket = owner.url();
  const colleague = await invite(ours, parlour, owner, { name: "Ben Okri", email: "ben@example.com" });
  await owner.goto(ticket);
  await desk.live();
  await colleague.goto(ticket);
  const second = new Desk(colleague);
  await second.live();
  await second.say("Carrier says Thursday.", { note: true });
  await desk.sees("Carrier says Thursday.");
  await second.say("It comes on Thursday.");
  await desk.sees("It comes on Thursday.");
  await visitor.sees("It comes on Thursday.");
  assert.equal((await visitor.page.content()).includes("Carrier says"), false);
  assert.equal(await visitor.bubble("Carrier says Thursday.").count(), 0);
  await screenshot(owner, "two-agents");

  // Both answer at once: what the owner's page hears comes late.
  const wire = await slow(owner);
  await owner.reload();
  await desk.live();
  wire.hold();
  await second.say("I have asked the carrier.");
  await visitor.sees("I have asked the carrier.");
  const refused = wire.heard(/"unseen"/);
  await desk.say("I will ask the carrier.");
  await refused;
  wire.release();
  const held = owner.locator("[data-state=held]", { hasText: "I will ask the carrier." });
  await held.getByText("Ben Okri answered meanwhile.").waitFor();
  await desk.sees("I have asked the carrier.");
  await screenshot(owner, "held");
  assert.equal(await visitor.bubble("I will ask the carrier.").count(), 0);
  await held.getByRole("button", { name: "Send anyway" }).click();
  await visitor.sees("I will ask the carrier.");
  await held.waitFor({ state: "detached" });
  assert.deepEqual(colleague.faults, []);
  await colleague.close();
});

test("a ticket is resolved, and opens again when she writes", async () => {
  await owner.getByRole("button", { name: "Resolve" }).click();
  await owner.getByRole("button", { name: "Reopen" }).waitFor();
  await visitor.log.getByText(/marked as resolved/).waitFor();
  await visitor.say("One more thing.");
  await desk.sees("One more thing.");
  await owner.getByRole("button", { name: "Resolve" }).waitFor();
});

test("the server is killed: both say so, keep what is written, and nothing appears twice", async () => {
  await parlour.kill();
  await owner.locator("[data-connection][data-state=waiting]").waitFor({ state: "attached" });
  await visitor.say("Written while you were away.");
  await desk.say("Answered while we were away.");
  await parlour.restart();
  await desk.sees("Written while you were away.");
  await visitor.sees("Answered while we were away.");
  await visitor.tick("Read");
  await visitor.page.reload();
  await owner.reload();
  await visitor.open();
  await desk.live();
  for (const text of ["Written while you were away.", "Answered while we were away."]) {
    await visitor.sees(text);
    await desk.sees(text);
    assert.equal(await visitor.bubble(text).count(), 1, text);
    assert.equal(await desk.count(text), 1, text);
  }
});
