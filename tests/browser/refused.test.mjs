// Messages that the server refuses for good: they keep their text, and can be sent again or discarded.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Desk } from "./lib/actors.mjs";
import { refuse } from "./lib/browser.mjs";
import { STILL, clean } from "./lib/looks.mjs";
import { Office } from "./lib/office.mjs";

let office, owner, desk, visitor;

before(async () => {
  office = await Office.open({ options: STILL });
  owner = office.owner;
  desk = new Desk(owner);
  visitor = await office.ticket("When will my table arrive?", STILL);
  for (const page of [visitor.page, owner]) await refuse(page, "refused");
  await visitor.page.reload();
  await visitor.open();
  await visitor.sees("When will my table arrive?");
  await owner.goto(`${office.url}/tickets`);
  await desk.openFirst();
});

after(() => office?.close());

test("in the widget", async () => {
  await visitor.say("This is refused.");
  await visitor.log.getByRole("button", { name: "Try again" }).waitFor();
  await clean(visitor.page, "widget-failed");
  await visitor.log.getByRole("button", { name: "Discard" }).click();
  await visitor.bubble("This is refused.").waitFor({ state: "detached" });
});

test("in a thread", async () => {
  await desk.say("This is refused as well.");
  const failed = owner.locator("[data-state=failed]");
  await failed.getByText("Not sent").waitFor();
  await clean(owner, "ticket-failed");
  await failed.getByRole("button", { name: "Discard" }).click();
  await failed.waitFor({ state: "detached" });
  await desk.say("This is not.");
  await visitor.sees("This is not.");
  assert.equal(await desk.count("This is refused as well."), 0);
});
