import type { Attachment, TurnEnd, TurnFrame } from "@synthesis/protocol";
import type { AgentTurnEnd, TurnEvents } from "../agent-process.ts";
import { endOfFrame } from "./end-of-frame.ts";
import type { PluginPrompt } from "./plugin-prompt.ts";
import { SeenTimer } from "./seen-timer.ts";

/** A turn whose answer comes in plugin frames, and what it waits for beside the answer. */
export class PluginTurn {
  readonly id: string;
  readonly events: TurnEvents;
  readonly end: Promise<AgentTurnEnd>;
  readonly #settle: (end: AgentTurnEnd) => void;
  readonly #over = new AbortController();
  #prompt: PluginPrompt | undefined;
  #isPrompted = false;
  #hasReplied = false;
  #isSeen = false;
  #seenTimer: SeenTimer | undefined;
  /** Runs as long as the prompt is held back, or nobody who could answer is connected. */
  #wait: NodeJS.Timeout | undefined;

  constructor(id: string, events: TurnEvents) {
    this.id = id;
    this.events = events;
    const { promise, resolve } = Promise.withResolvers<AgentTurnEnd>();
    this.end = promise;
    this.#settle = resolve;
  }

  /** What its plugin is to be asked; undefined: that is being made ready. */
  get prompt(): PluginPrompt | undefined {
    return this.#prompt;
  }

  /** It may be sent from now on. */
  makeReady(prompt: PluginPrompt): void {
    this.#prompt = prompt;
  }

  /** Aborts with its end. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Whether its prompt was sent. */
  get isPrompted(): boolean {
    return this.#isPrompted;
  }

  /** Right before its prompt is sent; what it throws keeps that from being sent. */
  begin(): void {
    this.events.onStart();
    this.#isPrompted = true;
    this.goOn();
    this.events.onStage({ name: "answer" }); // it says nothing of what it waits for
  }

  /** Calls `onOver` after `ms`, unless {@link goOn} is called, or this again, or the turn ends. */
  waitFor(ms: number, onOver: () => void): void {
    clearTimeout(this.#wait);
    this.#wait = setTimeout(onOver, ms);
    this.#seenTimer?.stop();
  }

  get isWaiting(): boolean {
    return this.#wait !== undefined;
  }

  goOn(): void {
    clearTimeout(this.#wait);
    this.#wait = undefined;
  }

  /** The prompt was sent, or its connection came back: unless it was seen, see {@link SeenTimer}. */
  awaitSeen(seenMs: number, again: () => void, deaf: () => void): void {
    this.#seenTimer?.stop();
    if (!this.#isSeen) this.#seenTimer = new SeenTimer(seenMs, again, deaf);
  }

  get isSeen(): boolean {
    return this.#isSeen;
  }

  /** The agent has the prompt before it. */
  seen(): void {
    this.#isSeen = true;
    this.#seenTimer?.stop();
  }

  /** Hands on what a frame says, and returns the end that it brings. */
  hear(frame: TurnFrame): TurnEnd | undefined {
    this.events.onLife();
    // A plugin can say that by itself.
    if (frame.type !== "progress") this.seen();
    if (frame.type === "progress" && frame.text !== undefined) this.events.onReasoning(frame.text);
    if (frame.type === "reply") {
      this.#tell(frame.content);
      for (const attachment of frame.attachments ?? []) this.#attach(attachment);
    }
    if (frame.type === "turn_over" && !this.#hasReplied) this.#tell(frame.text ?? "");
    return endOfFrame(frame, this.#hasReplied);
  }

  settle(end: AgentTurnEnd): void {
    this.goOn();
    this.#seenTimer?.stop();
    this.#over.abort();
    this.#settle(end);
  }

  #tell(text: string): void {
    if (text === "") return;
    this.#hasReplied = true;
    this.events.onText(text);
  }

  #attach(attachment: Attachment): void {
    this.#hasReplied = true;
    void this.events.onFile(attachment, (problem) => `[file not attached: ${attachment.name}: ${problem}]`);
  }
}
