// A state in all its looks, held to WCAG 2.2 AA as far as axe can tell.

import assert from "node:assert/strict";
import { screenshot, violations } from "./browser.mjs";

export const SIZES = [{ width: 1280, height: 800 }, { width: 360, height: 740 }];
// Without motion nothing is looked at half-way through a change of colour.
export const STILL = { reducedMotion: "reduce" };

/** Looks at a state, light and dark, wide and narrow; `ready` brings a page there again that forgets it when its size changes. */
export async function clean(page, name, ready = async () => {}) {
  for (const size of SIZES) {
    await page.setViewportSize(size);
    await ready(page);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await screenshot(page, `${name}-${colorScheme}-${size.width}`);
      assert.deepEqual(await violations(page), [], `${name}, ${colorScheme}, ${size.width} px`);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(SIZES[0]);
}
