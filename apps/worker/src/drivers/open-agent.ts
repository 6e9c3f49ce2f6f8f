import { checkoutDir, type AgentSettings } from "@synthesis/config";
import type { Logger } from "@synthesis/kit";
import { nanoid } from "nanoid";
import type { Bridge } from "../bridge/bridge.ts";
import type { ReceivedFiles } from "../files/received-files.ts";
import { AgentChild } from "../process/agent-child.ts";
import { programEnvironment } from "../process/child-environment.ts";
import type { LiveClaudes } from "./live/live-claudes.ts";
import { TerminalChild } from "../terminal/terminal-child.ts";
import type { WorkerConfiguration } from "../worker-configuration.ts";
import type { AgentProcess, AgentTurn } from "./agent-process.ts";
import type { KeepRules } from "./claude/keep-rules.ts";
import { channelArguments, pluginEnvironment } from "./channel/channel-arguments.ts";
import { ChannelProcess } from "./channel/channel-process.ts";
import { CommandProcess } from "./command/command-process.ts";
import { claudeArguments, type ClaudeSession } from "./headless/claude-arguments.ts";
import { handshakeOf, instructionsAtStart } from "./headless/handshake.ts";
import { claudeProcessEnvironment, RESUME_TURN } from "./headless/claude-process-environment.ts";
import { ClaudeProcess } from "./headless/claude-process.ts";
import { traceTurn } from "./headless/turn-trace.ts";

/** What a driver needs beside the session. */
export interface AgentSurroundings {
  readonly configuration: WorkerConfiguration;
  readonly bridge: Bridge;
  /** What clients send to agents that open it by path. */
  readonly received: ReceivedFiles;
  readonly log: Logger;
  readonly liveClaudes: LiveClaudes;
  onUnsolicited(): void;
}

/** The session that a process is opened for. */
export interface AgentSession {
  readonly id: string;
  readonly key: string;
  /** Hash of the API key that made it. */
  readonly caller: string;
  /** The agent's name. */
  readonly name: string;
  readonly agent: AgentSettings;
  readonly claude: ClaudeSession;
  /** Of the turn that it is opened for: what a process is told at its start. */
  readonly launch: Pick<AgentTurn, "instructions" | "answerSchema">;
  readonly keepRules: KeepRules;
}

/** Starts an agent process with the driver that its agent names. Throws what `LiveClaudes.take` does. */
export function openAgent(surroundings: AgentSurroundings, session: AgentSession): AgentProcess {
  const { configuration, log, bridge, received } = surroundings;
  const { limits, path: cwd, claude, markPrefix } = configuration;
  const common = { cwd, mark: `${markPrefix}/${nanoid()}`, closeMs: limits.closeMs, log };
  const { agent } = session;
  const keptFor = session.claude.isStateless === true ? "process" : "session";
  switch (agent.driver) {
    case "headless": {
      const { answerSchema } = session.launch;
      const instructions = instructionsAtStart(agent, session.claude, session.launch.instructions);
      return new ClaudeProcess({
        bin: claude.bin,
        workspacePath: cwd,
        keepRules: session.keepRules,
        settings: agent,
        startModel: session.claude.startModel ?? agent.model,
        maxLineBytes: limits.lineBytes,
        rateLimitMs: limits.rateLimitMs,
        cutTurn: session.claude.cutTurn,
        answerSchema,
        instructions,
        handshake: handshakeOf(agent, session.claude, instructions),
        isStateless: session.claude.isStateless ?? false,
        log,
        onUnsolicited: () => surroundings.onUnsolicited(),
        traceTurn: (turnId) => traceTurn(configuration, session.claude.id, turnId),
        spawn: (onStdout) =>
          new AgentChild({
            ...common,
            command: claude.bin,
            endedBy: "stdin",
            args: claudeArguments(agent, session.claude, answerSchema),
            env: {
              ...claudeProcessEnvironment(configuration),
              ...(session.claude.cutTurn?.state === "unfinished" ? RESUME_TURN : {}),
            },
            onStdout,
          }),
      });
    }
    case "channel": {
      if (agent.terminal === "yours") return surroundings.liveClaudes.take(session);
      const inbox = received.inbox(session.id, keptFor);
      return new ChannelProcess({
        bridge,
        inbox,
        session: session.id,
        sessionKey: session.key,
        workspacePath: cwd,
        keepRules: session.keepRules,
        program: claude.bin,
        limits,
        log,
        onUnsolicited: () => surroundings.onUnsolicited(),
        spawn: (bridgeUrl) =>
          new TerminalChild({
            ...common,
            command: claude.bin,
            args: channelArguments(agent, inbox, session.claude),
            env: {
              ...claudeProcessEnvironment(configuration),
              ...pluginEnvironment(bridgeUrl, session.key),
            },
          }),
      });
    }
    case "command": {
      const [program = "", ...args] = agent.command.map(fillIn);
      return new CommandProcess({
        bridge,
        inbox: received.inbox(session.id, keptFor),
        sessionKey: session.key,
        workspacePath: cwd,
        program,
        limits,
        log,
        onUnsolicited: () => surroundings.onUnsolicited(),
        spawn: (bridgeUrl) =>
          new AgentChild({
            ...common,
            command: program,
            endedBy: "SIGTERM",
            args,
            env: {
              ...programEnvironment(process.env),
              ...agent.env,
              SYNTHESIS_BRIDGE_URL: bridgeUrl,
              SYNTHESIS_SESSION_KEY: session.key,
            },
            onStdout: (chunk) => log.debug("agent.stdout", { text: chunk.toString("utf8") }),
          }),
      });
    }
  }
}

function fillIn(part: string): string {
  return part.replaceAll("{node}", process.execPath).replaceAll("{synthesis}", checkoutDir);
}
