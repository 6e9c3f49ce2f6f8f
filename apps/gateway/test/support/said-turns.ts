import type { FindTurn, Submit, TurnInfo, WorkerFrame } from "@synthesis/protocol";

interface SaidTurn {
  readonly order: Submit;
  /** What its followers were told: `accepted`, its events, its end. */
  readonly frames: WorkerFrame[];
}

/** What a fake worker was handed and has said of it: its journal. */
export class SaidTurns {
  readonly #turns = new Map<string, SaidTurn>();

  submitted(order: Submit): void {
    if (!this.#turns.has(order.turn)) this.#turns.set(order.turn, { order, frames: [] });
  }

  said(frame: WorkerFrame): void {
    const isOfTurn = frame.type === "accepted" || frame.type === "ended" || "seq" in frame;
    if (isOfTurn) this.#turns.get(frame.turn)?.frames.push(frame);
  }

  /** What a follower is told who has the events up to `after`; nothing of a turn that was not accepted. */
  replay(turn: string, after: number): readonly WorkerFrame[] {
    const { frames = [] } = this.#turns.get(turn) ?? {};
    return frames.filter((frame) => !("seq" in frame) || frame.seq > after || frame.type === "ended");
  }

  /** The turn of this caller, accepted or not; by its body or prompt as well as by its key or id. */
  find({ caller, by }: FindTurn): TurnInfo | undefined {
    const found = [...this.#turns.values()].findLast(
      ({ order: { turn, request } }) =>
        request.caller === caller &&
        Object.entries(by).every(
          ([name, value]) => (name === "turn" ? turn : request[name as "key"]) === value,
        ),
    );
    if (found === undefined) return undefined;
    const { order, frames } = found;
    const { turn, session, request } = order;
    const last = frames.findLast((frame) => "seq" in frame);
    return {
      turn,
      session: session.id,
      agent: session.agent,
      state: last?.type === "ended" ? last.end.state : "started",
      body: request.body,
      prompt: request.prompt,
      seq: last?.seq ?? 0,
      acceptedAt: 1_000,
      ...(last?.type === "ended" ? { end: last.end, endedAt: 2_000 } : {}),
    };
  }
}
