/** The frames and messages of Synthesis: the only thing that all of its processes and plugins share. See PROTOCOL.md. */
export { CloseCode } from "./close-code.ts";
export { decodeFrames, encodeFrames, type Decoded } from "./codec.ts";
export {
  ChildMessage,
  ControlError,
  Endpoint,
  EnsureAnswer,
  EnsureRequest,
  StatusAnswer,
  SupervisorMessage,
  WorkerStatus,
} from "./control.ts";
export {
  BridgeFrame,
  Cancel,
  Cancelled,
  Failure,
  Hello,
  HelloAck,
  Inbound,
  Ping,
  PluginCapability,
  PluginFrame,
  Pong,
  Progress,
  Reply,
} from "./plugin-frame.ts";
export { EMPTY_TRANSCRIPT, rollTranscript } from "./transcript-hash.ts";
export { FinishReason, TurnEnd, Usage } from "./turn-end.ts";
export { PROTOCOL_VERSION } from "./version.ts";
export { ErrorCode, WireError, WireFailure } from "./wire-error.ts";
export {
  Accepted,
  Attach,
  Attached,
  CancelTurn,
  Delta,
  Ended,
  GatewayFrame,
  Locate,
  Located,
  Reasoning,
  Refused,
  Submit,
  WorkerFrame,
} from "./worker-frame.ts";
