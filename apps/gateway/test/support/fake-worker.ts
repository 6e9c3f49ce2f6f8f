import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { withDeadline } from "@synthesis/kit";
import {
  decodeFrames,
  encodeFrames,
  GatewayFrame,
  PROTOCOL_VERSION,
  type Attach,
  type Ended,
  type EnsureAnswer,
  type FindTurn,
  type Locate,
  type Located,
  type Submit,
  type ToolCallDelta,
  type TurnEnd,
  type TurnInfo,
  type WorkerFrame,
} from "@synthesis/protocol";
import { WebSocketServer, type WebSocket } from "ws";
import { SaidTurns } from "./said-turns.ts";

type FrameOf<Type extends GatewayFrame["type"]> = Extract<GatewayFrame, { type: Type }>;

const PATIENCE_MS = 4_000;

export const completed: TurnEnd = { state: "completed", finishReason: "stop" };

/** The frames of a turn's texts, numbered from the first one's number on. */
export function deltas(turn: string, first: number, ...texts: readonly string[]): WorkerFrame[] {
  return texts.map((text, index) => ({ type: "delta", turn, seq: first + index, text }));
}

/** The frames of a turn's calls of its client's functions. */
export function toolCalls(turn: string, first: number, ...calls: readonly ToolCallDelta[]): WorkerFrame[] {
  return calls.map((call, index) => ({ type: "tool_called", turn, seq: first + index, call }));
}

export function ended(turn: string, seq: number, end: TurnEnd = completed): Ended {
  return { type: "ended", turn, seq, end };
}

export interface FakeWorkerOptions {
  /** Who it says it is, where that is not who it is. */
  readonly attachAs?: EnsureAnswer;
  /** Its bound for one message, as the real one has it. */
  readonly maxPayload?: number;
}

/** A worker as the gateway sees it: a real WebSocket listener on a Unix socket that a test answers by hand. */
export class FakeWorker {
  /** What it answers to `locate`: the id of a session of `echo`, or more; "held" leaves that to the test. */
  locate: (frame: Locate) => string | Omit<Located, "type" | "request"> | undefined = () => undefined;
  /** What it answers to `find_turn`: nothing, unless a test says otherwise. */
  find: (frame: FindTurn) => TurnInfo | undefined = () => undefined;
  /** What it says, besides what the test does, to `follow` and to a `submit` that comes again: all that it said before. */
  replay: (turn: string, after: number) => readonly WorkerFrame[] = (turn, after) =>
    this.said.replay(turn, after);
  readonly said = new SaidTurns();
  /** Every gateway that attached. */
  readonly attached: Attach[] = [];
  /** What it does with plain HTTP. */
  onRequest: RequestListener = (_request, response) => response.writeHead(404).end();
  readonly #http = createServer((request, response) => this.onRequest(request, response));
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
        for (const frame of decoded.frames) worker.#receive(frame, attachAs, socket);
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
    for (const frame of frames) this.said.said(frame);
    for (const socket of this.#sockets.clients) socket.send(encodeFrames(frames));
  }

  /** Sends something that is perhaps no frame. */
  sendText(text: string): void {
    for (const socket of this.#sockets.clients) socket.send(text);
  }

  /** Accepts a turn and answers it in one go. */
  answer({ turn }: Pick<Submit, "turn">, text: string, end: TurnEnd = completed): void {
    this.send({ type: "accepted", turn }, ...deltas(turn, 1, text), ended(turn, 2, end));
  }

  /** Accepts a turn, and says the beginning of its answer. */
  begin({ turn }: Pick<Submit, "turn">, ...texts: readonly string[]): void {
    this.send({ type: "accepted", turn }, ...deltas(turn, 1, ...texts));
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

  #receive(frame: GatewayFrame, { workspace, epoch }: EnsureAnswer, socket: WebSocket): void {
    const answer = this.#answerTo(frame, workspace, epoch);
    if (answer !== undefined) return socket.send(encodeFrames([answer]));
    const index = this.#wanted.findIndex(({ type }) => type === frame.type);
    if (index === -1) this.#unread.push(frame);
    else this.#wanted.splice(index, 1)[0]?.give(frame);
    if (frame.type === "submit") this.said.submitted(frame);
    const isFollowed = frame.type === "submit" || frame.type === "follow";
    const replayed = isFollowed ? this.replay(frame.turn, frame.type === "follow" ? frame.after : 0) : [];
    if (replayed.length > 0) socket.send(encodeFrames([...replayed]));
  }

  /** What it says to a frame by itself; undefined leaves the answer to the test. */
  #answerTo(frame: GatewayFrame, workspace: string, epoch: number): WorkerFrame | undefined {
    if (frame.type === "attach") {
      this.attached.push(frame);
      return { type: "attached", protocol: PROTOCOL_VERSION, workspace, epoch };
    }
    if (frame.type === "locate") {
      const found = this.locate(frame);
      if (found === "held") return undefined;
      const located = typeof found === "string" ? { session: found } : found;
      const owner = located?.session === undefined ? {} : { agent: "echo", key: located.session };
      return { type: "located", request: frame.request, ...owner, ...located };
    }
    if (frame.type !== "find_turn") return undefined;
    const turn = this.find(frame);
    return { type: "found_turn", request: frame.request, ...(turn && { turn }) };
  }
}
