// Proxies as they stand in offices and hotels: between a browser and the server, and no friends of WebSockets.

import { createServer, request as ask } from "node:http";

/**
 * What becomes of a WebSocket's handshake, and of answers:
 * - `refuses`: a handshake is answered with 403
 * - `strips`: its `Upgrade` is dropped on the way, so that the server takes it for a plain request
 * - `ignores`: it is never answered
 * - `buffers`: it is refused, and each answer is kept back until it is complete
 */
export class Proxy {
  static async open(kind) {
    const proxy = new Proxy();
    /** How often a handshake was tried, a stream and a poll asked for. */
    proxy.count = { upgrade: 0, stream: 0, poll: 0 };
    /** The addresses that frames were sent to: there is nothing in them that is not to be read. */
    proxy.addresses = new Set();
    proxy.sockets = new Set();
    const server = createServer((request, answer) => proxy.pass(kind, request, answer));
    if (kind !== "strips") {
      server.on("upgrade", (_, socket) => {
        proxy.count.upgrade++;
        if (kind === "ignores") return proxy.sockets.add(socket);
        socket.end("HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      });
    }
    server.on("connection", (socket) => {
      if (proxy.down) return socket.destroy();
      proxy.sockets.add(socket);
      socket.on("error", () => {}).once("close", () => proxy.sockets.delete(socket));
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    proxy.server = server;
    proxy.url = `http://127.0.0.1:${server.address().port}`;
    return proxy;
  }

  pass(kind, request, answer) {
    const { upgrade, connection, ...headers } = request.headers;
    if (upgrade) this.count.upgrade++;
    const streams = /event-stream/.test(headers.accept);
    if (streams) this.count[headers.prefer ? "poll" : "stream"]++;
    if (request.url.includes("socket")) this.addresses.add(request.url);
    const { hostname, port } = new URL(this.to);
    const onward = ask({ hostname, port, path: request.url, method: request.method, headers }, (got) => {
      answer.writeHead(got.statusCode, got.rawHeaders);
      got.on("error", () => answer.destroy());
      if (kind !== "buffers") {
        answer.flushHeaders();
        return got.pipe(answer);
      }
      const parts = [];
      got.on("data", (part) => parts.push(part));
      got.on("end", () => answer.end(Buffer.concat(parts)));
    });
    onward.on("error", () => answer.destroy());
    // Whoever asked is gone: nobody wants the answer any more.
    answer.once("close", () => onward.destroy());
    request.pipe(onward);
  }

  /** The network is gone, with all that was under way, until `mend`. */
  cut() {
    this.down = true;
    for (const socket of this.sockets) socket.destroy();
  }

  mend() {
    this.down = false;
  }

  close() {
    this.cut();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
