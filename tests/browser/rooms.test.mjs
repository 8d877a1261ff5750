// Rooms of agents alone: one to one, and many; what waits in them, and who gets in.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Desk, invite } from "./lib/actors.mjs";
import { screenshot, slow } from "./lib/browser.mjs";
import { Office } from "./lib/office.mjs";

let office, owner, ben, cleo, hers, his, direct;

before(async () => {
  office = await Office.open();
  owner = office.owner;
  ben = await invite(office.ours, office.parlour, owner, { name: "Ben Okri", email: "ben@example.com" });
  cleo = await invite(office.ours, office.parlour, owner, { name: "Cleo Tan", email: "cleo@example.com" });
  [hers, his] = [new Desk(owner), new Desk(ben)];
  await his.live();
});

after(() => office?.close());

const waiting = (page, count) => page.locator('[data-nav-unread="rooms"]').filter({ hasText: new RegExp(`^${count}$`), visible: true }).waitFor();
const inRow = (page, name) => page.getByRole("link", { name }).locator("[data-unread]");

/** Writes in a room, where there is no choice between reply and note. */
async function say(desk, text) {
  await desk.composer.fill(text);
  await desk.composer.press("Control+Enter");
}

test("the owner writes to one person, wherever he is", async () => {
  await owner.goto(`${office.url}/rooms`);
  await owner.getByRole("button", { name: "Ben Okri" }).click();
  await owner.waitForURL("**/rooms/*");
  await hers.live();
  direct = owner.url();
  await owner.getByText("Only the two of you read this room").waitFor();
  await say(hers, "Could you take the Larch ticket?");
  await hers.sees("Could you take the Larch ticket?");
  // He is in the inbox: the navigation and the title tell him.
  await waiting(ben, 1);
  await ben.waitForFunction(() => document.title.startsWith("(1) "));
  await say(hers, "It is urgent.");
  await waiting(ben, 2);
  await ben.waitForFunction(() => document.title.startsWith("(2) "));
});

test("he finds it in the list, reads it, and answers", async () => {
  // What comes between the page and its connection is told as well as what comes after.
  const wire = await slow(ben);
  wire.hold();
  await ben.getByRole("link", { name: "Rooms" }).click();
  await inRow(ben, "Ada Lovelace").filter({ hasText: /^2$/ }).waitFor();
  await say(hers, "Or tell me who could.");
  await hers.sees("Or tell me who could.");
  wire.release();
  await ben.getByRole("link", { name: "Ada Lovelace" }).getByText("Or tell me who could.").waitFor();
  await inRow(ben, "Ada Lovelace").filter({ hasText: /^3$/ }).waitFor();
  await say(hers, "Today, please.");
  await ben.getByRole("link", { name: "Ada Lovelace" }).getByText("Today, please.").waitFor();
  await inRow(ben, "Ada Lovelace").filter({ hasText: /^4$/ }).waitFor();
  await screenshot(ben, "rooms-unread");
  await ben.getByRole("link", { name: "Ada Lovelace" }).click();
  await his.sees("It is urgent.");
  await hers.tick("Today, please.", "read");
  await ben.waitForFunction(() => !document.title.startsWith("("));
  await his.composer.pressSequentially("On");
  await owner.locator("[data-typing-line]", { hasText: "Ben Okri is typing" }).waitFor();
  await say(his, "On it.");
  await hers.sees("On it.");
  await screenshot(owner, "room-direct");
});

test("nobody else opens it: not by its address, and no list shows it", async () => {
  assert.equal((await cleo.goto(direct)).status(), 404);
  await cleo.goto(`${office.url}/rooms`);
  await cleo.getByText("No rooms yet.").waitFor();
});

test("a team room has those whom she chose", async () => {
  await owner.goto(`${office.url}/rooms#new`);
  const form = owner.locator("form", { has: owner.getByRole("button", { name: "Start the room" }) });
  await form.getByLabel("Name").fill("Shipping");
  await form.getByRole("checkbox", { name: "Ben Okri" }).check();
  await form.getByRole("button", { name: "Start the room" }).click();
  await owner.waitForURL("**/rooms/*");
  await hers.live();
  await say(hers, "The carrier is late this week.");
  await waiting(ben, 1);
  await ben.getByRole("link", { name: "Rooms" }).click();
  await ben.getByRole("link", { name: "Shipping" }).click();
  await his.sees("The carrier is late this week.");
  await say(his, "I have told the three who wait.");
  await hers.sees("I have told the three who wait.");
  await screenshot(owner, "room-team");
  assert.equal((await cleo.goto(owner.url())).status(), 404);
});

test("who is added reads from then on, and who leaves no more", async () => {
  const room = owner.url();
  await owner.getByRole("button", { name: "Members" }).click();
  await owner.getByLabel("Add").selectOption({ label: "Cleo Tan" });
  await owner.getByRole("button", { name: "Add", exact: true }).click();
  await owner.getByText("3 members").waitFor();
  await cleo.goto(room);
  const theirs = new Desk(cleo);
  await theirs.live();
  await say(theirs, "Glad to be here.");
  await his.sees("Glad to be here.");
  await cleo.getByRole("button", { name: "Members" }).click();
  // It is asked first.
  await cleo.locator("summary", { hasText: "Leave the room" }).click();
  await cleo.getByRole("button", { name: "Leave for good" }).click();
  await cleo.waitForURL("**/rooms");
  assert.equal((await cleo.goto(room)).status(), 404);
  assert.deepEqual([owner.faults, ben.faults], [[], []]);
});
