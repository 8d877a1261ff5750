// The main job without a mouse: Tab, Enter, Escape and the shortcuts, for visitor and agent.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Desk, OWNER, Visitor } from "./lib/actors.mjs";
import { person } from "./lib/browser.mjs";
import { Office } from "./lib/office.mjs";

let office, visitor, agent, desk;

before(async () => {
  office = await Office.open();
  visitor = await office.visitor();
  agent = await person(office.ours);
  desk = new Desk(agent);
});

after(() => office?.close());

const focused = (locator) => locator.evaluate((element) => element.getRootNode().activeElement === element);

/** Waits until the focus is there, without putting it there. */
async function focus(locator) {
  const element = await locator.elementHandle();
  await locator.page().waitForFunction((element) => element.getRootNode().activeElement === element, element);
}

/** Presses Tab (or Shift+Tab) until the focus is on this. */
async function tabTo(page, locator, key = "Tab") {
  await locator.waitFor();
  for (let presses = 0; presses < 60; presses += 1) {
    if (await focused(locator)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${key} does not lead to ${locator}`);
}

async function write(page, text, send) {
  await page.keyboard.type(text);
  await page.keyboard.press(send);
}

test("a visitor opens the chat, and writes at once", async () => {
  const { page } = visitor;
  await tabTo(page, page.getByRole("button", { name: "Open chat" }));
  await page.keyboard.press("Enter");
  await focus(visitor.composer);
  await write(page, "Do you ship to Norway?", "Enter");
  await visitor.sees("Do you ship to Norway?");
  await visitor.tick("Sent");
});

test("an agent signs in, goes to the ticket, and answers", async () => {
  await agent.goto(`${office.url}/sign-in`);
  await tabTo(agent, agent.getByLabel("E-mail"));
  await agent.keyboard.type(OWNER.email);
  await agent.keyboard.press("Tab");
  await write(agent, OWNER.password, "Enter");
  await desk.rows.first().waitFor();
  await desk.live();
  await agent.keyboard.press("j");
  await desk.sees("Do you ship to Norway?");
  await desk.live();
  await agent.keyboard.press("r");
  await focus(desk.composer);
  await write(agent, "We do, in five days.", "Control+Enter");
  await visitor.sees("We do, in five days.");
});

test("she writes a note, reads the list of shortcuts, and resolves", async () => {
  // A letter in the field is a letter.
  await agent.keyboard.type("e");
  await agent.keyboard.press("Backspace");
  await agent.keyboard.press("Escape");
  await agent.keyboard.press("n");
  await focus(desk.composer);
  await write(agent, "Customs form is in the drawer.", "Control+Enter");
  await desk.sees("Customs form is in the drawer.");
  await agent.keyboard.press("Escape");
  await agent.keyboard.press("?");
  const help = agent.getByRole("dialog", { name: "Keyboard shortcuts" });
  await help.waitFor();
  await agent.keyboard.press("Escape");
  await help.waitFor({ state: "hidden" });
  await agent.keyboard.press("e");
  await agent.getByRole("button", { name: "Reopen" }).waitFor();
  await visitor.log.getByText(/marked as resolved/).waitFor();
});

test("the visitor scrolls through the answer, and closes; the focus is where it was", async () => {
  const { page } = visitor;
  assert.equal(await visitor.bubble("Customs form is in the drawer.").count(), 0);
  await tabTo(page, visitor.panel.getByRole("group", { name: "Messages" }), "Shift+Tab");
  await page.keyboard.press("Home");
  await page.keyboard.press("Escape");
  await visitor.panel.waitFor({ state: "hidden" });
  await focus(page.getByRole("button", { name: "Open chat" }));
  // Nothing traps: Tab goes on to the page, or out of it.
  await page.keyboard.press("Tab");
  assert.equal(await focused(page.getByRole("button", { name: "Open chat" })), false);
});

test("buttons that go away leave the focus on what stands in their place", async () => {
  const reopen = agent.getByRole("button", { name: "Reopen" });
  await tabTo(agent, reopen);
  await agent.keyboard.press("Enter");
  await focus(agent.getByRole("button", { name: "Resolve" }));
});

test("shortcuts can be switched off", async () => {
  await agent.keyboard.press("?");
  const help = agent.getByRole("dialog", { name: "Keyboard shortcuts" });
  const choice = help.getByRole("switch", { name: "Single-key shortcuts" });
  await tabTo(agent, choice);
  await agent.keyboard.press("Space");
  await agent.keyboard.press("Escape");
  await help.waitFor({ state: "hidden" });
  await agent.keyboard.press("?");
  await agent.keyboard.press("e");
  assert.equal(await help.isVisible(), false);
  // The way back is the button, which needs no shortcut.
  await tabTo(agent, agent.getByRole("button", { name: "Keyboard shortcuts" }), "Shift+Tab");
  await agent.keyboard.press("Enter");
  await tabTo(agent, choice);
  assert.equal(await choice.isChecked(), false);
  await agent.keyboard.press("Space");
  await agent.keyboard.press("Escape");
  await help.waitFor({ state: "hidden" });
});

test("she leaves", async () => {
  await agent.keyboard.press("g");
  await agent.keyboard.press("p");
  await agent.waitForURL("**/account");
  await tabTo(agent, agent.getByRole("button", { name: "Sign out" }));
  for (const page of [visitor.page, agent]) assert.deepEqual(page.faults, []);
  await agent.keyboard.press("Enter");
  await agent.waitForURL("**/sign-in**");
});
