// The head of a thread, where state and assignee stand, while they change under the agent's hands.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Desk } from "./lib/actors.mjs";
import { Office } from "./lib/office.mjs";

let office, owner, desk;

before(async () => {
  office = await Office.open();
  await office.ticket("When will my table arrive?");
  owner = office.owner;
  desk = new Desk(owner);
  await owner.goto(`${office.url}/tickets`);
  await desk.openFirst();
});

after(() => office?.close());

const button = (name) => owner.getByRole("button", { name, exact: true });

/** Holds back what the page next asks about the ticket. */
async function hold() {
  let release, asked;
  const held = new Promise((resolve) => (release = resolve));
  const came = new Promise((resolve) => (asked = resolve));
  await owner.route("**/around*", async (route) => {
    const answer = await route.fetch();
    asked();
    await held;
    await route.fulfill({ response: answer });
  }, { times: 1 });
  return { came, release };
}

/** Waits until the page has drawn what it knows by now. */
const drawn = () => owner.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));

test("a button that is drawn anew while it is pressed still does its work", async () => {
  const late = await hold();
  await owner.keyboard.press("i");
  await late.came;
  const box = await button("Resolve").boundingBox();
  await owner.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await owner.mouse.down();
  const finished = owner.waitForEvent("requestfinished", (request) => request.url().includes("/around"));
  late.release();
  await finished;
  await drawn();
  await owner.mouse.up();
  await button("Reopen").waitFor();
  await owner.locator(".assign").getByText("Ada Lovelace").waitFor();
});

test("a menu that is open stays as it is, and what is chosen from it holds", async () => {
  await owner.keyboard.press("a");
  const menu = owner.locator("#assign-menu");
  await menu.waitFor();
  // Somebody else opens the ticket again.
  const other = await owner.context().newPage();
  await other.goto(owner.url());
  await other.getByRole("button", { name: "Reopen" }).click();
  await desk.rows.first().waitFor();
  assert.equal(await menu.isVisible(), true);
  await menu.getByRole("button", { name: "Nobody" }).click();
  await owner.locator(".assign").getByText("Assign", { exact: true }).waitFor();
  await button("Resolve").waitFor();
  await other.close();
});
