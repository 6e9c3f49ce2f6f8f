import type { Limits } from "@synthesis/config";
import type { TurnEnd, WireError } from "@synthesis/protocol";
import type { AgentProcess } from "../drivers/agent-process.ts";
import { TurnRun } from "../turn/turn-run.ts";
import type { TurnOutlet } from "../turn/turn-outlet.ts";
import type { Turn } from "../turn/turn.ts";
import type { SessionAgent } from "./session-agent.ts";
import { WaitDeadline } from "./wait-deadline.ts";

/** How often a prompt that no process took up is tried on another one. */
const MAX_BEGINNINGS = 3;
const NOT_TAKEN_UP: WireError = {
  code: "agent_unavailable",
  message: `no process of the agent took the prompt up, in ${MAX_BEGINNINGS} attempts: see the log for its messages`,
};

const LOST: WireError = {
  code: "session_lost",
  message: "Claude lost the conversation: send the request again, and it is told the earlier messages",
  retryAfterMs: 1_000,
};

export interface TurnAttemptsOptions {
  readonly agent: SessionAgent;
  readonly turn: Turn;
  /** Where what comes of it goes; another turn may take it over. */
  readonly outlet: TurnOutlet;
  /** The process that is there for it; absent: there is a place for one. */
  readonly warm: AgentProcess | undefined;
  readonly limits: Limits;
  readonly onAccountHeld: (untilMs: number) => void;
}

/** How a turn ended, and what its agent calls that place of the conversation where it can branch off there. */
export interface AttemptedTurn {
  readonly end: TurnEnd;
  readonly anchor?: string | undefined;
}

/**
 * Runs an accepted turn to its end: on one process after the other as long as none has taken its prompt up, and
 * on one more to finish what was cut, where its agent may. Rejects where no process can be had.
 */
export async function runAttempts(options: TurnAttemptsOptions): Promise<AttemptedTurn> {
  const { agent, turn, outlet, warm, limits, onAccountHeld } = options;
  let deadline = performance.now() + limits.turnMs;
  let resumes = turn.state === "started"; // under an earlier generation of the worker
  if (resumes) turn.resume();
  let process = warm ?? (await agent.open(turn, resumes));
  for (let left = MAX_BEGINNINGS - 1; ; left--) {
    turn.cancel.throwIfAborted();
    const isWarm = process === warm;
    const leftMs = deadline - performance.now();
    const told = agent.agentTurn(turn, resumes);
    const { anchor: before } = process;
    const run = new TurnRun({ process, turn: outlet, told, limits, leftMs, isWarm, onAccountHeld });
    const end = await run.run();
    deadline += run.askedMs;
    switch (end.state) {
      case "not_begun":
        if (!resumes) turn.untold();
        if (turn.isFirst) agent.forgetBeginning();
        if (left <= 0 || process.pid === undefined) return { end: { state: "failed", error: end.error } };
        break;
      case "session_lost": {
        turn.untold();
        if (left <= 0) return { end: { state: "failed", error: NOT_TAKEN_UP } };
        const isBranch = turn.isFirst && agent.record?.origin !== undefined;
        await dropLost(process, options);
        if (isBranch || turn.order.needsMemory) return { end: { state: "failed", error: LOST } };
        resumes = false;
        break;
      }
      case "interrupted":
        if (agent.isClosing || process.isAlive || turn.state === "over" || !agent.mayResume(turn))
          return { end };
        turn.resume();
        resumes = true;
        break;
      case "completed":
      case "failed":
      case "cancelled":
        return { end, anchor: process.anchor === before ? undefined : process.anchor }; // or it is that of another turn
    }
    await process.closed; // with all that it started: two at once would write one transcript
    using late = new WaitDeadline(limits.queueMs);
    await agent.take(turn, late.signal, true);
    process = await agent.open(turn, resumes);
  }
}

/** The agent lost its side of the conversation, and said so before it read the prompt: nothing was run. */
async function dropLost(process: AgentProcess, { agent, turn }: TurnAttemptsOptions): Promise<void> {
  const why = "Claude has no transcript of the session";
  await process.kill({ code: "session_lost", message: why });
  turn.say({ kind: "note", text: `[the session begins anew: ${why}]\n` });
  agent.beginAnew(why, turn);
}
