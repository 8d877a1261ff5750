// Starts the real server, and sets it up by the same pages and routes as an owner would.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const binary = process.env.PARLOUR_BIN ?? fileURLToPath(new URL("../../../target/debug/parlour", import.meta.url));

/** A server with its own data. `url` and `setUp` are what it printed, `address` is where it listens. */
export class Parlour {
  static async start(settings = {}) {
    const parlour = new Parlour();
    parlour.data = await mkdtemp(join(tmpdir(), "parlour-browser-"));
    parlour.settings = { PARLOUR_ADDR: "127.0.0.1:0", PARLOUR_HEARTBEAT_MS: "2000", ...settings };
    await parlour.run();
    return parlour;
  }

  async run() {
    const env = { PATH: process.env.PATH, ...this.settings, PARLOUR_DATA: this.data };
    this.process = spawn(binary, ["serve"], { env, stdio: ["ignore", "pipe", "pipe"] });
    this.log = "";
    this.ended = new Promise((resolve) => this.process.once("exit", (code, signal) => resolve({ code, signal })));
    const lines = { listens: /listens on (http:\S+)/, setUp: /Set up: (http:\S+)/, serving: /serving address=(\S+)/ };
    await new Promise((resolve, reject) => {
      const deadline = setTimeout(() => reject(new Error(`the server did not start:\n${this.log}`)), 20_000);
      const read = (chunk) => {
        this.log += chunk;
        const listens = lines.listens.exec(this.log);
        this.address = lines.serving.exec(this.log)?.[1];
        if (!listens || !this.address) return;
        this.url = listens[1].replace(/\/$/, "");
        this.setUp = lines.setUp.exec(this.log)?.[1];
        // Both lines come in one breath; without an owner the second one is waited for.
        if (this.setUp || this.owned) {
          clearTimeout(deadline);
          resolve();
        }
      };
      this.process.stdout.on("data", read);
      this.process.stderr.on("data", read);
      this.process.once("error", (error) => reject(new Error(`cannot run ${binary} (cargo build -p parlour-server builds it): ${error.message}`)));
      this.process.once("exit", () => reject(new Error(`the server ended:\n${this.log}`)));
    });
    // The same address after a restart, as a person would have it.
    this.settings.PARLOUR_ADDR = this.address;
  }

  async end(signal) {
    this.process.kill(signal);
    return this.ended;
  }

  /** Ends it at once, as a crash does. */
  kill() {
    return this.end("SIGKILL");
  }

  async restart() {
    this.owned = true;
    await this.run();
  }

  async stop() {
    const { code } = await this.end("SIGTERM");
    await rm(this.data, { recursive: true, force: true });
    if (code !== 0) throw new Error(`the server ended with ${code}:\n${this.log}`);
    if (/panicked/.test(this.log)) throw new Error(`the server panicked:\n${this.log}`);
  }
}
