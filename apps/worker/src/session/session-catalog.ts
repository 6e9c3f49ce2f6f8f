import type { AgentSettings } from "@synthesis/config";
import { WireFailure, type SessionDetail, type SessionInfo } from "@synthesis/protocol";
import { transcriptFile } from "../drivers/headless/transcript.ts";
import type { Journal } from "../journal/journal.ts";
import type { SessionRecord } from "../journal/session-table.ts";
import type { TurnRecord } from "../journal/turn-table.ts";
import type { WorkerConfiguration } from "../worker-configuration.ts";
import { allowedRules } from "./allowed-rules.ts";
import { exportSession } from "./session-export.ts";
import type { Session } from "./session.ts";

export interface SessionCatalogOptions {
  readonly configuration: Pick<WorkerConfiguration, "path" | "claude" | "agents">;
  readonly journal: Pick<Journal, "sessions" | "turns" | "events" | "allowedRules">;
  /** Those that have a process or a turn now, by id. */
  readonly live: ReadonlyMap<string, Session>;
}

/** Sessions, or turns of one, that are told at once. */
const MAX_LISTED = 1_000;

/**
 * What can be told of the sessions of a workspace. With a `caller`, the hash of an API key, those of other keys are
 * not there: each method that takes an id throws `session_not_found`.
 */
export class SessionCatalog {
  readonly #options: SessionCatalogOptions;

  constructor(options: SessionCatalogOptions) {
    this.#options = options;
  }

  find(id: string, caller: string | undefined): SessionRecord {
    const record = this.#options.journal.sessions.find(id);
    if (record !== undefined && (caller === undefined || record.caller === caller)) return record;
    throw sessionNotFound();
  }

  /** The ones last used, newest first. */
  list(caller: string | undefined): readonly SessionInfo[] {
    return this.#options.journal.sessions.list(caller, MAX_LISTED).map((record) => this.#infoOf(record));
  }

  /** A session, with what was allowed in it for good, and its latest turns. */
  detail(id: string, caller: string | undefined): SessionDetail {
    const session = this.#infoOf(this.find(id, caller));
    const allowed = allowedRules(id, this.#options);
    return { session, allowed, turns: this.#options.journal.turns.ofSession(id, MAX_LISTED).map(turnOf) };
  }

  /** A session as JSON lines. */
  async export(id: string, caller: string | undefined): Promise<AsyncIterable<string>> {
    const { journal, configuration } = this.#options;
    const info = this.#infoOf(this.find(id, caller));
    const file = info.agentSession && (await transcriptFile(configuration, info.agentSession));
    return exportSession({ ...info, allowed: allowedRules(id, this.#options) }, journal, file);
  }

  #infoOf(record: SessionRecord): SessionInfo {
    const { id, key, agent, createdAt, usedAt, agentSession, agentStarted, branchOf } = record;
    const { configuration, journal, live } = this.#options;
    const session = live.get(id);
    const pid = session?.process?.pid;
    const isClaudes = isOurClaude(configuration.agents[agent]) && agentStarted;
    return {
      id,
      key,
      agent,
      state: session?.state ?? "cold",
      createdAt,
      usedAt,
      turns: journal.turns.countOfSession(id),
      ...(pid === undefined ? {} : { pid }),
      ...(isClaudes ? { agentSession } : {}),
      ...(branchOf === undefined ? {} : { branchOf }),
    };
  }
}

/** The failure of whoever names a session that is not there, or not theirs. */
export function sessionNotFound(): WireFailure {
  return new WireFailure("session_not_found", "there is no such session here");
}

/** Whether it knows the conversation by the id that we gave it. */
function isOurClaude(agent: AgentSettings | undefined): boolean {
  return agent?.driver === "headless" || (agent?.driver === "channel" && agent.terminal === "own");
}

function turnOf({ turn, state, acceptedAt, endedAt, end }: TurnRecord): SessionDetail["turns"][number] {
  return {
    id: turn,
    state,
    acceptedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(end === undefined || end.state === "completed" ? {} : { errorCode: end.error.code }),
  };
}
