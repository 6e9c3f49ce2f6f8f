/** The frames and messages of Synthesis: the only thing that all of its processes and plugins share. See PROTOCOL.md. */
export {
  AgentAsk,
  AskAnswer,
  AskHeard,
  AskDetail,
  AskList,
  AskQuestion,
  AskSettlement,
  AskSettler,
  AskVerdict,
  AskWay,
} from "./agent-ask.ts";
export { Ask, AskWithdrawn, Verdict } from "./ask.ts";
export { Attachment } from "./attachment.ts";
export { ClientTool, ToolCallDelta } from "./client-tool.ts";
export { CloseCode } from "./close-code.ts";
export { decodeFrames, encodeFrames, type Decoded } from "./codec.ts";
export {
  ChildMessage,
  ControlError,
  Endpoint,
  EnsureAnswer,
  EnsureRequest,
  GatewayRestartAnswer,
  GatewayRestartRequest,
  LocateFileAnswer,
  LocateFileRequest,
  RestartAnswer,
  RestartRequest,
  StatusAnswer,
  StopAnswer,
  StopRequest,
  SupervisorMessage,
  WorkerStatus,
} from "./control.ts";
export { PluginCapability } from "./plugin-capability.ts";
export {
  Ack,
  BridgeFrame,
  Cancel,
  Cancelled,
  Failure,
  Hello,
  HelloAck,
  Inbound,
  Ping,
  PluginFrame,
  Pong,
  Progress,
  Reply,
  Seen,
  TurnFrame,
  TurnOver,
} from "./plugin-frame.ts";
export { FileId } from "./identifier.ts";
export { linkMessageBytes } from "./link-bound.ts";
export { ContentPart, Prompt, ToolResult } from "./prompt.ts";
export { fileLine, quoted, quotedParts, type QuoteTag } from "./quoted-text.ts";
export { readVerdict } from "./read-verdict.ts";
export { ReceivedFile } from "./received-file.ts";
export { SessionDetail, SessionInfo, SessionList, SessionTurn } from "./session-info.ts";
export { Said } from "./said.ts";
export { RequestIdentity, Submit } from "./submit.ts";
export { TokenBucket } from "./token-bucket.ts";
export {
  EMPTY_TRANSCRIPT,
  plainCallId,
  rollAnswer,
  rollTranscript,
  type TranscriptCall,
} from "./transcript-hash.ts";
export { LiveStarted, LiveWelcome, TerminalSize } from "./terminal-frame.ts";
export { FinishReason, TurnEnd, Usage } from "./turn-end.ts";
export { PROTOCOL_VERSION } from "./version.ts";
export { ErrorCode, WireError, WireFailure } from "./wire-error.ts";
export {
  Accepted,
  AccountHeld,
  Asked,
  AskSettled,
  Attach,
  Attached,
  CancelTurn,
  Delta,
  Ended,
  FindTurn,
  Follow,
  FoundTurn,
  GatewayFrame,
  Gone,
  Locate,
  Located,
  Reasoning,
  Refused,
  Steer,
  Steered,
  Taken,
  ToolCalled,
  TurnInfo,
  Unanswered,
  WithdrawSteer,
  WorkerFrame,
} from "./worker-frame.ts";
