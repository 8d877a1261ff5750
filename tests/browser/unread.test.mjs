// Badges: what waits for an agent, in all of her pages at once.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Desk, Visitor, invite, setUp } from "./lib/actors.mjs";
import { launch, person, screenshot } from "./lib/browser.mjs";
import { shop, site } from "./lib/pages.mjs";
import { Parlour } from "./lib/parlour.mjs";

let parlour, page, browser, owner, settings, colleague, snippet, visitor;

before(async () => {
  parlour = await Parlour.start();
  page = await site(() => shop(snippet ?? ""));
  browser = await launch();
  ({ page: owner, snippet } = await setUp(browser, parlour, { origins: [page.origin] }));
  colleague = await invite(browser, parlour, owner, { name: "Grace Hopper", email: "grace@example.com" });
  await owner.goto(`${parlour.url}/tickets`);
  await new Desk(owner).live();
  settings = await owner.context().newPage();
  await settings.goto(`${parlour.url}/account`);
  await new Desk(settings).live();
  const hers = await person(browser);
  await hers.goto(page.url);
  visitor = new Visitor(hers);
  await visitor.open();
});

after(async () => {
  await browser?.close();
  await page?.close();
  await parlour?.stop();
});

const badge = (page, where) => page.locator(where);
const rowBadge = "[data-live-list] [data-unread]";
const navBadge = '[data-nav-unread="tickets"]';

async function shows(page, where, text) {
  await badge(page, where).filter({ hasText: text, visible: true }).waitFor();
}

async function out(page, where) {
  await badge(page, where).first().waitFor({ state: "hidden" });
}

test("the visitor's messages are counted, on pages without a list as well", async () => {
  await visitor.say("one");
  await visitor.say("two");
  await shows(owner, rowBadge, /^2$/);
  await shows(owner, navBadge, /^1$/);
  await shows(settings, navBadge, /^1$/);
  await settings.waitForFunction(() => document.title.startsWith("(1) "));
  await screenshot(owner, "unread");
});

test("an answer of a colleague changes no badge but hers", async () => {
  const desk = new Desk(colleague);
  await desk.openFirst();
  await out(colleague, navBadge);
  await desk.say("an answer");
  await owner.locator(".ticket-preview", { hasText: "an answer" }).waitFor();
  await visitor.say("three");
  await shows(owner, rowBadge, /^3$/);
  await shows(owner, navBadge, /^1$/);
  await out(colleague, rowBadge);
});

test("reading puts the badges out, in other tabs as well", async () => {
  const reader = await owner.context().newPage();
  await reader.goto(`${parlour.url}/tickets`);
  await new Desk(reader).openFirst();
  await out(reader, rowBadge);
  for (const other of [owner, settings]) await out(other, navBadge);
  await out(owner, rowBadge);
  await settings.waitForFunction(() => !document.title.startsWith("("));
  await visitor.say("four");
  await new Desk(reader).sees("four");
  await owner.locator(".ticket-preview", { hasText: "four" }).waitFor();
  await out(reader, rowBadge);
});

test("no page had a fault", () => {
  for (const each of [owner, colleague, visitor.page]) assert.deepEqual(each.faults, []);
});
