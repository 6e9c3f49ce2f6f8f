import { totalmem } from "node:os";
import * as z from "zod";

const count = (initial: number) => z.number().int().positive().default(initial);
const milliseconds = (initial: number) => z.number().int().min(10).max(604_800_000).default(initial);
const bytes = (initial: number) => z.number().int().min(1024).default(initial);

const MIB = 1024 * 1024;
const halfOfMemoryMb = () => Math.floor(totalmem() / MIB / 2);

/** Every bound of Synthesis: nothing waits without a deadline, nothing grows without an end. */
export const Limits = z.strictObject({
  bodyBytes: bytes(8 * MIB).describe("Largest request body, in bytes; a larger one is answered 413."),
  tools: count(256).describe("Functions of its own that a client may offer in one request."),
  schemaBytes: bytes(MIB).describe(
    "JSON Schemas of one request: those of its functions and of its answer, in bytes.",
  ),
  connections: count(4096).describe("Open client connections."),
  sessionQueue: count(32).describe("Waiting turns of one session; one more is answered 429."),
  totalQueue: count(10_000).describe(
    "Turns of all sessions that no worker has accepted yet; one more is answered 429.",
  ),
  clientBufferBytes: bytes(16 * MIB).describe(
    "Unread answer bytes kept for a slow client before it is cut off.",
  ),
  heartbeatMs: milliseconds(15_000).describe(
    "Pause after which a stream gets an empty delta as a sign of life.",
  ),
  queueMs: milliseconds(600_000).describe("Longest wait of a turn for its session and for an agent process."),
  startMs: milliseconds(60_000).describe(
    "Longest start of a worker, or of an agent process till its first sign of life.",
  ),
  firstByteMs: milliseconds(180_000).describe(
    "Longest wait of a turn for the first sign of an answer, once its agent has started.",
  ),
  stallMs: milliseconds(180_000).describe(
    "Longest silence of an agent within an answer, while no tool runs.",
  ),
  toolMs: milliseconds(900_000).describe("Longest silence of an agent while one of its tools runs."),
  rateLimitMs: milliseconds(60_000).describe(
    "Longest pause that Claude's API may ask for within a turn; for a longer one the turn ends with 429 and the reset time.",
  ),
  turnMs: milliseconds(3_600_000).describe("Longest turn."),
  drainMs: milliseconds(60_000).describe(
    "How long running turns may go on when their worker, the gateway or all of Synthesis is restarted or stopped; then they are cut.",
  ),
  vanishedMs: milliseconds(3_000).describe(
    "How long a turn goes on whose client left, for a retry of the request to join it; then it is cancelled.",
  ),
  retryMs: milliseconds(900_000).describe(
    "How long after its admission an ended turn is joined by a retry of its request that has no Idempotency-Key; one that runs always is.",
  ),
  joinMs: milliseconds(86_400_000).describe(
    "How long the answer of an ended turn is kept for requests with its Idempotency-Key, and to be read again.",
  ),
  joinableTurns: count(1_000).describe("Ended turns per workspace whose answers are kept."),
  answerBytes: bytes(64 * MIB).describe("Longest answer of a turn, in bytes; a longer one is stopped."),
  turnLogBytes: bytes(4 * MIB).describe(
    "Answer bytes kept of one turn; of a longer answer the beginning cannot be read again.",
  ),
  fileBytes: bytes(25 * MIB).describe(
    "Largest file that an agent can attach to an answer, or that is written down for one that opens what clients send by path, in bytes.",
  ),
  inlineFileBytes: bytes(MIB).describe(
    "Largest image that stands in the answer itself where the agent says `files: data`, in bytes; a larger one is a link.",
  ),
  turnFiles: count(64).describe(
    "Files that an agent can attach in one turn, and that one message can have where they are written down for it.",
  ),
  filesBytes: bytes(1024 * MIB).describe(
    "Attached files kept per workspace, in bytes, with 8 KiB for each file; the oldest make room. As much again of what clients sent.",
  ),
  filesKeptMs: milliseconds(604_800_000).describe(
    "How long an attached file is kept, and links to it work; and how long one that a client sent is.",
  ),
  interruptMs: milliseconds(600).describe(
    "How long an interrupted agent may take to stop before it is killed.",
  ),
  closeMs: milliseconds(5_000).describe(
    "How long a process may take to end when asked, before it is killed.",
  ),
  idleMs: milliseconds(1_800_000).describe(
    "Idle time after which an agent process is evicted; its session is resumed later.",
  ),
  processesPerWorkspace: count(16).describe(
    "Live agent processes of one workspace; the longest idle one makes room.",
  ),
  memoryMb: z
    .number()
    .int()
    .min(128)
    .default(halfOfMemoryMb)
    .describe(
      "Private memory of all agent processes, in MiB, above which idle ones are evicted, then those that have waited too long for a person.",
    ),
  workspaces: count(64).describe("Workers at one time; an idle one makes room."),
  frameBytes: bytes(4 * MIB).describe("Largest WebSocket message of a plugin."),
  framesPerSecond: count(5_000).describe(
    "Frames that a plugin's connection may send in one second, and at once; one more and it is closed.",
  ),
  lineBytes: bytes(64 * MIB).describe("Longest output line of Claude."),
  helloMs: milliseconds(10_000).describe("How long a plugin connection may take to say hello."),
  pingMs: milliseconds(30_000).describe(
    "Interval of the plugin heartbeat; a connection that misses one is terminated.",
  ),
  reconnectMs: milliseconds(5_000).describe(
    "How long a turn waits for its plugin to come back, or a new connection to take it up.",
  ),
  seenMs: milliseconds(30_000).describe(
    "How long a plugin that reports what its agent sees may take to report a message, before it is sent again and then given up; and how long the next message waits till the agent is at rest.",
  ),
  hangMs: milliseconds(10_000).describe(
    "How long a worker or the gateway may not answer its supervisor before it is killed, at half of it it is reported; and how long a worker may take to answer the gateway.",
  ),
  restarts: count(5).describe(
    "Deaths of a worker in a row after which requests for it are refused while it is tried again.",
  ),
  restartPauseMs: milliseconds(30_000).describe(
    "Longest pause before a worker that keeps dying is tried again.",
  ),
  sessions: count(10_000).describe(
    "Sessions remembered per workspace; the longest unused ones are forgotten.",
  ),
  journalTurns: count(100_000).describe("Turns remembered per workspace; older ones are forgotten."),
});
export type Limits = z.output<typeof Limits>;
