import type { Limits } from "@synthesis/config";
import type { Hello, PluginFrame } from "@synthesis/protocol";
import { Bridge } from "../../src/bridge/bridge.ts";
import type { PluginSeat } from "../../src/bridge/plugin-seat.ts";
import { LogRecorder } from "./log-recorder.ts";
import { Peer } from "./peer.ts";
import { testLimits } from "./test-limits.ts";

/** A seat with everything that its owner hears, in order. */
export interface TestSeat {
  readonly seat: PluginSeat;
  readonly url: string;
  readonly heard: (Hello | PluginFrame | "vacant")[];
  /** A `hello` for this seat. */
  hello(more?: object): object;
}

/** A real bridge with seats that only listen. */
export class TestBridge implements AsyncDisposable {
  readonly bridge: Bridge;
  readonly log = new LogRecorder();
  #closed: Promise<void> | undefined;

  private constructor(limits: Limits) {
    this.bridge = new Bridge(limits, this.log);
  }

  static async start(limits: Partial<Limits> = {}): Promise<TestBridge> {
    const test = new TestBridge(testLimits(limits));
    await test.bridge.start();
    return test;
  }

  get connections(): number {
    return this.bridge.connections;
  }

  seat(sessionKey = "agent::chat"): TestSeat {
    const heard: TestSeat["heard"] = [];
    const { seat, url } = this.bridge.seat(sessionKey, {
      onHello: (hello) => heard.push(hello),
      onVacant: () => heard.push("vacant"),
      promptedTurn: () => undefined,
      framesTaken: () => 0,
      onFrame: (frame) => heard.push(frame),
    });
    const hello = (more: object = {}) => ({ type: "hello", pid: 1, openclaw_session: sessionKey, ...more });
    return { seat, url, heard, hello };
  }

  /** A connection that said hello and was answered. */
  async greet(seat: TestSeat, more: object = {}): Promise<Peer> {
    const peer = new Peer(seat.url);
    await peer.opened;
    peer.send(seat.hello(more));
    await peer.next("hello_ack");
    return peer;
  }

  close(): Promise<void> {
    return (this.#closed ??= this.bridge.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
