import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A relay between a bridge and its plugin, to lose on purpose what the plugin has written already. */
export class LossyLink {
  readonly #bridge: URL;
  readonly #server = createServer((plugin) => this.#relay(plugin));
  #loses = false;
  #lost = Promise.withResolvers<void>();
  #greeted = Promise.withResolvers<void>();
  #sockets: readonly Socket[] = [];

  private constructor(bridge: URL) {
    this.#bridge = bridge;
  }

  static async open(bridgeUrl: string): Promise<LossyLink> {
    const link = new LossyLink(new URL(bridgeUrl));
    link.#server.listen(0, "127.0.0.1");
    await once(link.#server, "listening");
    return link;
  }

  /** The bridge's URL by way of this link. */
  get url(): string {
    const url = new URL(this.#bridge);
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  /** Loses what `write` writes, cuts the connection and resolves when the bridge has greeted the next. */
  async lose(write: () => void): Promise<void> {
    this.#lost = Promise.withResolvers();
    this.#greeted = Promise.withResolvers();
    this.#loses = true;
    write();
    await this.#lost.promise;
    for (const socket of this.#sockets) socket.destroy();
    await this.#greeted.promise;
  }

  #relay(plugin: Socket): void {
    const bridge = connect(Number(this.#bridge.port), "127.0.0.1");
    this.#loses = false;
    this.#sockets = [plugin, bridge];
    for (const socket of this.#sockets) socket.on("error", () => socket.destroy());
    plugin.once("data", (head) => {
      // The bridge lets in only who names it as the Host.
      bridge.write(head.toString("latin1").replace(/^Host: .*$/im, `Host: ${this.#bridge.host}`), "latin1");
      plugin.on("data", (data) => {
        if (this.#loses) this.#lost.resolve();
        else bridge.write(data);
      });
    });
    bridge.on("data", (data) => {
      plugin.write(data);
      if (data.includes("hello_ack")) this.#greeted.resolve();
    });
    plugin.on("close", () => bridge.destroy());
    bridge.on("close", () => plugin.destroy());
  }
}
