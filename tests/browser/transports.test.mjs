// Where no WebSocket gets through: the same conversation by a stream of events, or by polls, found out by the pages themselves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Desk } from "./lib/actors.mjs";
import { Office } from "./lib/office.mjs";
import { Proxy } from "./lib/proxy.mjs";

/** What must be there in this time, in milliseconds, from the click on the launcher on. */
const SOON = 10_000;

async function conversation(kind, settings, by) {
  const proxy = await Proxy.open(kind);
  let office;
  try {
    office = await Office.open({ settings, proxy });
    const visitor = await office.visitor();
    const begun = performance.now();
    await visitor.open();
    await visitor.say("Does this get through?");
    await visitor.tick("Sent");
    const took = performance.now() - begun;
    assert.ok(took < SOON, `stored after ${took} ms`);

    const desk = new Desk(office.owner);
    await office.owner.goto(`${proxy.url}/tickets`);
    await desk.live();
    // "Delivered" is told of a row that comes, and not of one that the list was loaded with.
    await desk.openFirst();
    await desk.sees("Does this get through?");
    await visitor.tick("Read");
    // Between two polls nobody hears of it; whoever goes on typing says so every 3 s.
    await Promise.all([
      desk.composer.pressSequentially("It does, as you can see.", { delay: 300 }),
      visitor.panel.getByText("Ada Lovelace is typing").waitFor({ state: "attached" }),
    ]);
    await desk.say("It does.");
    await visitor.sees("It does.");
    await desk.tick("It does.", "read");
    await visitor.say("Good.");
    await desk.sees("Good.");
    await visitor.tick("Read");
    assert.ok(proxy.count.upgrade >= 2, "both tried a WebSocket");
    assert.ok(proxy.count[by] >= 2, `${JSON.stringify(proxy.count)} by ${by}`);

    proxy.cut();
    await office.owner.locator("[data-connection][data-state=waiting]").waitFor({ state: "attached" });
    await visitor.say("Written in the dark.");
    await desk.say("Answered in the dark.");
    const before = { ...proxy.count };
    proxy.mend();
    await desk.sees("Written in the dark.");
    await visitor.sees("Answered in the dark.");
    await visitor.tick("Read");
    await desk.tick("Answered in the dark.", "read");
    for (const text of ["Written in the dark.", "Answered in the dark."]) {
      assert.equal(await visitor.bubble(text).count(), 1, text);
      assert.equal(await desk.count(text), 1, text);
    }
    assert.ok(proxy.count[by] >= before[by] + 2, "both came back by what had worked");
    const tried = proxy.count.upgrade;
    await visitor.page.reload();
    await visitor.open();
    await visitor.sees("Answered in the dark.");
    assert.equal(proxy.count.upgrade, tried, "the next page begins with what has worked");
    assert.deepEqual([...proxy.addresses], ["/socket"]);
    return { took, count: proxy.count };
  } finally {
    await office?.close();
    await proxy.close();
  }
}

test("a proxy that refuses the handshake", async (t) => {
  const { took } = await conversation("refuses", {}, "stream");
  t.diagnostic(`stored ${Math.round(took)} ms after the click`);
});

test("a proxy that strips the handshake", async (t) => {
  const { took } = await conversation("strips", {}, "stream");
  t.diagnostic(`stored ${Math.round(took)} ms after the click`);
});

test("a proxy that never answers the handshake", async (t) => {
  const { took } = await conversation("ignores", {}, "stream");
  t.diagnostic(`stored ${Math.round(took)} ms after the click`);
});

test("a proxy that holds every answer back until it is complete", async (t) => {
  // A stream must not come to its end before it is given up.
  const { took } = await conversation("buffers", { PARLOUR_HEARTBEAT_MS: "10000" }, "poll");
  t.diagnostic(`stored ${Math.round(took)} ms after the click`);
});
