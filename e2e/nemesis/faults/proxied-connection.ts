import { connect, type Socket } from "node:net";
import { sleep } from "@synthesis/kit";
import type { Toxic } from "./fault.ts";

/** Bytes that a slicing connection lets through per tick; the rest of a tick's bytes waits. */
const SLICES_PER_TICK = 64;
const TICK_MS = 2;

/** One client's connection to the gateway, by way of a proxy. Requests pass; the toxic is for answers. */
export class ProxiedConnection {
  readonly #client: Socket;
  readonly #gateway: Socket;
  #toxic: Toxic | undefined;
  /** What is under way to the client: chunks pass in order, whatever delays them. */
  #passage: Promise<void> = Promise.resolve();
  #passed = 0;

  constructor(client: Socket, port: number) {
    this.#client = client;
    this.#gateway = connect(port, "127.0.0.1");
    client.setNoDelay(true);
    for (const socket of [client, this.#gateway]) socket.on("error", () => {});
    client.on("data", (bytes) => this.#gateway.write(bytes));
    this.#gateway.on("data", (bytes) => {
      this.#gateway.pause();
      this.#passage = this.#passage.then(() => this.#pass(bytes)).then(() => void this.#gateway.resume());
    });
    client.on("close", () => this.#gateway.destroy());
    // How it ended there is how it ends here: a reset must not look like an orderly end.
    this.#gateway.on("close", (hadError) => {
      void this.#passage.then(() => (hadError ? this.reset() : client.end()));
    });
  }

  /** What the network does to this connection from now on. */
  poison(toxic: Toxic | undefined): void {
    // What was swallowed is lost for good: such a connection cannot be healed, only ended.
    if (this.#toxic?.type === "blackhole") return this.reset();
    this.#toxic = toxic;
    if (toxic?.type === "reset") this.reset();
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#gateway.destroy();
  }

  async #pass(bytes: Buffer): Promise<void> {
    const toxic = this.#toxic;
    switch (toxic?.type) {
      case "blackhole":
        return;
      case "latency":
        await sleep(toxic.delayMs);
        this.#client.write(bytes);
        return;
      case "slicer":
        for (let at = 0; at < bytes.length && !this.#client.destroyed; at++) {
          this.#client.write(bytes.subarray(at, at + 1));
          if (at % SLICES_PER_TICK === 0) await sleep(TICK_MS);
        }
        return;
      case "limit_data": {
        const left = toxic.bytes - this.#passed;
        this.#passed += bytes.length;
        this.#client.write(bytes.subarray(0, Math.max(0, left)));
        if (bytes.length > left) this.#client.destroy();
        return;
      }
      case "reset":
      case undefined:
        this.#client.write(bytes);
    }
  }
}
