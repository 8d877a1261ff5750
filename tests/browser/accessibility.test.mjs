// WCAG 2.2 AA as far as axe can tell, in every main state: light and dark, wide and narrow.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Desk, invite } from "./lib/actors.mjs";
import { person, screenshot, violations } from "./lib/browser.mjs";
import { SIZES, STILL, clean } from "./lib/looks.mjs";
import { Office } from "./lib/office.mjs";
import { Parlour } from "./lib/parlour.mjs";

let office, owner, desk, ticket, visitor, invitation;

before(async () => {
  office = await Office.open({ options: STILL });
  owner = office.owner;
  await invite(office.ours, office.parlour, owner, { name: "Ben Okri", email: "ben@example.com" });
  await office.ticket("Is the oak table in stock?").then((other) => other.page.close());
  visitor = await office.ticket("When will my table arrive?", STILL);
  desk = new Desk(owner);
  await owner.goto(`${office.url}/tickets`);
  await desk.openFirst();
  await desk.say("It is on its way. See https://example.com/track for where it is now.");
  await desk.say("Carrier says Thursday.", { note: true });
  await visitor.say("Thank you!");
  await desk.sees("Thank you!");
  await desk.tick("It is on its way.", "read");
  ticket = owner.url();
});

after(() => office?.close());

/** A page that nobody is signed in on, at this address. */
async function stranger(url) {
  const page = await person(office.ours, STILL);
  await page.goto(url);
  return page;
}

test("set-up: owner, site, snippet", async () => {
  const fresh = await Parlour.start();
  const page = await stranger(fresh.setUp);
  await clean(page, "setup-owner");
  await page.locator("[name=name]").fill("Ada");
  await page.locator("[name=email]").fill("ada@example.com");
  await page.locator("[name=password]").fill("a long enough pass phrase");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/setup/site");
  await clean(page, "setup-site");
  await page.locator("[name=name]").fill("Larch & Co.");
  await page.locator("[name=origins]").fill("https://larch.example");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.waitForURL("**/install");
  await clean(page, "install");
  await page.goto(`${fresh.url}/tickets`);
  await page.getByText("Nobody has written yet.").waitFor();
  await clean(page, "inbox-empty");
  await page.context().close();
  await fresh.stop();
});

test("doors: sign-in, refused sign-in, invitation, error", async () => {
  const page = await stranger(`${office.url}/sign-in`);
  await clean(page, "sign-in");
  await page.locator("[name=email]").fill("ada@example.com");
  await page.locator("[name=password]").fill("not the pass phrase");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await clean(page, "sign-in-refused");
  await page.goto(`${office.url}/nothing-here`);
  await clean(page, "error");
  await owner.goto(`${office.url}/agents`);
  await owner.locator("[name=email]").fill("cleo@example.com");
  await owner.locator("[name=email]").press("Enter");
  await owner.locator("#one-time-link").waitFor();
  invitation = await owner.locator("#one-time-link").textContent();
  await clean(owner, "agents-link");
  await page.goto(invitation);
  await clean(page, "invitation");
  await page.context().close();
});

test("the inbox: list, thread, context, note, menu, help", async () => {
  await owner.goto(`${office.url}/tickets`);
  await desk.live();
  await clean(owner, "inbox");
  await owner.goto(ticket);
  await desk.live();
  await clean(owner, "ticket");
  await owner.keyboard.press("n");
  await clean(owner, "ticket-note");
  await owner.keyboard.press("Escape");
  await owner.keyboard.press("a");
  await clean(owner, "ticket-assign");
  await owner.keyboard.press("Escape");
  await owner.keyboard.press("?");
  await clean(owner, "help");
  await owner.keyboard.press("Escape");
  await owner.setViewportSize(SIZES[1]);
  await owner.getByRole("button", { name: "About the visitor" }).click();
  await screenshot(owner, "ticket-context-360");
  assert.deepEqual(await violations(owner), []);
  await owner.setViewportSize(SIZES[0]);
});

