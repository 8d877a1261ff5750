// Where the widget works: on pages that the owner has listed, and nowhere else; and who says so.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Visitor } from "./lib/actors.mjs";
import { person, screenshot } from "./lib/browser.mjs";
import { Office } from "./lib/office.mjs";
import { shop, site } from "./lib/pages.mjs";

let office;

before(async () => {
  office = await Office.open();
});

after(() => office?.close());

async function visit(url) {
  const visitor = new Visitor(await person(office.theirs));
  const said = visitor.page.waitForEvent("console", (message) => message.type() === "error" && message.text().startsWith("Parlour:"));
  await visitor.page.goto(url);
  await visitor.open();
  return { visitor, said: (await said).text() };
}

test("a page that is not listed gets no session, and its console says why and where to change it", async () => {
  const stranger = await site(shop(office.snippet));
  const { visitor, said } = await visit(stranger.url);
  assert.ok(said.includes(`this page's origin, ${stranger.origin}, is not allowed`), said);
  assert.ok(said.includes(`${office.url}/sites`), said);
  // The visitor is told as much as concerns her.
  await visitor.panel.getByText("The chat is not available on this page.").waitFor();
  await screenshot(visitor.page, "widget-refused");
  await stranger.close();
});

test("once the owner lists it, the same page works", async () => {
  const stranger = await site(shop(office.snippet));
  await visit(stranger.url);
  await office.owner.goto(`${office.url}/sites`);
  await office.owner.getByRole("link", { name: "Larch & Co." }).click();
  await office.owner.locator("[name=origins]").fill([office.shop.origin, stranger.origin].join("\n"));
  await office.owner.getByRole("button", { name: "Save" }).click();
  await office.owner.getByText("Saved").first().waitFor();
  const visitor = new Visitor(await person(office.theirs));
  await visitor.page.goto(stranger.url);
  await visitor.open();
  await visitor.say("Can you hear me?");
  await visitor.tick("Sent");
  assert.deepEqual(visitor.page.faults, []);
  await stranger.close();
});

test("a key that belongs to no site draws nothing", async () => {
  const mistaken = await site(shop(office.snippet.replace(/\/w\/\w+\.js/, "/w/00000000000000000000.js")));
  const page = await person(office.theirs);
  const loader = page.waitForResponse((answer) => answer.url().includes("/w/"));
  await page.goto(mistaken.url);
  assert.equal((await loader).status(), 404);
  assert.equal(await page.locator("parlour-chat").count(), 0);
  await mistaken.close();
});
