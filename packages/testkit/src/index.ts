/** What tests of every package share: stand-ins for Claude and its API, stubborn children, and checks that nothing is left. */
export { claudeEnv } from "./claude-env.ts";
export { descendants, liveProcess, type LiveProcess } from "./descendants.ts";
export { eventually } from "./eventually.ts";
export { assertClean, expectClean, type ExpectCleanOptions } from "./expect-clean.ts";
export { fakeClaudeCommand } from "./fake-claude-command.ts";
export { fixtures } from "./fixtures.ts";
export { freePort } from "./free-port.ts";
export { Gate } from "./gate.ts";
export {
  describeLeftovers,
  leftoversSince,
  snapshotResources,
  testMarkPrefix,
  type Leftovers,
  type ResourceSnapshot,
} from "./leftovers.ts";
export { MessagesStandIn, type ReplyScript } from "./messages-standin.ts";
export { pinnedClaude } from "./pinned-claude.ts";
export {
  RecordedRequest,
  type ContentPart,
  type HistoryEntry,
  type MessagesBody,
} from "./recorded-request.ts";
export { reply } from "./reply.ts";
export {
  type AnswerOptions,
  type ReplyUsage,
  type ScriptedReply,
  type StatusOptions,
  type StopReason,
  type ToolCall,
} from "./scripted-reply.ts";
export { tempFolder, type TempFolder } from "./temp-folder.ts";
