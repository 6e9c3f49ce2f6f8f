import type { IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { withDeadline } from "@synthesis/kit";
import { openWebSocket } from "@synthesis/kit/open-web-socket";
import { ControlError, WireFailure } from "@synthesis/protocol";
import type { WebSocket } from "ws";

/** How long a worker may take to let us in, or to say why not, in ms. */
const ANSWER_MS = 10_000;

/**
 * A WebSocket on a worker's socket, for as long as a terminal is looked at or lent; paused, so that nothing is lost
 * before somebody listens. Rejects with the `WireFailure` that the worker answers, or with `worker_unavailable`.
 */
export async function openTerminalLink(socketPath: string, path: string): Promise<WebSocket> {
  const socket = openWebSocket(socketPath, path, { handshakeTimeout: ANSWER_MS });
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
  socket.once("open", () => {
    socket.pause();
    resolve(socket);
  });
  socket.once("unexpected-response", (_request, response) => void refusal(response).then(reject));
  socket.on("error", (cause) => reject(unavailable(cause)));
  return promise;
}

async function refusal(response: IncomingMessage): Promise<WireFailure> {
  try {
    const body = await withDeadline(json(response), ANSWER_MS, "the worker did not finish its answer");
    return WireFailure.from(ControlError.parse(body).error);
  } catch (cause) {
    response.destroy();
    return unavailable(cause);
  }
}

function unavailable(cause: unknown): WireFailure {
  const message = "the workspace's worker does not answer: try again in a moment";
  return new WireFailure("worker_unavailable", message, { retryAfterMs: 1_000, cause });
}
