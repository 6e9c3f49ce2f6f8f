import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  claudeEnv,
  MessagesStandIn,
  reply,
  type RecordedRequest,
  type ScriptedReply,
} from "@synthesis/testkit";
import { answerParts } from "../conversation/answer.ts";
import { orderIn, sessionOf } from "../conversation/order.ts";
import { Ledger, LEDGER_FILE, LedgerPage } from "./ledger.ts";

/**
 * Claude's API for the workspaces with the real Claude Code: answers orders, and keeps the ledger in the
 * place of the agent. It knows neither process nor turn, and notes an answer whole before its first byte.
 */
export class StandInLedger implements AsyncDisposable {
  readonly #api: MessagesStandIn;
  readonly #home: string;

  private constructor(api: MessagesStandIn, home: string) {
    this.#api = api;
    this.#home = home;
  }

  /** `folder` is the run's: its ledger is added to. */
  static async start(folder: string): Promise<StandInLedger> {
    const home = join(folder, "claude-home");
    await mkdir(home);
    const api = await MessagesStandIn.start();
    const ledger = new Ledger(join(folder, LEDGER_FILE));
    api.script((request) => answer(request, ledger));
    return new StandInLedger(api, home);
  }

  /** What makes Claude Code use it. */
  get environment(): Readonly<Record<string, string>> {
    const { PATH: _, ...environment } = claudeEnv(this.#api, this.#home);
    return environment;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api.close();
  }
}

function answer(request: RecordedRequest, ledger: Ledger): ScriptedReply {
  const order = orderIn(request.userText);
  if (order === undefined) return reply.text("there is no order in this");
  const [workspace = ""] = sessionOf(order.canary).split(".");
  const page = new LedgerPage(ledger, { workspace }, order.canary, undefined);
  const chunks = answerParts(order);
  page.taken();
  page.said(chunks.join(""));
  page.ended("completed");
  return reply.text("", { chunks, delayMs: order.everyMs });
}
