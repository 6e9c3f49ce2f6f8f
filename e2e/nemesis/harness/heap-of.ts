import { sleep, withDeadline } from "@synthesis/kit";
import * as z from "zod";

/** Where Node opens its inspector on SIGUSR1, unless it was told otherwise: one process at a time can have it. */
const INSPECTOR = "http://127.0.0.1:9229/json";
const OPEN_MS = 5_000;
const ANSWER_MS = 30_000;
const POLL_MS = 50;

const Targets = z.tuple([z.object({ webSocketDebuggerUrl: z.string() })]);
const Answer = z.object({ id: z.number(), result: z.object({ usedSize: z.number().optional() }) });

/**
 * The bytes of a Node process's heap that are in use after a garbage collection. Its resident memory says less:
 * V8 gives memory back late, and grows for a load that is long over.
 */
export async function heapOf(pid: number): Promise<number> {
  process.kill(pid, "SIGUSR1");
  const socket = new WebSocket(
    await withDeadline(inspectorUrl(), OPEN_MS, `process ${pid} opened no inspector`),
  );
  try {
    await withDeadline(event(socket, "open"), OPEN_MS, "the inspector did not answer");
    await ask(socket, 1, "HeapProfiler.collectGarbage");
    const used = await ask(socket, 2, "Runtime.getHeapUsage");
    if (used === undefined) throw new Error(`process ${pid} did not tell its heap's size`);
    return used;
  } finally {
    // The next process needs the port. No answer: it is closed before it could come.
    const expression = 'process.getBuiltinModule("inspector").close()';
    socket.send(JSON.stringify({ id: 3, method: "Runtime.evaluate", params: { expression } }));
    await withDeadline(event(socket, "close"), OPEN_MS, "the inspector did not close");
  }
}

async function inspectorUrl(): Promise<string> {
  for (const deadline = Date.now() + OPEN_MS; Date.now() < deadline; await sleep(POLL_MS)) {
    const response = await fetch(INSPECTOR).catch(() => undefined);
    if (response !== undefined) return Targets.parse(await response.json())[0].webSocketDebuggerUrl;
  }
  throw new Error(`nothing listens at ${INSPECTOR}`);
}

async function ask(socket: WebSocket, id: number, method: string): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const listen = ({ data }: MessageEvent) => {
    const answer = Answer.safeParse(JSON.parse(String(data)));
    if (answer.success && answer.data.id === id) resolve(answer.data.result.usedSize);
  };
  socket.addEventListener("message", listen);
  socket.send(JSON.stringify({ id, method }));
  try {
    return await withDeadline(promise, ANSWER_MS, `no answer to ${method}`);
  } finally {
    socket.removeEventListener("message", listen);
  }
}

async function event(socket: WebSocket, name: "open" | "close"): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.addEventListener(name, () => resolve(), { once: true });
  await promise;
}
