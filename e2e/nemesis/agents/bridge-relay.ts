import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A relay on the way from a plugin to its bridge, so that the connection can be cut as a network cuts one. */
export class BridgeRelay {
  readonly #bridge: URL;
  readonly #server = createServer((plugin) => this.#relay(plugin));
  readonly #open = new Set<Socket>();

  private constructor(bridge: URL) {
    this.#bridge = bridge;
  }

  static async open(bridgeUrl: string): Promise<BridgeRelay> {
    const relay = new BridgeRelay(new URL(bridgeUrl));
    relay.#server.listen(0, "127.0.0.1");
    await once(relay.#server, "listening");
    return relay;
  }

  /** The bridge's URL by way of this relay. */
  get url(): string {
    const url = new URL(this.#bridge);
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  /** Ends every connection at once; what was under way is lost. */
  cut(): void {
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  #relay(plugin: Socket): void {
    const bridge = connect(Number(this.#bridge.port), "127.0.0.1");
    plugin.once("data", (head) => {
      // The bridge lets in only who names it as the Host.
      bridge.write(head.toString("latin1").replace(/^Host: .*$/im, `Host: ${this.#bridge.host}`), "latin1");
      plugin.pipe(bridge);
    });
    bridge.pipe(plugin);
    for (const [socket, other] of [
      [plugin, bridge],
      [bridge, plugin],
    ] as const) {
      this.#open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#open.delete(socket);
        other.destroy();
      });
    }
  }
}
