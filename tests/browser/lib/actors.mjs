// What people do, in their own words; used by all stories.

import { person } from "./browser.mjs";

export const OWNER = { name: "Ada Lovelace", email: "ada@example.com", password: "a long enough pass phrase" };

/** The owner follows the set-up link, makes the first site, and is left on the page with the snippet. */
export async function setUp(browser, parlour, { origins, name = "Larch & Co.", greeting = "Questions about delivery? Ask us." }, options) {
  const page = await person(browser, options);
  await page.goto(parlour.setUp);
  await page.locator("[name=name]").fill(OWNER.name);
  await page.locator("[name=email]").fill(OWNER.email);
  await page.locator("[name=password]").fill(OWNER.password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/setup/site");
  await page.locator("[name=name]").fill(name);
  await page.locator("[name=origins]").fill(origins.join("\n"));
  await page.locator("[name=greeting]").fill(greeting);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.waitForURL("**/install");
  const snippet = await page.locator("#snippet").evaluate((element) => element.value || element.textContent);
  return { page, snippet: snippet.trim() };
}

/** A colleague accepts an invitation that the owner makes on the page of agents. */
export async function invite(browser, parlour, owner, { name, email, password = "another long pass phrase" }) {
  await owner.goto(`${parlour.url}/agents`);
  await owner.locator("[name=email]").fill(email);
  await owner.locator("[name=email]").press("Enter");
  const link = owner.getByText(/\/invite\//).first();
  await link.waitFor();
  const url = /http:\S+\/invite\/\w+/.exec(await link.evaluate((element) => element.value || element.textContent))[0];
  const page = await person(browser);
  await page.goto(url);
  await page.locator("[name=name]").fill(name);
  await page.locator("[name=password]").fill(password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/tickets**");
  return page;
}

/** The visitor's side of the widget. */
export class Visitor {
  constructor(page) {
    this.page = page;
    this.panel = page.getByRole("dialog", { name: "Larch & Co." });
    this.log = this.panel.getByRole("log");
    this.composer = this.panel.getByRole("textbox");
  }

  async open() {
    await this.page.getByRole("button", { name: /^Open chat/ }).click();
    await this.composer.waitFor();
  }

  async say(text) {
    await this.composer.fill(text);
    await this.composer.press("Enter");
  }

  /** The bubbles with this text. */
  bubble(text) {
    return this.log.getByText(text, { exact: true });
  }

  async sees(text) {
    await this.bubble(text).first().waitFor();
  }

  /** Waits until the newest own message has come at least so far: "Sent", "Delivered" or "Read". */
  async tick(state) {
    const states = ["Sent", "Delivered", "Read"];
    const enough = states.slice(states.indexOf(state)).join("|");
    await this.log.getByText(new RegExp(`^(${enough})\\b`)).last().waitFor({ state: "attached" });
  }
}

/** The agent's side of a ticket. */
export class Desk {
  constructor(page) {
    this.page = page;
    this.thread = page.getByRole("log", { name: "Conversation" });
    this.composer = page.locator("textarea[name=text]");
    this.rows = page.locator("[data-live-list] > li");
  }

  async live() {
    await this.page.locator("[data-connection][data-state=live]").waitFor({ state: "attached" });
  }

  async openFirst() {
    await this.rows.first().getByRole("link").click();
    await this.composer.waitFor();
    await this.live();
  }

  async say(text, { note = false } = {}) {
    await this.page.locator(`input[name=room][value=${note ? "staff" : "public"}]`).check({ force: true });
    await this.composer.fill(text);
    await this.composer.press("Control+Enter");
  }

  async sees(text) {
    await this.thread.getByText(text, { exact: true }).first().waitFor();
  }

  count(text) {
    return this.thread.getByText(text, { exact: true }).count();
  }

  /** Waits until the own message has come so far: `sent`, `delivered` or `read`. */
  async tick(text, state) {
    await this.thread.locator("article", { hasText: text }).and(this.page.locator(`[data-tick=${state}]`)).first().waitFor();
  }
}
