import { directives, findDirective } from "./directives.ts";
import { ClientFunctions } from "./client-functions.ts";
import { FakeHost, type ControlBody } from "./fake-host.ts";
import type { FakeSession } from "./fake-session.ts";
import type { LaunchOptions } from "./launch-options.ts";
import { resultLine, type TurnOutcome } from "./result-line.ts";
import {
  writeControlSuccess,
  writeControlUnsupported,
  writeLifecycle,
  writeReplay,
  writeTurnStart,
} from "./session-lines.ts";
import { TurnOutput } from "./turn-output.ts";
import { diesUnread } from "./unread-prompt.ts";
import { readInputLine, type UserMessage } from "./user-message.ts";
import { flushed, writeLine } from "./write-line.ts";

const completed = {
  subtype: "success",
  isError: false,
  terminalReason: "completed",
  stopReason: "end_turn",
} as const;
const interrupted: TurnOutcome = {
  subtype: "error_during_execution",
  isError: true,
  terminalReason: "aborted_streaming",
  stopReason: null,
  errors: ["[ede_diagnostic] result_type=user last_content_type=n/a stop_reason=null"],
};

/** The fake's main loop: one turn at a time; what comes meanwhile is merged into the next turn. */
export class FakeProcess {
  readonly #session: FakeSession;
  readonly #replays: boolean;
  readonly #asksHost: boolean;
  readonly #host = new FakeHost();
  readonly #functions = new ClientFunctions(this.#host);
  #initialize: ControlBody = {};
  #flagSettings: unknown;
  #model: string;
  #waiting: UserMessage[] = [];
  #turn: { readonly controller: AbortController; readonly done: Promise<void> } | undefined;
  #ignoresInterrupts = false;
  #resultCount = 0;
  #lastFailed = false;

  constructor(
    session: FakeSession,
    options: Pick<LaunchOptions, "replayUserMessages" | "asksHost"> & { readonly model: string },
  ) {
    this.#session = session;
    this.#model = options.model;
    this.#replays = options.replayUserMessages;
    this.#asksHost = options.asksHost;
  }

  /** Goes on with the turn that an earlier process was cut in, if there is one. */
  resumeCutTurn(): void {
    const { cutPrompt } = this.#session;
    if (cutPrompt !== undefined) this.#startTurn([cutPrompt], true);
  }

  /** One line of stdin. */
  async accept(line: string): Promise<void> {
    const input = readInputLine(line);
    if (input.type === "fatal") {
      process.stderr.write(`${input.message}\n`);
      await this.#exit(1);
    } else if (input.type === "control") await this.#control(input.id, input.request);
    else if (input.type === "answer") this.#host.take(input.id, input.response);
    else if (input.type === "user") {
      if (diesUnread(input.message.text)) await this.#exit(1);
      this.#enqueue(input.message);
    }
  }

