// The drawing of the widget beside a site's form, with and without a script.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { OWNER, setUp } from "./lib/actors.mjs";
import { launch, person, screenshot, violations } from "./lib/browser.mjs";
import { Parlour } from "./lib/parlour.mjs";

let parlour, browser, owner;

before(async () => {
  parlour = await Parlour.start();
  browser = await launch();
  ({ page: owner } = await setUp(browser, parlour, { origins: ["http://shop.test"] }));
  await owner.goto(`${parlour.url}/sites`);
  await owner.getByRole("link", { name: "Larch & Co." }).click();
});

after(async () => {
  await browser?.close();
  await parlour?.stop();
});

const side = (page) => page.locator(".preview-launcher").evaluate((launcher) => {
  const [box, page] = [launcher, launcher.closest(".preview-page")].map((element) => element.getBoundingClientRect());
  return box.left - page.left < page.right - box.right ? "left" : "right";
});

test("it follows what is edited", async () => {
  await owner.locator("[name=colour]").fill("#8a1c4a");
  await owner.locator("[name=greeting]").fill("Grüß Gott");
  await owner.locator("[name=position][value=left]").check({ force: true });
  await owner.locator("[name=locale]").selectOption("de");
  const preview = owner.locator(".preview");
  await preview.getByText("Wir sind online").waitFor();
  await preview.getByText("Grüß Gott").waitFor();
  assert.equal(await preview.getByText("We are online").isVisible(), false);
  assert.equal(await side(owner), "left");
  assert.equal(await owner.locator(".preview-launcher").evaluate((element) => getComputedStyle(element).backgroundColor), "rgb(138, 28, 74)");
  assert.deepEqual(await violations(owner), []);
  await screenshot(owner, "preview");
  await owner.getByRole("button", { name: "Save" }).click();
  await owner.getByText("The site is saved.").waitFor();
});

test("without a script it shows what is saved", async () => {
  const plain = await person(browser, { javaScriptEnabled: false, colorScheme: "dark" });
  await plain.goto(`${parlour.url}/sign-in?next=/sites`);
  await plain.locator("[name=email]").fill(OWNER.email);
  await plain.locator("[name=password]").fill(OWNER.password);
  await plain.locator("[name=password]").press("Enter");
  await plain.getByRole("link", { name: "Larch & Co." }).click();
  await plain.locator(".preview").getByText("Wir sind online").waitFor();
  await plain.locator("[name=position][value=right]").check({ force: true });
  assert.equal(await side(plain), "right");
  await screenshot(plain, "preview-plain");
  assert.deepEqual(owner.faults, []);
});
