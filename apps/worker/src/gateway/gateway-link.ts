import { LoopBatch, type Logger } from "@synthesis/kit";
import {
  CloseCode,
  decodeFrames,
  encodeFrames,
  GatewayFrame,
  PROTOCOL_VERSION,
  type Submit,
  type WorkerFrame,
} from "@synthesis/protocol";
import type { WebSocket } from "ws";
import type { TurnSink } from "../turn/turn-sink.ts";
import type { Workspace } from "../workspace.ts";

export interface GatewayLinkOptions {
  readonly socket: WebSocket;
  readonly workspace: Workspace;
  readonly name: string;
  readonly epoch: number;
  readonly log: Logger;
}

/** One gateway's connection. Its end cancels nothing: turns outlive the gateway that submitted them. */
export class GatewayLink {
  readonly #options: GatewayLinkOptions;
  readonly #batch: LoopBatch<WorkerFrame>;

  constructor(options: GatewayLinkOptions) {
    this.#options = options;
    const { socket, log } = options;
    this.#batch = new LoopBatch((frames) => socket.send(encodeFrames(frames)));
    socket.on("message", (data: Buffer) => this.#receive(data.toString("utf8")));
    socket.on("error", (error) => log.warn("gateway_link.error", { error: error.message }));
  }

  #receive(text: string): void {
    const decoded = decodeFrames(GatewayFrame, text);
    if (!decoded.ok) {
      this.#options.log.error("gateway_link.malformed", { why: decoded.message });
      this.#options.socket.terminate();
      return;
    }
    for (const frame of decoded.frames) this.#handle(frame);
  }

  #handle(frame: GatewayFrame): void {
    const { workspace, name, epoch } = this.#options;
    switch (frame.type) {
      case "attach":
        if (frame.protocol !== PROTOCOL_VERSION)
          return this.#options.socket.close(CloseCode.unsupportedProtocol);
        return this.#send({ type: "attached", protocol: PROTOCOL_VERSION, workspace: name, epoch });
      case "locate": {
        const session = workspace.locate(frame.by);
        return this.#send({
          type: "located",
          request: frame.request,
          ...(session === undefined ? {} : { session }),
        });
      }
      case "submit":
        return workspace.submit(frame, this.#sink(frame));
      case "cancel_turn":
        return workspace.cancel(frame.turn, frame.reason);
    }
  }

  #sink({ turn }: Submit): TurnSink {
    return {
      accepted: () => this.#send({ type: "accepted", turn }),
      refused: (error) => this.#send({ type: "refused", turn, error }),
      text: (text) => this.#send({ type: "delta", turn, text }),
      reasoning: (text) => this.#send({ type: "reasoning", turn, text }),
      ended: (end) => this.#send({ type: "ended", turn, end }),
    };
  }

  #send(frame: WorkerFrame): void {
    if (this.#options.socket.readyState === this.#options.socket.OPEN) this.#batch.add(frame);
  }
}