test("rooms: none, new, direct, team", async () => {
  await owner.goto(`${office.url}/rooms`);
  await clean(owner, "rooms");
  await owner.getByRole("button", { name: "Ben Okri" }).click();
  await owner.waitForURL("**/rooms/*");
  await desk.live();
  await clean(owner, "room-direct");
  await owner.goto(`${office.url}/rooms#new`);
  const form = owner.locator("form", { has: owner.getByRole("button", { name: "Start the room" }) });
  await form.getByLabel("Name").fill("Shipping");
  await form.getByRole("checkbox", { name: "Ben Okri" }).check();
  await clean(owner, "room-new");
  await form.getByRole("button", { name: "Start the room" }).click();
  await owner.waitForURL("**/rooms/*");
  await owner.getByRole("button", { name: "Members" }).click();
  await clean(owner, "room-team");
});

test("search: empty, nothing, people, tickets and messages", async () => {
  for (const [name, question] of [["empty", ""], ["none", "?q=xylophone"], ["people", "?q=ben"], ["found", "?q=thursday"], ["tickets", "?q=table"]]) {
    await owner.goto(`${office.url}/search${question}`);
    await clean(owner, `search-${name}`);
  }
});

test("settings: sites, site, agents, account", async () => {
  for (const page of ["sites", "sites/new", "agents", "account"]) {
    await owner.goto(`${office.url}/${page}`);
    await clean(owner, page.replace("/", "-"));
  }
  await owner.goto(`${office.url}/sites`);
  await owner.getByRole("link", { name: "Larch & Co." }).click();
  await owner.locator("[name=greeting]").waitFor();
  await clean(owner, "site");
});

test("the widget: closed, open, empty", async () => {
  const fresh = await office.visitor(STILL);
  await clean(fresh.page, "widget-closed");
  await fresh.open();
  await fresh.panel.getByText("We are online").waitFor();
  await clean(fresh.page, "widget-empty");
  await fresh.page.context().close();
});

test("the widget: a conversation, unread, offline", async () => {
  await clean(visitor.page, "widget-chat");
  await visitor.page.keyboard.press("Escape");
  await owner.goto(ticket);
  await desk.live();
  await desk.say("Anything else?");
  await visitor.page.getByRole("button", { name: /Unread messages: 1/ }).waitFor();
  await clean(visitor.page, "widget-unread");
  await visitor.open();
  await visitor.sees("Anything else?");
  await visitor.tick("Read");
  await office.parlour.kill();
  await visitor.say("Are you there?");
  await visitor.panel.getByText("Connection lost. Trying again…").waitFor();
  await visitor.log.getByText("Waiting for the connection").waitFor();
  await clean(visitor.page, "widget-offline");
  await owner.locator("[data-connection][data-state=waiting]").waitFor();
  await desk.say("I am back soon.");
  await clean(owner, "ticket-offline");
  await office.parlour.restart();
  await visitor.tick("Delivered");
});

test("what is wrong is found, on the page and in the widget's shadow root", async () => {
  const { page } = visitor;
  const wrong = () => {
    const node = document.createElement("div");
    node.innerHTML = '<button id="small"></button><button id="smaller">x</button><p id="pale">Hardly to be read</p>';
    for (const [id, style] of Object.entries({ small: "width:9px;height:9px;padding:0", smaller: "width:9px;height:9px;padding:0", pale: "color:#ccc;background:#fff" })) node.querySelector(`#${id}`).style.cssText = style;
    return node;
  };
  for (const place of ["document.querySelector('main')", "document.querySelector('parlour-chat').shadowRoot.querySelector('.log')"]) {
    await page.evaluate(`${place}.append((${wrong})())`);
    const found = (await violations(page)).join("\n");
    for (const rule of ["button-name", "color-contrast", "target-size"]) assert.match(found, new RegExp(`^${rule}: `, "m"), place);
    if (place.includes("shadowRoot")) assert.match(found, /parlour-chat/);
    await page.evaluate(`${place}.lastElementChild.remove()`);
  }
});
