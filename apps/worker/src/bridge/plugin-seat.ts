import { randomBytes } from "node:crypto";
import { CloseCode, type BridgeFrame, type Hello, type PluginFrame } from "@synthesis/protocol";
import type { PluginConnection } from "./plugin-connection.ts";

/** What the owner of a seat hears. */
export interface SeatListener {
  /** A connection said hello: the first, or one that replaces the last. */
  onHello(hello: Hello): void;
  /** The connection is gone and none replaced it. */
  onVacant(): void;
  onFrame(frame: PluginFrame): void;
}

/**
 * The place of one agent process on the bridge: a token that only this process was given, and at most one
 * connection that proved it. The token decides which session a connection speaks for, not what it says.
 */
export class PluginSeat {
  readonly token = randomBytes(32).toString("base64url");
  readonly sessionKey: string;
  readonly #listener: SeatListener;
  #connection: PluginConnection | undefined;

  constructor(sessionKey: string, listener: SeatListener) {
    this.sessionKey = sessionKey;
    this.#listener = listener;
  }

  get isOccupied(): boolean {
    return this.#connection !== undefined;
  }

  /** Seats a connection that said a valid hello; one that is there already gives way (P-4). */
  take(connection: PluginConnection, hello: Hello): void {
    const replaced = this.#connection;
    this.#connection = connection;
    replaced?.close(CloseCode.replaced, "replaced by reconnect");
    this.#listener.onHello(hello);
  }

  /** What a connection says after its hello; one that was replaced is no longer heard. */
  hear(connection: PluginConnection, frame: PluginFrame): void {
    if (connection === this.#connection) this.#listener.onFrame(frame);
  }

  /** The connection's socket is gone. */
  leave(connection: PluginConnection): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    this.#listener.onVacant();
  }

  /** Sends to the connection; false where none is there. */
  send(frame: BridgeFrame): boolean {
    this.#connection?.send(frame);
    return this.#connection !== undefined;
  }

  close(): void {
    this.#connection?.close(CloseCode.goingAway, "the agent process ended");
    this.#connection = undefined;
  }
}
