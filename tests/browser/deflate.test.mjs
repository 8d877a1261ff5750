// permessage-deflate with those who speak it: Chromium, the `ws` package, and Python's `websockets`.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import WebSocket from "ws";
import { Visitor } from "./lib/actors.mjs";
import { person } from "./lib/browser.mjs";
import { Office } from "./lib/office.mjs";

const run = promisify(execFile);

let office;

before(async () => {
  office = await Office.open();
});

after(() => office?.close());

const socket = () => `${office.url.replace("http", "ws")}/socket`;

/** A visitor's token, as the widget gets it. */
async function token() {
  const key = /\/w\/(\w+)\.js/.exec(office.snippet)[1];
  const answer = await fetch(`${office.url}/api/v1/sessions`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: office.shop.origin },
    body: JSON.stringify({ site: key, page: office.shop.url, title: "Shop", referrer: "", locale: "en", zone: "Europe/Berlin" }),
  });
  assert.equal(answer.status, 200);
  return (await answer.json()).token;
}

test("Chromium agrees on it and reads what is compressed", async () => {
  const visitor = new Visitor(await person(office.theirs));
  const session = await visitor.page.context().newCDPSession(visitor.page);
  await session.send("Network.enable");
  const upgraded = new Promise((resolve) => session.once("Network.webSocketHandshakeResponseReceived", resolve));
  await visitor.page.goto(office.shop.url);
  await visitor.open();
  const { headers } = (await upgraded).response;
  const header = (name) => Object.entries(headers).find(([given]) => given.toLowerCase() === name)?.[1];
  assert.equal(header("sec-websocket-extensions"), "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  assert.equal(header("sec-websocket-protocol"), "parlour.v1");
  const long = "All work and no play makes Jack a dull boy. ".repeat(60).trim();
  await visitor.say(long);
  await visitor.tick("Sent");
  // Read back over a new connection, as a page of history.
  await visitor.page.reload();
  await visitor.open();
  await visitor.sees(long);
  assert.deepEqual(visitor.page.faults, []);
});

test("the ws package agrees on it and reads what is compressed", async () => {
  const client = new WebSocket(socket(), ["parlour.v1", await token()], { origin: office.shop.origin, perMessageDeflate: { threshold: 0 } });
  const waits = [];
  client.on("message", (data) => {
    const frame = JSON.parse(data);
    waits.filter(({ tag }) => tag === frame.t).forEach(({ resolve }) => resolve([frame, data.length]));
  });
  const until = (tag) =>
    new Promise((resolve, reject) => {
      waits.push({ tag, resolve });
      client.once("close", (code) => reject(new Error(`closed with ${code} before ${tag}`)));
    });
  await new Promise((resolve, reject) => client.once("open", resolve).once("error", reject));
  assert.equal(client.extensions, "permessage-deflate");
  assert.equal(client.protocol, "parlour.v1");
  const send = (frame) => client.send(JSON.stringify(frame));
  let answer = until("welcome");
  send({ t: "hello", v: 1 });
  await answer;
  const room = randomUUID();
  const messages = Array.from({ length: 12 }, (_, n) => ({ cid: randomUUID(), text: `${n} ${"one two three ".repeat(100).trim()}` }));
  answer = until("ack");
  send({ t: "send", room, seen: 0, messages, open: { page: office.shop.url, title: "Shop" } });
  await answer;
  answer = until("page");
  send({ t: "join", room, after: 0 });
  const [page, length] = await answer;
  assert.deepEqual(page.events.map((event) => event.body.runs[0].text), messages.map(({ text }) => text));
  assert.ok(client._socket.bytesRead < length / 2, `${client._socket.bytesRead} bytes for ${length}`);
  const closed = new Promise((resolve) => client.once("close", resolve));
  client.close(1000);
  assert.equal(await closed, 1000);
});

test("Python's websockets agrees on it and reads what is compressed", async () => {
  const script = fileURLToPath(new URL("lib/deflate.py", import.meta.url));
  const room = randomUUID();
  // Debian's own has its packages; another one may stand before it.
  const python = await run("/usr/bin/python3", ["--version"]).then(() => "/usr/bin/python3", () => "python3");
  const { stdout } = await run(python, [script, socket(), office.shop.origin, await token(), room], { timeout: 30_000 });
  const told = JSON.parse(stdout);
  assert.equal(told.length, 2);
  for (const [at, bits] of [15, 12].entries()) {
    assert.equal(told[at].same, true);
    assert.equal(told[at].subprotocol, "parlour.v1");
    const agreed = `PerMessageDeflate(remote_no_context_takeover=True, local_no_context_takeover=True, remote_max_window_bits=${bits}, local_max_window_bits=`;
    assert.ok(told[at].extensions.join().startsWith(agreed), told[at].extensions.join());
  }
});
