// What stands around a thread keeps in step: where the visitor is, whether she is there, who answered.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Desk, Visitor, invite, setUp } from "./lib/actors.mjs";
import { launch, person, screenshot, violations } from "./lib/browser.mjs";
import { shop, site } from "./lib/pages.mjs";
import { Parlour } from "./lib/parlour.mjs";

let parlour, page, browser, owner, colleague, snippet, visitor, desk, context;

before(async () => {
  parlour = await Parlour.start();
  page = await site(() => shop(snippet ?? ""));
  browser = await launch();
  ({ page: owner, snippet } = await setUp(browser, parlour, { origins: [page.origin] }));
  colleague = await invite(browser, parlour, owner, { name: "Grace Hopper", email: "grace@example.com" });
  const hers = await person(browser);
  await hers.goto(page.url);
  visitor = new Visitor(hers);
  await visitor.open();
  await owner.goto(`${parlour.url}/tickets`);
  desk = new Desk(owner);
  await desk.live();
  context = owner.locator(".context-pane");
  await visitor.say("hello");
});

after(async () => {
  await browser?.close();
  await page?.close();
  await parlour?.stop();
});

test("a visitor who is there is online in the list and in the thread", async () => {
  await owner.locator("[data-live-list] [data-presence][data-state=online]").waitFor();
  await desk.openFirst();
  await owner.locator(".thread-sub [data-state=online]", { hasText: "Online" }).waitFor();
});

test("her page is renewed when she moves on, on a phone's open pane as well", async () => {
  await context.getByText("Larch & Co. – Delivery").waitFor();
  await visitor.page.evaluate(() => {
    history.pushState({}, "", "/basket?items=2");
    document.title = "Your basket";
  });
  await context.getByText("Your basket").waitFor();
  await context.getByText(/basket\?items=2$/).waitFor();
  await owner.setViewportSize({ width: 390, height: 800 });
  await owner.locator(".context-open").click();
  await context.getByText("Your basket").waitFor();
  await visitor.page.evaluate(() => {
    history.pushState({}, "", "/pay");
    document.title = "Pay";
  });
  await context.getByText("Pay", { exact: true }).waitFor();
  assert.deepEqual(await violations(owner), []);
  await screenshot(owner, "context-phone");
  await owner.keyboard.press("Escape");
  await owner.setViewportSize({ width: 1440, height: 800 });
});

test("who answers is named at once, and the head tells who has it", async () => {
  await context.getByText("Nobody yet").waitFor();
  const hers = new Desk(colleague);
  await hers.openFirst();
  await hers.say("good morning");
  await context.locator(".people", { hasText: "Grace Hopper" }).waitFor();
  await colleague.keyboard.press("Escape");
  await colleague.keyboard.press("i");
  await owner.locator(".assign", { hasText: "Grace Hopper" }).waitFor();
  await screenshot(owner, "context");
});

test("she goes, and both say so", async () => {
  await visitor.page.close();
  await owner.locator(".thread-sub [data-state=offline]", { hasText: "Offline" }).waitFor({ timeout: 20_000 });
  await owner.locator("[data-live-list] [data-presence][data-state=offline]").waitFor();
  for (const each of [owner, colleague]) assert.deepEqual(each.faults, []);
});