  /** End of stdin: what runs and waits is finished first. */
  async end(): Promise<void> {
    while (this.#turn !== undefined) await this.#turn.done;
    await this.#exit(this.#lastFailed ? 1 : 0);
  }

  /** Aborts the turn, as SIGINT and `end_session` do, and exits. */
  async abort(exitCode: number | undefined): Promise<void> {
    this.#waiting = [];
    const wasRunning = this.#turn !== undefined;
    this.#turn?.controller.abort();
    await this.#turn?.done;
    await this.#exit(exitCode ?? (wasRunning ? 1 : 0));
  }

  async #control(id: string, request: Readonly<Record<string, unknown>>): Promise<void> {
    const subtype = String(request["subtype"]);
    if (this.#ignoresInterrupts && (subtype === "interrupt" || subtype === "end_session")) return;
    switch (subtype) {
      case "initialize":
        this.#initialize = request;
        this.#functions.connect(request);
        return writeControlSuccess(id, {
          commands: [],
          agents: [],
          models: [],
          output_style: "default",
          account: {},
        });
      case "set_model":
        this.#model = String(request["model"]);
        return writeControlSuccess(id, { model: this.#model });
      case "apply_flag_settings":
        this.#flagSettings = request["settings"];
        return writeControlSuccess(id, {});
      case "mcp_message":
        writeControlSuccess(id, {});
        return this.#functions.refresh();
      case "cancel_async_message": {
        const message = this.#waiting.find(({ uuid }) => uuid === request["message_uuid"]);
        if (message === undefined) return writeControlSuccess(id, { cancelled: false });
        this.#drop([message]);
        return writeControlSuccess(id, { cancelled: true, message_uuid: message.uuid });
      }
      case "interrupt": {
        const uuids = this.#waiting.map(({ uuid }) => uuid);
        const isDropped = request["cancel_queued"] === true;
        if (isDropped) this.#drop(this.#waiting);
        writeControlSuccess(id, isDropped ? { still_queued: [], cancelled: uuids } : { still_queued: uuids });
        this.#turn?.controller.abort();
        return;
      }
      case "end_session":
        writeControlSuccess(id, {});
        return this.abort(undefined);
      default:
        return writeControlUnsupported(id, subtype);
    }
  }

  #drop(messages: readonly UserMessage[]): void {
    this.#waiting = this.#waiting.filter((message) => !messages.includes(message));
    writeLifecycle(this.#session.id, messages, "cancelled");
  }

  #enqueue(message: UserMessage): void {
    if (message.uuid !== undefined && this.#session.isOver(message.uuid)) {
      if (this.#replays) writeReplay(this.#session.id, message);
      if (this.#replays) writeLifecycle(this.#session.id, [message], "completed");
      return;
    }
    writeLifecycle(this.#session.id, [message], "queued");
    this.#waiting.push(message);
    if (this.#turn === undefined) this.#startNext();
  }

  #startNext(): void {
    this.#startTurn(this.#waiting.splice(0), false);
  }

  #startTurn(messages: UserMessage[], isResumed: boolean): void {
    const controller = new AbortController();
    const run = async () => {
      await this.#functions.ready;
      await this.#runTurn(messages, isResumed, controller.signal);
      this.#turn = undefined;
      if (this.#waiting.length > 0) this.#startNext();
    };
    this.#turn = { controller, done: run() };
  }

  async #runTurn(messages: UserMessage[], isResumed: boolean, signal: AbortSignal): Promise<void> {
    const startedAt = Date.now();
    const uuids = messages.flatMap(({ uuid }) => uuid ?? []);
    const prompt = messages.map(({ text }) => text).join("\n");
    const isInterpreted = messages.some(
      (message) => !message.isVerbatim && /^\/|(?<!\S)@\S/.test(message.text),
    );
    if (!isResumed) this.#session.addPrompt({ uuid: uuids.at(-1), text: prompt });
    writeLifecycle(this.#session.id, messages, "started");
    if (this.#replays) for (const message of messages) writeReplay(this.#session.id, message);
    const output = new TurnOutput(this.#session, { model: this.#model, uuids, isResumed, signal });
    writeTurnStart(output);

    const takeUp = () => {
      const more = this.#waiting.splice(0);
      writeLifecycle(this.#session.id, more, "started");
      messages.push(...more);
      uuids.push(...more.flatMap(({ uuid }) => uuid ?? []));
      return more.map(({ text }) => text);
    };
    const outcome = await this.#sayTurn(output, isInterpreted ? `interpreted ${prompt}` : prompt, takeUp);
    this.#lastFailed = outcome.isError;
    const facts = {
      numTurns: Math.max(1, output.messageCount),
      durationMs: Date.now() - startedAt,
      isResumed,
    };
    this.#result(uuids, outcome, facts);
    writeLifecycle(this.#session.id, messages, outcome === interrupted ? "cancelled" : "completed");
  }

  async #sayTurn(output: TurnOutput, prompt: string, takeUp: () => readonly string[]): Promise<TurnOutcome> {
    const answer = () => output.message(`fake: ${prompt} (turn ${this.#session.turns} of this conversation)`);
    const found = findDirective(prompt);
    try {
      if (found?.name === "foreign-result") {
        this.#result(
          [crypto.randomUUID()],
          { ...completed, text: "somebody else's" },
          { numTurns: 1, durationMs: 0, isResumed: false },
        );
      }
      const directive = found === undefined ? undefined : directives[found.name];
      const ignoreInterrupts = () => void (this.#ignoresInterrupts = true);
      const outcome = directive
        ? await directive({
            output,
            argument: found?.argument ?? "",
            functions: this.#functions,
            mayUse: this.#asksHost ? (signal, request) => this.#host.askTill(signal, request) : undefined,
            settings: () => JSON.stringify({ initialize: this.#initialize, flags: this.#flagSettings }),
            takeUp,
            answer,
            ignoreInterrupts,
          })
        : await answer();
      return outcome ?? { ...completed, text: output.lastText };
    } catch (error) {
      if (!output.signal.aborted) throw error;
      output.interruptMessage();
      return interrupted;
    }
  }

  #result(
    uuids: readonly string[],
    outcome: TurnOutcome,
    facts: { numTurns: number; durationMs: number; isResumed: boolean },
  ): void {
    const more = { ...facts, resultIndex: this.#resultCount++, queued: this.#waiting.length };
    writeLine(resultLine(this.#session, this.#model, uuids, outcome, more));
  }

  async #exit(code: number): Promise<void> {
    await flushed();
    process.exit(code);
  }
}
