// Search from anywhere by the keyboard, and the way from what was found to where it was said.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Desk } from "./lib/actors.mjs";
import { Office } from "./lib/office.mjs";

let office, owner, field;

before(async () => {
  office = await Office.open();
  owner = office.owner;
  await office.ticket("Ist die Crème-Tischdecke lieferbar?");
  await office.ticket("When will the oak table arrive?");
  field = owner.getByRole("searchbox", { name: "Search messages, people and tickets" });
});

after(() => office?.close());

/** Waits until the focus is in the field, without putting it there. */
const inField = () => owner.waitForFunction(() => document.activeElement?.matches("[data-search]"));

test("one key leads to the field, and what is found to where it was said", async () => {
  await owner.goto(`${office.url}/tickets`);
  await new Desk(owner).openFirst();
  await owner.keyboard.press("/");
  await owner.waitForURL("**/search");
  await inField();
  await owner.keyboard.type("creme tisch");
  await owner.keyboard.press("Enter");
  const found = owner.getByRole("region", { name: "Messages" }).getByRole("link");
  await found.waitFor();
  assert.deepEqual(await found.locator("mark").allTextContents(), ["Crème", "Tischdecke"]);
  // The ticket stands first, the message behind it.
  await owner.keyboard.press("j");
  await owner.keyboard.press("j");
  await owner.keyboard.press("Enter");
  await owner.waitForURL("**/tickets/*#m-*");
  await owner.locator("article:target", { hasText: "Tischdecke" }).waitFor();
});

test("with a modifier it opens from a field as well, and the field takes letters", async () => {
  await owner.keyboard.press("r");
  await owner.locator("textarea[name=text]").press("Control+k");
  await owner.waitForURL("**/search");
  await inField();
  await owner.keyboard.type("j/nowhere");
  await owner.keyboard.press("Enter");
  await owner.getByText("Nothing found.").waitFor();
  assert.equal(await field.inputValue(), "j/nowhere");
  await owner.keyboard.press("/");
  await inField();
  // The old question is chosen, so that typing replaces it.
  await owner.keyboard.type("oak");
  await owner.keyboard.press("Enter");
  await owner.getByRole("region", { name: "Tickets" }).getByRole("link").waitFor();
  assert.equal(await field.inputValue(), "oak");
  assert.deepEqual(owner.faults, []);
});
