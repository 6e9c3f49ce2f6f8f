import type { ServerResponse } from "node:http";
import type {
  AgentAsk,
  AskSettlement,
  ErrorCode,
  ToolCallDelta,
  TurnEnd,
  WireError,
} from "@synthesis/protocol";
import { EventStream, typedEvent, type EventStreamOptions } from "../http/event-stream.ts";
import { respondError } from "../http/respond.ts";
import type { AnswerOutput, TurnFacts } from "../answer/answer-output.ts";
import type { ResponseHead } from "./response-body.ts";
import { ResponseEvents, type ResponseEvent } from "./response-events.ts";

export interface ResponseStreamOptions extends EventStreamOptions {
  /** What the response says of its request. */
  readonly head: Omit<ResponseHead, "turn">;
  /** Number of the last event that the client has; default: none. */
  readonly startingAfter?: number;
}

/** The answer as the event stream of a response. */
export class ResponseStreamOutput implements AnswerOutput {
  readonly #response: ServerResponse;
  readonly #options: ResponseStreamOptions;
  readonly #stream: EventStream;
  #events: ResponseEvents | undefined;

  constructor(response: ServerResponse, options: ResponseStreamOptions) {
    this.#response = response;
    this.#options = options;
    this.#stream = new EventStream(response, options);
  }

  admitted(facts: TurnFacts): void {
    const { head, startingAfter = -1 } = this.#options;
    const events = new ResponseEvents({ ...head, turn: facts.turn }, (event) => {
      if (event.sequence_number > startingAfter) this.#stream.send(typedEvent(event));
    });
    this.#events = events;
    this.#stream.open(() => typedEvent(keepalive(events)));
    events.begin();
  }

  /** It has no number among the turn's events, so it is no event here. */
  sessionReset(why: string): void {
    this.#stream.send(`: the session begins anew: ${why.replaceAll(/\s+/g, " ")}\n\n`);
  }

  text(text: string): void {
    this.#events?.text(text);
  }

  reasoning(text: string): void {
    this.#events?.reasoning(text);
  }

  toolCall(call: ToolCallDelta): void {
    this.#events?.toolCall(call);
  }

  asked(ask: AgentAsk): void {
    this.#events?.asked(ask);
  }

  askSettled(settlement: AskSettlement): void {
    this.#events?.askSettled(settlement);
  }

  completed(end: Extract<TurnEnd, { state: "completed" }>): void {
    this.#events?.end(end);
    this.#stream.end();
  }

  failed(error: WireError): void {
    if (this.#events === undefined) return respondError(this.#response, error);
    const state = error.code === "turn_cancelled" ? "cancelled" : "failed";
    if (notTheEnd.has(error.code)) this.#events.breakOff(error);
    else this.#events.end({ state, error });
    this.#stream.end();
  }
}

/** What is wrong with the telling, not with the turn. */
const notTheEnd: ReadonlySet<ErrorCode> = new Set(["turn_gone", "shutting_down"]);

/** Has the number of an event that was sent: what has none of its own would shift the others. */
function keepalive({ latest }: ResponseEvents): ResponseEvent {
  return { type: "keepalive", sequence_number: latest };
}
