import { once } from "node:events";
import { createServer } from "node:http";
import { withDeadline } from "@synthesis/kit";
import {
  decodeFrames,
  encodeFrames,
  GatewayFrame,
  PROTOCOL_VERSION,
  type EnsureAnswer,
  type Locate,
  type Submit,
  type TurnEnd,
  type WorkerFrame,
} from "@synthesis/protocol";
import { WebSocketServer } from "ws";

type FrameOf<Type extends GatewayFrame["type"]> = Extract<GatewayFrame, { type: Type }>;

const PATIENCE_MS = 4_000;
const completed: TurnEnd = { state: "completed", finishReason: "stop" };

export interface FakeWorkerOptions {
  /** Who it says it is, where that is not who it is. */
  readonly attachAs?: EnsureAnswer;
  /** Its bound for one message, as the real one has it. */
  readonly maxPayload?: number;
}

/** A worker as the gateway sees it: a real WebSocket listener on a Unix socket that a test answers by hand. */
export class FakeWorker {
  /** What it answers to `locate`; "held" leaves that to the test. */
  locate: (frame: Locate) => string | undefined = () => undefined;
  readonly #http = createServer();
  readonly #sockets: WebSocketServer;
  readonly #unread: GatewayFrame[] = [];
  readonly #wanted: { type: string; give: (frame: GatewayFrame) => void }[] = [];

  private constructor(maxPayload: number) {
    this.#sockets = new WebSocketServer({ server: this.#http, maxPayload, perMessageDeflate: false });
  }

  static async listen(
    answer: EnsureAnswer,
    { attachAs = answer, maxPayload = 0 }: FakeWorkerOptions = {},
  ): Promise<FakeWorker> {
    const worker = new FakeWorker(maxPayload);
    worker.#sockets.on("connection", (socket) =>
      socket.on("message", (data: Buffer) => {
        const decoded = decodeFrames(GatewayFrame, data.toString("utf8"));
        if (!decoded.ok) throw new Error(decoded.message);
        for (const frame of decoded.frames) worker.#receive(frame, attachAs);
      }),
    );
    worker.#http.listen(answer.socketPath);
    await once(worker.#http, "listening");
    return worker;
  }

  /** The next frame of this type that no earlier call got. */
  async next<Type extends GatewayFrame["type"]>(type: Type): Promise<FrameOf<Type>> {
    const index = this.#unread.findIndex((frame) => frame.type === type);
    if (index !== -1) return this.#unread.splice(index, 1)[0] as FrameOf<Type>;
    const { promise, resolve } = Promise.withResolvers<GatewayFrame>();
    this.#wanted.push({ type, give: resolve });
    return (await withDeadline(promise, PATIENCE_MS, `no ${type} frame came`)) as FrameOf<Type>;
  }

  /** How many frames of this type came that no call of `next` got. */
  unread(type: GatewayFrame["type"]): number {
    return this.#unread.filter((frame) => frame.type === type).length;
  }

  /** Sends the frames in one message. */
  send(...frames: WorkerFrame[]): void {
    for (const socket of this.#sockets.clients) socket.send(encodeFrames(frames));
  }

  /** Sends something that is perhaps no frame. */
  sendText(text: string): void {
    for (const socket of this.#sockets.clients) socket.send(text);
  }

  /** Accepts a turn and answers it in one go. */
  answer({ turn }: Submit, text: string, end: TurnEnd = completed): void {
    this.send({ type: "accepted", turn }, { type: "delta", turn, text }, { type: "ended", turn, end });
  }

  get connections(): number {
    return this.#sockets.clients.size;
  }

  /** Dies without a word, as far as its connections are concerned. */
  drop(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  async close(): Promise<void> {
    this.drop();
    this.#http.close();
    await once(this.#http, "close");
  }

  #receive(frame: GatewayFrame, { workspace, epoch }: EnsureAnswer): void {
    if (frame.type === "attach") {
      this.send({ type: "attached", protocol: PROTOCOL_VERSION, workspace, epoch });
      return;
    }
    const found = frame.type === "locate" ? this.locate(frame) : "held";
    if (frame.type === "locate" && found !== "held") {
      this.send({
        type: "located",
        request: frame.request,
        ...(found === undefined ? {} : { session: found }),
      });
      return;
    }
    const index = this.#wanted.findIndex(({ type }) => type === frame.type);
    if (index === -1) this.#unread.push(frame);
    else this.#wanted.splice(index, 1)[0]?.give(frame);
  }
}
