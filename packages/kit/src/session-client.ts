import { request, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import type { Readable } from "node:stream";
import {
  AskDetail,
  AskHeard,
  AskList,
  AskSettlement,
  ControlError,
  SessionDetail,
  SessionList,
  WireFailure,
  type AgentAsk,
  type AskAnswer,
  type Said,
  type SessionInfo,
} from "@synthesis/protocol";
import { withDeadline } from "./deadline.ts";
import { openedFile, type OpenedFile, type RangeHeaders } from "./opened-file.ts";

export interface SessionClientOptions {
  /** The worker's. */
  readonly socketPath: string;
  /** Hash of the API key whose sessions are meant; absent: all. */
  readonly caller?: string;
}

/** How long a worker may take to answer what it can answer at once, in ms. */
const ANSWER_MS = 10_000;
/** What is answered to who asks for a part of a file. */
const OF_FILES = [200, 206, 416];
/** How long it may take to stop a turn and to end a process, the limits for which may be raised, in ms. */
const END_MS = 60_000;

/**
 * The sessions of one worker, what their agents ask and the files they attached, over its Unix socket. Each method
 * rejects with the `WireFailure` that the worker answers, or with `worker_unavailable` where it does not.
 */
export class SessionClient {
  readonly #socketPath: string;
  readonly #query: string;

  constructor({ socketPath, caller }: SessionClientOptions) {
    this.#socketPath = socketPath;
    this.#query = caller === undefined ? "" : `?caller=${caller}`;
  }

  /** The ones last used, newest first, at most 1,000. */
  async list(): Promise<readonly SessionInfo[]> {
    const answer = await this.#ask("GET", "/sessions", ANSWER_MS);
    return SessionList.parse(await bodyOf(answer)).sessions;
  }

  /** A session, with its latest turns. */
  async get(id: string): Promise<SessionDetail> {
    const answer = await this.#ask("GET", `/sessions/${encodeURIComponent(id)}`, ANSWER_MS);
    return SessionDetail.parse(await bodyOf(answer));
  }

  /** Cancels what waits or runs of a session, ends its process and forgets it; resolves when that is done. */
  async end(id: string): Promise<void> {
    await bodyOf(await this.#ask("DELETE", `/sessions/${encodeURIComponent(id)}`, END_MS));
  }

  /** A session as JSON lines. An export that breaks off ends with an error; to destroy it stops the worker's reading. */
  async export(id: string): Promise<Readable> {
    return this.#ask("GET", `/sessions/${encodeURIComponent(id)}/export`, ANSWER_MS);
  }

  /** The open asks, oldest first. */
  async listAsks(): Promise<readonly AgentAsk[]> {
    return AskList.parse(await bodyOf(await this.#ask("GET", "/asks", ANSWER_MS))).asks;
  }

  /** An open ask. Rejects with `ask_not_found`, or `ask_settled` where it has its verdict. */
  async getAsk(id: string): Promise<AgentAsk> {
    const answer = await this.#ask("GET", `/asks/${encodeURIComponent(id)}`, ANSWER_MS);
    return AskDetail.parse(await bodyOf(answer)).ask;
  }

  /**
   * Settles an ask, unless it is: then it rejects with `ask_settled`. Rejects with `ask_not_found`, `ask_not_yours`
   * where its agent takes no verdict by this way, and `invalid_request` for a verdict that lacks the answer.
   */
  async answerAsk(id: string, said: AskAnswer): Promise<AskSettlement> {
    const answer = await this.#ask("POST", `/asks/${encodeURIComponent(id)}`, ANSWER_MS, { body: said });
    return AskSettlement.parse(await bodyOf(answer));
  }

  /**
   * What was said in the chat of the session that asks: settles the ask, or is no verdict on it. Rejects as
   * {@link answerAsk}, and with `ask_settled` where it came too late for another ask.
   */
  async hearAsk(id: string, said: Said): Promise<AskSettlement | undefined> {
    const answer = await this.#ask("POST", `/asks/${encodeURIComponent(id)}/said`, ANSWER_MS, { body: said });
    return AskHeard.parse(await bodyOf(answer)).settlement;
  }

  /**
   * A file that an agent attached. Content that breaks off ends with an error; to destroy it stops the worker's
   * reading. With `headers` it is the part that these ask for. Rejects with `file_not_found`.
   */
  async openFile(id: string, headers: RangeHeaders = {}): Promise<OpenedFile> {
    const path = `/files/${encodeURIComponent(id)}`;
    const answer = await this.#ask("GET", path, ANSWER_MS, {
      headers: { ...headers },
      statuses: OF_FILES,
    });
    try {
      return openedFile(answer);
    } catch (error) {
      answer.destroy();
      throw unavailable(error);
    }
  }

  async #ask(
    method: "GET" | "POST" | "DELETE",
    path: string,
    deadlineMs: number,
    {
      body,
      headers = {},
      statuses = [200],
    }: {
      readonly body?: object;
      readonly headers?: Readonly<Record<string, string>>;
      readonly statuses?: readonly number[];
    } = {},
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const [socketPath, agent] = [this.#socketPath, false] as const; // a connection of its own
    const asking = request({ socketPath, agent, method, path: `${path}${this.#query}`, headers }, resolve);
    asking.on("error", reject);
    asking.end(body && JSON.stringify(body));
    try {
      const answer = await withDeadline(promise, deadlineMs, "the worker did not answer");
      if (statuses.includes(answer.statusCode ?? 0)) return answer;
      throw WireFailure.from(ControlError.parse(await bodyOf(answer)).error);
    } catch (error) {
      asking.destroy();
      throw error instanceof WireFailure ? error : unavailable(error);
    }
  }
}

async function bodyOf(answer: IncomingMessage): Promise<unknown> {
  try {
    return await withDeadline(json(answer), ANSWER_MS, "the worker did not finish its answer");
  } catch (error) {
    answer.destroy();
    throw unavailable(error);
  }
}

function unavailable(cause: unknown): WireFailure {
  const message = "the workspace's worker does not answer: try again in a moment";
  return new WireFailure("worker_unavailable", message, { retryAfterMs: 1_000, cause });
}
