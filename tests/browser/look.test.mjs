// Extremes that break a layout: long words and names, other directions, many messages, small and zoomed windows.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Desk } from "./lib/actors.mjs";
import { screenshot } from "./lib/browser.mjs";
import { Office } from "./lib/office.mjs";

const LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen".repeat(3);
const ADDRESS = `https://larch.example/${"deliveries-and-returns/".repeat(8)}?order=${"0123456789".repeat(6)}`;
const ARABIC = "متى تصل طاولتي؟ رقم الطلب ‎#4711‎ من فضلكم.";
const NAME = "Maximiliane-Theodora von Hohenstein-Schwarzburg";

let office, owner, desk, visitor;

before(async () => {
  office = await Office.open({ settings: { PARLOUR_SEND_BURST: "200", PARLOUR_FRAME_BURST: "500" }, options: { reducedMotion: "reduce" } });
  owner = office.owner;
  await owner.goto(`${office.url}/account`);
  await owner.locator("[name=name]").fill(NAME);
  await owner.getByRole("button", { name: "Save" }).click();
  await owner.getByText("Your name is saved.").waitFor();
  visitor = await office.ticket(LONG, { reducedMotion: "reduce" });
  await visitor.say(ARABIC);
  desk = new Desk(owner);
  await owner.goto(`${office.url}/tickets`);
  await desk.openFirst();
  await desk.say(`See ${ADDRESS}`);
  await desk.say(LONG, { note: true });
  await visitor.sees(ADDRESS);
});

after(() => office?.close());

/** What sticks out of the window, or of its own box where nothing scrolls sideways; by the words of its start tag. */
const stickingOut = (page, root) => page.evaluate((root) => {
  const top = root === "widget" ? document.querySelector("parlour-chat").shadowRoot.querySelector(".panel") : document.body;
  const width = document.documentElement.clientWidth;
  const out = [];
  if (document.documentElement.scrollWidth > width) out.push("the page scrolls sideways");
  for (const element of top.querySelectorAll("*")) {
    if (!element.checkVisibility({ visibilityProperty: true }) || element.closest(".visually-hidden, .sr, svg, [aria-hidden=true], .skip")) continue;
    const { left, right, width: wide } = element.getBoundingClientRect();
    if (wide && (left < -0.5 || right > width + 0.5)) out.push(element.cloneNode(false).outerHTML.slice(0, 100));
  }
  return out;
}, root);

async function fits(page, name, root) {
  await screenshot(page, name);
  assert.deepEqual(await stickingOut(page, root), [], name);
}

// A window of 1280 × 800 as it is at 100 %, at 200 %, and at 400 %, and the smallest phone.
const WINDOWS = { whole: [1280, 800], zoom200: [640, 400], zoom400: [320, 200], phone320: [320, 568] };

for (const [window, [width, height]] of Object.entries(WINDOWS)) {
  test(`long words and names fit in the widget and in the thread: ${window}`, async () => {
    await visitor.page.setViewportSize({ width, height });
    await fits(visitor.page, `widget-long-${window}`, "widget");
    // What one writes in can be seen, and reached.
    assert.ok(await visitor.composer.isVisible());
    const box = await visitor.composer.boundingBox();
    assert.ok(box.y >= 0 && box.y + box.height <= height, JSON.stringify(box));
    await owner.setViewportSize({ width, height });
    await fits(owner, `ticket-long-${window}`, "dashboard");
  });
}

test("each message has its own direction", async () => {
  await visitor.page.setViewportSize({ width: 1280, height: 800 });
  const direction = (bubble) => bubble.evaluate((element) => getComputedStyle(element).direction);
  assert.equal(await direction(visitor.bubble(ARABIC)), "rtl");
  assert.equal(await direction(visitor.bubble(LONG).first()), "ltr");
  assert.equal(await direction(desk.thread.locator(".bubble", { hasText: ARABIC })), "rtl");
});

test("a page that reads from right to left mirrors the widget's page, and not its words", async () => {
  await visitor.page.evaluate(() => (document.documentElement.dir = "rtl"));
  await fits(visitor.page, "widget-on-rtl-page", "widget");
  await owner.setViewportSize({ width: 1280, height: 800 });
  await owner.evaluate(() => (document.documentElement.dir = "rtl"));
  await fits(owner, "ticket-rtl", "dashboard");
  await owner.evaluate(() => document.documentElement.removeAttribute("dir"));
});

test("of many messages the newest are shown, older ones come on scrolling, and new ones do not move what is read", async () => {
  const page = visitor.page;
  for (let number = 1; number <= 60; number += 1) await desk.say(`Message ${number} of sixty.`);
  await visitor.sees("Message 60 of sixty.");
  await fits(page, "widget-many", "widget");
  await page.reload();
  await visitor.open();
  await visitor.sees("Message 60 of sixty.");
  const scroll = visitor.panel.getByRole("group", { name: "Messages" });
  await scroll.evaluate((element) => (element.scrollTop = 0));
  await visitor.bubble(ARABIC).waitFor();
  await scroll.evaluate((element) => (element.scrollTop = 200));
  const before = await scroll.evaluate((element) => element.scrollTop);
  await desk.say("One more.");
  await visitor.panel.getByRole("button", { name: "New messages" }).waitFor();
  assert.equal(await scroll.evaluate((element) => element.scrollTop), before);
  await screenshot(page, "widget-new-pill");
  await visitor.panel.getByRole("button", { name: "New messages" }).click();
  await visitor.bubble("One more.").waitFor();
  await screenshot(owner, "ticket-many");
  assert.deepEqual([page.faults, owner.faults], [[], []]);
});

test("without a network both say so, keep what is written, and go on when it is back", async () => {
  const { page } = visitor;
  const online = (on) => Promise.all([page, owner].map((one) => one.context().setOffline(!on)));
  await online(false);
  await office.parlour.kill();
  await visitor.panel.getByText("You are offline. Messages are kept and sent later.").waitFor();
  await owner.locator("[data-connection-text]", { hasText: /No connection|Reconnecting/ }).waitFor();
  await visitor.say("Written without a network.");
  await desk.say("Answered without a network.");
  await screenshot(page, "widget-without-network");
  await office.parlour.restart();
  await online(true);
  await desk.sees("Written without a network.");
  await visitor.sees("Answered without a network.");
  await visitor.panel.getByText("You are offline.").waitFor({ state: "hidden" });
  await owner.locator("[data-connection]").waitFor({ state: "hidden" });
});
