/** What at least two processes of Synthesis share and no library gives: nothing else belongs here. */
export { abortable } from "./abortable.ts";
export { type CloseReason } from "./close-reason.ts";
export { TimeoutError, sleep, withDeadline } from "./deadline.ts";
export { listenPrivately } from "./listen-privately.ts";
export { LoopBatch } from "./loop-batch.ts";
export { createLogger, logLevels, type LogFields, type LogLevel, type Logger } from "./logger.ts";
export { oneLine } from "./one-line.ts";
export { MARK_VARIABLE, killMarked, pidsMarked } from "./process-mark.ts";
export { EndOrder } from "./supervision/end-order.ts";
export { ForkedChild, type ForkOrder } from "./supervision/forked-child.ts";
export { KeptChild } from "./supervision/kept-child.ts";
export { type KeptChildState } from "./supervision/kept-child-state.ts";
export { handleOf, listenOn, type ListeningHandle } from "./supervision/listening-handle.ts";
export { printable } from "./printable.ts";
export { residentBytes } from "./resident-bytes.ts";
export { SessionClient, type SessionClientOptions } from "./session-client.ts";
export { runSupervised, UnusableError, type Supervised } from "./supervision/supervised-process.ts";
