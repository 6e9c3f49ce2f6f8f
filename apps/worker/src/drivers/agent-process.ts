import type { CloseReason } from "@synthesis/kit";
import type {
  Attachment,
  ClientTool,
  Prompt,
  Submit,
  ToolCallDelta,
  TurnEnd,
  WireError,
} from "@synthesis/protocol";
import type { AskRequest } from "../asks/ask-request.ts";
import type { PendingAsk } from "../asks/pending-ask.ts";
import type { TerminalChild } from "../terminal/terminal-child.ts";

/** A JSON Schema. */
export type AnswerSchema = NonNullable<Submit["answerSchema"]>;

/** One prompt for an agent. */
export interface AgentTurn {
  /** UUID; the agent's own name for the message where it has one. */
  readonly id: string;
  readonly prompt: Prompt;
  /** The model asked for in this turn, where it differs from the agent's. */
  readonly model: string | undefined;
  /** How hard it is to think in this turn, where that differs from the agent's own. */
  readonly effort: Submit["effort"];
  /** The client's instructions, where the conversation was not told exactly these before. */
  readonly instructions: string | undefined;
  /** Functions of the client's that it may call in this turn. */
  readonly tools: readonly ClientTool[];
  /** What its answer must meet. */
  readonly answerSchema: AnswerSchema | undefined;
  /** An earlier process was cut in it, and this one was opened to finish it. */
  readonly resumes: boolean;
  /** All text that was handed on before that cut. */
  readonly shown: string;
}

/** What a turn waits for once its process lives; each stage has a limit of silence of its own. */
export type TurnStage =
  /** A request to the model is out, and nothing of its answer has come. */
  | { readonly name: "first_byte" }
  /** The answer comes. */
  | { readonly name: "answer" }
  /** The agent runs tools: their names. */
  | { readonly name: "tool"; readonly tool: string };

/** What an agent process reports while it runs a turn. */
export interface TurnEvents {
  /** Right before the prompt is written; what it throws keeps the prompt from being written. */
  onStart(): void;
  /** Text of the answer: in order, without repetition. */
  onText(text: string): void;
  /** Thinking and tool activity. */
  onReasoning(text: string): void;
  /**
   * A piece of a call of a client's function; the turn then ends with `tool_calls`. A turn that told of one cannot
   * be finished by another process.
   */
  onToolCall(call: ToolCallDelta): void;
  /** What {@link AgentProcess.steer} was told is taken up from here on. */
  onSteered(message: string): void;
  /**
   * The agent asks a person, and stands still till there is a verdict. A turn that is stopped or ends denies what is
   * open.
   */
  onAsk(ask: AskRequest): PendingAsk;
  /**
   * The agent attaches a file to its answer, at this place. Resolves with why it is not attached, undefined where it
   * is; the client is then told what `instead` makes of that. Never rejects.
   */
  onFile(attachment: Attachment, instead: (problem: string) => string): Promise<string | undefined>;
  /** What becomes of the turn beside what the agent does for it: a retry, a compaction. */
  onNote(text: string): void;
  /** Any sign that the agent is at work; `pauseMs`: it said that it will be silent for so long. */
  onLife(pauseMs?: number): void;
  /** The turn waits for something else now. */
  onStage(stage: TurnStage): void;
  /** The turn cannot end well; the agent should be interrupted. */
  onHopeless(error: WireError): void;
  /** The agent's account may not be used before `untilMs` (epoch ms), in no turn. */
  onAccountHeld(untilMs: number): void;
}

/** The turn's end, or that nothing of it was run: another process may be given its prompt. */
export type AgentTurnEnd =
  | TurnEnd
  /** The agent does not know the conversation that it was opened for. */
  | { readonly state: "session_lost" }
  /** The process certainly never read the prompt; `error` is why, for the case that no other process does. */
  | { readonly state: "not_begun"; readonly error: WireError };

/** An agent process as far as something is said within its running turn. */
export type Steerable = Pick<AgentProcess, "steer" | "withdrawSteer">;

/**
 * One running agent: the one interface between the worker and its drivers. Runs one turn at a time.
 */
export interface AgentProcess {
  /** Process id, where the program could be started. */
  readonly pid: number | undefined;
  /** The terminal that it runs in, where Synthesis keeps one for it. */
  readonly terminal?: TerminalChild;
  /** Whether it runs, as far as the system has said, and nobody ends it: it is false before {@link closed} settles. */
  readonly isAlive: boolean;
  /** Settles when it first says something, or has ended: till then its start keeps a core busy. */
  readonly started: Promise<void>;
  /** Settles once, when the process and everything it started is gone. */
  readonly closed: Promise<CloseReason>;
  /**
   * Runs a turn to its end; a process that dies ends its turn as `interrupted`, or as `not_begun`. Rejects only
   * with what `onStart` throws, and then the prompt was not written.
   */
  run(turn: AgentTurn, events: TurnEvents): Promise<AgentTurnEnd>;
  /** Whether it can run this turn; otherwise another process has to be opened for it. Asked of one that runs nothing. */
  fits(turn: AgentTurn): boolean;
  /**
   * Where the conversation can branch off after the last turn that it ended, by the agent's own name for the
   * place; undefined: nowhere.
   */
  readonly anchor: string | undefined;
  /**
   * Says something within the running turn. `message` is a UUID. Resolves true at the moment the agent takes it up,
   * false when it certainly never will, at the latest with the end of the turn.
   */
  steer(message: string, prompt: Prompt): Promise<boolean>;
  /** Takes back what {@link steer} was told, if the agent has not taken it up; `steer` resolves with what became of it. */
  withdrawSteer(message: string): void;
  /** Asks the agent to stop the running turn, which then ends. Does nothing when none runs. */
  interrupt(): void;
  /** Ends the process: asks, then kills after `closeMs`. Resolves when {@link closed} does. */
  close(reason: CloseReason): Promise<void>;
  /** Ends the process and all its descendants at once. */
  kill(reason: CloseReason): Promise<void>;
}
