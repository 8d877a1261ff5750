// Makes the picture of the README: a visitor's page and the inbox, side by side, in the middle of a conversation.
// `npm run screenshot` needs what the tests need: a built server and Chromium.

import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Desk, invite } from "./lib/actors.mjs";
import { person } from "./lib/browser.mjs";
import { Office } from "./lib/office.mjs";

const out = fileURLToPath(new URL("../../docs/images/parlour.png", import.meta.url));
const LIMIT = 200_000;
const HEIGHT = 700;
const STILL = { reducedMotion: "reduce" };
const BROWSERS = {
  mac: "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
  phone: "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
  windows: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
};

const office = await Office.open({ options: { ...STILL, viewport: { width: 1180, height: HEIGHT } } });
try {
  await writeFile(out, await picture());
  console.log(`${out} is written`);
} finally {
  await office.close();
}

async function picture() {
  const colleague = await invite(office.ours, office.parlour, office.owner, { name: "Ben Okri", email: "ben@example.com" });
  await office.ticket("Do you ship to Norway?", { userAgent: BROWSERS.windows });
  await office.ticket("The invoice has the wrong address on it.", { userAgent: BROWSERS.phone });
  const visitor = await office.ticket("When will my table arrive? It is order 4711.", { ...STILL, userAgent: BROWSERS.mac, viewport: { width: 500, height: HEIGHT } });
  const desk = new Desk(office.owner);
  await office.owner.goto(`${office.url}/tickets`);
  await desk.openFirst();
  await desk.say("Good morning! It left our workshop yesterday.");
  const second = new Desk(colleague);
  await colleague.goto(office.owner.url());
  await second.live();
  await second.say("The carrier says Thursday, before noon.", { note: true });
  await desk.sees("The carrier says Thursday, before noon.");
  await desk.say("It will be with you on **Thursday before noon**.");
  await visitor.log.getByText("Thursday before noon").waitFor();
  await visitor.say("Wonderful, thank you!");
  await desk.sees("Wonderful, thank you!");
  await visitor.page.waitForFunction(() => document.querySelector("parlour-chat").shadowRoot.querySelector(".row:last-child.read"));
  // At a person's pace: the next sign of typing goes out three seconds after the last one.
  await desk.composer.pressSequentially("You are welcome", { delay: 250 });
  await visitor.panel.getByText("Ada Lovelace is typing").waitFor();
  return sideBySide([await visitor.page.screenshot(), await office.owner.screenshot()]);
}

/** One picture of several, on a quiet ground. */
async function sideBySide(pictures) {
  const page = await person(office.ours, { viewport: { width: 1760, height: HEIGHT + 48 } });
  const images = pictures.map((picture) => `<img src="data:image/png;base64,${picture.toString("base64")}">`);
  await page.setContent(`<style>
    body { display: flex; justify-content: center; gap: 24px; margin: 0; padding: 24px; background: #e4e0d8 }
    img { border-radius: 12px; box-shadow: 0 4px 16px #0002 }
  </style>${images.join("")}`);
  const made = await page.screenshot();
  if (made.length > LIMIT) throw new Error(`the picture has ${made.length} bytes, more than ${LIMIT}`);
  await mkdir(new URL("../../docs/images/", import.meta.url), { recursive: true });
  return made;
}
