// A ticket is put aside and taken up again, by keyboard alone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Desk, Visitor, setUp } from "./lib/actors.mjs";
import { launch, person, screenshot, violations } from "./lib/browser.mjs";
import { clean } from "./lib/looks.mjs";
import { shop, site } from "./lib/pages.mjs";
import { Parlour } from "./lib/parlour.mjs";

let parlour, page, browser, owner, snippet, visitor, desk;

before(async () => {
  parlour = await Parlour.start();
  page = await site(() => shop(snippet ?? ""));
  browser = await launch();
  ({ page: owner, snippet } = await setUp(browser, parlour, { origins: [page.origin] }));
  const hers = await person(browser);
  await hers.goto(page.url);
  visitor = new Visitor(hers);
  await visitor.open();
  await visitor.say("hello");
  await owner.goto(`${parlour.url}/tickets`);
  desk = new Desk(owner);
  await desk.openFirst();
  await owner.locator("[data-scroll]").focus();
});

after(async () => {
  await browser?.close();
  await page?.close();
  await parlour?.stop();
});

/** Waits until the menu has risen: on the way it is half transparent. */
const risen = (menu) => owner.locator(menu).evaluate((element) => Promise.all(element.getAnimations().map((one) => one.finished)));
const state = (text) => owner.locator(".thread-sub .state", { hasText: text }).waitFor();

test("Z snoozes until tomorrow morning where the agent is", async () => {
  await owner.keyboard.press("z");
  await owner.locator("#life-menu").waitFor();
  await risen("#life-menu");
  await screenshot(owner, "life-menu");
  assert.deepEqual(await violations(owner), []);
  await owner.keyboard.press("ArrowDown");
  await owner.keyboard.press("Enter");
  await state(/Snoozed until tomorrow 0?9:00/);
  await desk.thread.getByText(/snoozed the ticket until tomorrow 0?9:00/).waitFor();
  await owner.locator("[data-live-list-empty]").waitFor();
  await screenshot(owner, "snoozed");
});

test("the lists of snoozed and pending tickets have a way in", async () => {
  await owner.goto(`${parlour.url}/tickets`);
  await desk.live();
  await owner.locator("[popovertarget=state-menu]").click();
  await owner.locator("#state-menu [data-count=snoozed]", { hasText: "1" }).waitFor();
  await screenshot(owner, "state-menu");
  await owner.getByRole("link", { name: /^Snoozed/ }).click();
  await owner.locator(".ticket-until", { hasText: /tomorrow 0?9:00/ }).waitFor();
  await screenshot(owner, "snoozed-list");
});

test("a resolved ticket is taken back", async () => {
  await owner.goto(`${parlour.url}/tickets?state=snoozed`);
  await desk.openFirst();
  await owner.locator("[popovertarget=life-menu]").click();
  await owner.locator("#life-menu").getByRole("button", { name: "Open" }).click();
  await state("Open");
  await owner.locator("[data-scroll]").focus();
  await owner.keyboard.press("e");
  await state("Resolved");
  // A toast that is pointed at stays.
  await owner.getByRole("button", { name: "Undo" }).focus();
  await clean(owner, "undo");
  await owner.getByRole("button", { name: "Undo" }).click();
  await state("Open");
  await owner.locator(".toast").waitFor({ state: "detached" });
  // Back to sleep, for the next one.
  await owner.keyboard.press("z");
  await owner.keyboard.press("Enter");
  await state("Snoozed until");
});

test("the visitor opens it by writing, and a date is taken as well", async () => {
  await visitor.say("still there?");
  await owner.locator("[data-live-list-empty]").waitFor();
  await owner.goto(`${parlour.url}/tickets`);
  await desk.openFirst();
  await owner.locator("[popovertarget=life-menu]").click();
  await owner.locator("#snooze-date").fill("2001-01-01T09:00");
  await owner.locator("#snooze-date").press("Enter");
  await owner.locator(".toast[data-tone=danger]").waitFor();
  await owner.locator("[popovertarget=life-menu]").click();
  const day = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10);
  await owner.locator("#snooze-date").fill(`${day}T07:30`);
  await owner.locator("#snooze-date").press("Enter");
  await state(/Snoozed until \w+ 0?7:30/);
  await owner.locator("[popovertarget=life-menu]").click();
  await owner.locator("#life-menu").getByRole("button", { name: /^Pending/ }).click();
  await state("Pending");
  await owner.emulateMedia({ colorScheme: "dark" });
  await owner.setViewportSize({ width: 390, height: 800 });
  await owner.locator("[popovertarget=life-menu]").click();
  await owner.locator("#life-menu").waitFor();
  await risen("#life-menu");
  assert.deepEqual(await violations(owner), []);
  await screenshot(owner, "life-menu-phone");
  const faults = owner.faults.filter((fault) => !fault.includes("422"));
  assert.deepEqual([...faults, ...visitor.page.faults], []);
});
