import type { Attach, GatewayFrame } from "@synthesis/protocol";
import { GatewayServer } from "../../src/gateway/gateway-server.ts";
import { Peer } from "./peer.ts";
import { TestWorkspace, type TestWorkspaceOptions } from "./test-workspace.ts";

/** A gateway's end of a link. */
export class GatewayPeer extends Peer {
  /** Sends frames, several as one message. */
  say(...frames: GatewayFrame[]): void {
    this.send(frames);
  }

  /** The numbers of what it was told of a turn, the end's included. */
  numbersOf(turn: string): unknown[] {
    return this.frames.filter((frame) => frame["turn"] === turn && "seq" in frame).map(({ seq }) => seq);
  }

  /** The text of a turn as far as it was told. */
  textOf(turn: string): string {
    const deltas = this.frames.filter((frame) => frame.type === "delta" && frame["turn"] === turn);
    return deltas.map((frame) => frame["text"]).join("");
  }
}

/** Connects to a worker's socket and attaches as a gateway, of generation 1 if nothing else is said. */
export async function attachTo(socketPath: string, attach: Partial<Attach> = {}): Promise<GatewayPeer> {
  const peer = new GatewayPeer(`ws+unix://${socketPath}:/`);
  await peer.opened;
  peer.say({ type: "attach", protocol: 1, gateway: 1, fence: 0, ...attach });
  await peer.next("attached");
  return peer;
}

/** A workspace that gateways can reach. */
export class ServedWorkspace implements AsyncDisposable {
  readonly space: TestWorkspace;
  readonly server: GatewayServer;

  private constructor(space: TestWorkspace) {
    this.space = space;
    this.server = new GatewayServer(space.configuration, space.workspace, space.log);
  }

  static async start(options: TestWorkspaceOptions = {}): Promise<ServedWorkspace> {
    const served = new ServedWorkspace(await TestWorkspace.start(options));
    await served.server.start();
    return served;
  }

  attach(attach: Partial<Attach> = {}): Promise<GatewayPeer> {
    return attachTo(this.space.configuration.socketPath, attach);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.space.close();
    await this.server.close();
    await this.space[Symbol.asyncDispose]();
  }
}
