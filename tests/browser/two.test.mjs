// A visitor with two open tickets: her widget shows one at a time, and no answer stays unseen.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Desk, Visitor } from "./lib/actors.mjs";
import { person, screenshot, slow, violations } from "./lib/browser.mjs";
import { Office } from "./lib/office.mjs";

let office, owner, desk, visitor, tickets;

before(async () => {
  office = await Office.open();
  owner = office.owner;
  desk = new Desk(owner);
  // One person in two browsers, each of which opens a ticket before it hears of the other's.
  visitor = await office.visitor();
  await visitor.open();
  await visitor.panel.getByText("We are online").waitFor();
  const twin = new Visitor(await person(office.theirs, { storageState: await visitor.page.context().storageState() }));
  const wire = await slow(twin.page);
  await twin.page.goto(office.shop.url);
  await twin.open();
  await twin.panel.getByText("We are online").waitFor();
  wire.hold();
  await visitor.say("The first matter");
  await visitor.tick("Sent");
  await twin.say("The second matter");
  await owner.goto(`${office.url}/tickets`);
  tickets = {};
  for (const matter of ["first", "second"]) {
    const link = desk.rows.filter({ hasText: `The ${matter} matter` }).getByRole("link");
    tickets[matter] = new URL(await link.getAttribute("href"), office.url).href;
  }
  await twin.page.context().close();
});

after(() => office?.close());

/** The agent answers in one of the tickets. */
async function answer(matter, text) {
  await owner.goto(tickets[matter]);
  await desk.live();
  await desk.say(text);
}

test("each page of hers points to the other", async () => {
  for (const [one, other] of [["first", "second"], ["second", "first"]]) {
    await owner.goto(tickets[one]);
    await owner.locator(".thread-notice").getByText(`The ${other} matter`).waitFor();
    for (const width of [1280, 360]) {
      await owner.setViewportSize({ width, height: 800 });
      assert.deepEqual(await violations(owner), []);
      await screenshot(owner, `notice-${width}`);
    }
  }
  await owner.setViewportSize({ width: 1280, height: 800 });
});

test("the widget goes to the ticket that is answered", async () => {
  assert.equal(await visitor.bubble("The second matter").count(), 0);
  await answer("second", "About the second.");
  await visitor.sees("About the second.");
  await visitor.sees("The second matter");
  assert.equal(await visitor.bubble("The first matter").count(), 0);
  await desk.tick("About the second.", "read");
  await visitor.say("Thanks for the second.");
  await desk.sees("Thanks for the second.");
  await answer("first", "About the first.");
  await visitor.sees("About the first.");
  await visitor.sees("The first matter");
  await desk.tick("About the first.", "read");
});

test("an answer that came while she was away is shown, and counted before", async () => {
  await visitor.page.goto("about:blank");
  await answer("second", "More about the second.");
  await visitor.page.goto(office.shop.url);
  await visitor.page.getByRole("button", { name: /Unread messages: 1/ }).waitFor();
  await visitor.open();
  await visitor.sees("More about the second.");
  await desk.tick("More about the second.", "read");
  assert.deepEqual(visitor.page.faults, []);
  assert.deepEqual(owner.faults, []);
});
