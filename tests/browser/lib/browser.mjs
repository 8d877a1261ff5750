// Browsers, and what every page of them is held to.

import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const shots = fileURLToPath(new URL("../../../target/screenshots/", import.meta.url));
const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A browser of its own: visitor and agent share nothing. */
export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-dev-shm-usage",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A page whose errors fail the test: `person.faults` collects them. */
export async function person(browser, options = {}) {
  const context = await browser.newContext({ timezoneId: "Europe/Berlin", locale: "en-GB", viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  return Object.assign(page, { faults });
}

/** Puts a slow network before the page's next socket: `hold` keeps back what comes, until `release`. */
export async function slow(page) {
  const kept = [];
  let held = false;
  let tell = () => {};
  await page.routeWebSocket("**/socket", (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => {
      if (!held) return socket.send(message);
      kept.push(() => socket.send(message));
      tell(message);
    });
  });
  return {
    hold: () => (held = true),
    /** Waits until something that is kept back matches. */
    heard: (pattern) => new Promise((resolve) => (tell = (message) => pattern.test(message) && resolve())),
    release() {
      held = false;
      kept.splice(0).forEach((send) => send());
    },
  };
}

/** Refuses for good what the page sends with this word in it, as a server may; from its next socket on. */
export async function refuse(page, word) {
  await page.routeWebSocket("**/socket", (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((message) => {
      const frame = JSON.parse(message);
      const draft = frame.messages?.find(({ text }) => text.includes(word));
      if (!draft) return server.send(message);
      socket.send(JSON.stringify({ t: "error", code: "too_long", message: "Too long.", retry: false, after: 0, room: frame.room, cid: draft.cid }));
    });
  });
}

export async function screenshot(page, name) {
  await mkdir(shots, { recursive: true });
  await page.screenshot({ path: `${shots}${name}.png` });
}

/** What axe finds against WCAG 2.2 AA and good practice, frames and shadow roots included; fails if it has looked at nothing. */
export async function violations(page) {
  for (const frame of page.frames()) {
    // What fades in has no contrast yet.
    await frame.evaluate(() => Promise.allSettled(document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < Infinity).map((one) => one.finished)));
    await frame.evaluate(axeSource);
  }
  const result = await page.evaluate(() =>
    axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      rules: { "target-size": { enabled: true } },
    }),
  );
  const looked = result.passes.reduce((sum, rule) => sum + rule.nodes.length, 0);
  if (looked === 0) throw new Error("axe has looked at nothing");
  return result.violations.map((rule) => `${rule.id}: ${rule.nodes.map((node) => `${node.target.flat().join(" ")} ${node.failureSummary}`).join("\n  ")}`);
}
