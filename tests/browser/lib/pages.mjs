// Pages of a site: plain HTML on an origin of its own, as a site owner would have them.

import { createServer } from "node:http";

/** Serves `html` (a string, or a function of the path) on a port of its own. */
export async function site(html, headers = {}) {
  const server = createServer((request, answer) => {
    const body = typeof html === "function" ? html(request.url) : html;
    answer.writeHead(200, { "content-type": "text/html; charset=utf-8", ...headers });
    answer.end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return { origin, url: `${origin}/`, close: () => new Promise((resolve) => server.close(resolve)) };
}

/** A page of a shop that carries the snippet. */
export const shop = (snippet, more = "") => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Larch &amp; Co. – Delivery</title>
<style>body{font:17px/1.6 Georgia,serif;margin:0 auto;max-width:38rem;padding:3rem 1.25rem;color:#222;background:#fff}</style>
</head><body><main><h1>Delivery</h1>
<p>Orders before noon leave on the same day. Furniture takes two to four working days and is carried to the room of your choice.</p>
<p><a href="#returns">Returns</a> are free for thirty days.</p>${more}</main>
${snippet}
</body></html>`;
