import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import type { Toxic } from "./fault.ts";
import { ProxiedConnection } from "./proxied-connection.ts";

/** A TCP proxy in front of the gateway, in this process, that can be told to behave like a bad network. */
export class ToxicProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #open = new Set<ProxiedConnection>();
  #toxic: Toxic | undefined;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens on a free loopback port and leads to `port`. */
  static async start(port: number): Promise<ToxicProxy> {
    const server = createServer();
    const proxy = new ToxicProxy(server);
    server.on("connection", (client) => {
      const connection = new ProxiedConnection(client, port);
      proxy.#open.add(connection);
      client.once("close", () => proxy.#open.delete(connection));
      connection.poison(proxy.#toxic);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on, for what is open and what will be; undefined: a good network again. */
  apply(toxic: Toxic | undefined): void {
    this.#toxic = toxic?.type === "reset" ? undefined : toxic;
    for (const connection of this.#open) connection.poison(toxic);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const connection of this.#open) connection.reset();
    await closed;
  }
}
