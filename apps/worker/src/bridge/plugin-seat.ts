import { randomBytes } from "node:crypto";
import { CloseCode, type BridgeFrame, type Hello, type PluginFrame } from "@synthesis/protocol";
import type { PluginConnection } from "./plugin-connection.ts";
import { WaitingRoom } from "./waiting-room.ts";

/** What the owner of a seat hears. */
export interface SeatListener {
  /** A connection said hello: the first, or one that replaces the last. */
  onHello(hello: Hello): void;
  /** The connection is gone and none replaced it; `why` is for people. */
  onVacant(why: string): void;
  onFrame(frame: PluginFrame): void;
  /** The turn whose prompt it was sent and that has not ended. */
  promptedTurn(): string | undefined;
  /** How many frames of this turn it has taken (P-7). */
  framesTaken(turnId: string): number;
}

/** So many connections of one token may be without their hello. */
const MAX_GREETING = 4;

/**
 * The place of one agent process on the bridge: a token that only this process was given, and at most one
 * connection that proved it. The token decides which session a connection speaks for, not what it says.
 */
export class PluginSeat {
  readonly token = randomBytes(32).toString("base64url");
  readonly sessionKey: string;
  readonly #listener: SeatListener;
  readonly #greeting = new WaitingRoom<PluginConnection>(MAX_GREETING, (connection) =>
    connection.close(CloseCode.expectedHello, "too many connections without hello"),
  );
  #connection: PluginConnection | undefined;
  #epoch = 0;

  constructor(sessionKey: string, listener: SeatListener) {
    this.sessionKey = sessionKey;
    this.#listener = listener;
  }

  get isOccupied(): boolean {
    return this.#connection !== undefined;
  }

  /** The how-manieth connection is seated now, or was last; 0: none yet. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The turn whose prompt it was sent and that has not ended. */
  get promptedTurn(): string | undefined {
    return this.#listener.promptedTurn();
  }

  /** How many frames of this turn have been heard. */
  framesTaken(turnId: string): number {
    return this.#listener.framesTaken(turnId);
  }

  /** A connection with the token has come, and is to say hello. */
  expect(connection: PluginConnection): void {
    this.#greeting.enter(connection);
  }

  /**
   * Seats a connection that said a valid hello, and calls `greet` before anything else is sent to it; one that is
   * there already gives way (P-4).
   */
  take(connection: PluginConnection, hello: Hello, greet: () => void): void {
    this.#greeting.leave(connection);
    const replaced = this.#connection;
    this.#connection = connection;
    this.#epoch += 1;
    replaced?.close(CloseCode.replaced, "replaced by reconnect");
    greet();
    this.#listener.onHello(hello);
  }

  /** What a connection says after its hello; one that was replaced is no longer heard. */
  hear(connection: PluginConnection, frame: PluginFrame): void {
    if (connection === this.#connection) this.#listener.onFrame(frame);
  }

  /** The connection's socket is gone. */
  leave(connection: PluginConnection, why: string): void {
    this.#greeting.leave(connection);
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    this.#listener.onVacant(why);
  }

  /** Sends to the connection; false where none is there. */
  send(frame: BridgeFrame): boolean {
    this.#connection?.send(frame);
    return this.#connection !== undefined;
  }

  /** What its connection said cannot be, for a reason that only the owner knows (P-9). */
  refuse(why: string): void {
    this.#connection?.close(CloseCode.malformedFrame, why);
  }

  close(): void {
    for (const connection of this.#greeting.empty())
      connection.close(CloseCode.goingAway, "the agent process ended");
    this.#connection?.close(CloseCode.goingAway, "the agent process ended");
    this.#connection = undefined;
  }
}
