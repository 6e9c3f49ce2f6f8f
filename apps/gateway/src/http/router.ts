import { WireFailure } from "@synthesis/protocol";
import { deleteResponse } from "../routes/delete-response.ts";
import { deleteSession } from "../routes/delete-session.ts";
import { deleteTurn } from "../routes/delete-turn.ts";
import { getAsk } from "../routes/get-ask.ts";
import { getAsks } from "../routes/get-asks.ts";
import { getFile } from "../routes/get-file.ts";
import { getFileContent } from "../routes/get-file-content.ts";
import { getHealth } from "../routes/get-health.ts";
import { getModel } from "../routes/get-model.ts";
import { getModels } from "../routes/get-models.ts";
import { getResponse } from "../routes/get-response.ts";
import { getSession } from "../routes/get-session.ts";
import { getSessionExport } from "../routes/get-session-export.ts";
import { getSessions } from "../routes/get-sessions.ts";
import { getTurn } from "../routes/get-turn.ts";
import { getTurnEvents } from "../routes/get-turn-events.ts";
import { postAsk } from "../routes/post-ask.ts";
import { postChatCompletions } from "../routes/post-chat-completions.ts";
import { postCountTokens } from "../routes/post-count-tokens.ts";
import { postMessages } from "../routes/post-messages.ts";
import { postResponseCancel } from "../routes/post-response-cancel.ts";
import { postResponses } from "../routes/post-responses.ts";
import type { LinkRoute, Route } from "../routes/route-context.ts";

type Methods = Readonly<Record<string, Route | LinkRoute>>;

/** Every path, with the methods it takes; a segment `:name` takes anything but nothing. */
const routes: Readonly<Record<string, Methods>> = {
  "/v1/chat/completions": { POST: postChatCompletions },
  "/chat/completions": { POST: postChatCompletions },
  "/v1/models": { GET: getModels },
  "/v1/models/:id": { GET: getModel },
  "/v1/responses": { POST: postResponses },
  "/v1/responses/:id": { GET: getResponse, DELETE: deleteResponse },
  "/v1/responses/:id/cancel": { POST: postResponseCancel },
  "/v1/messages": { POST: postMessages },
  "/v1/messages/count_tokens": { POST: postCountTokens },
  "/v1/synthesis/turns/:id": { GET: getTurn, DELETE: deleteTurn },
  "/v1/synthesis/turns/:id/events": { GET: getTurnEvents },
  "/v1/synthesis/sessions": { GET: getSessions },
  "/v1/synthesis/sessions/:id": { GET: getSession, DELETE: deleteSession },
  "/v1/synthesis/sessions/:id/export": { GET: getSessionExport },
  "/v1/synthesis/asks": { GET: getAsks },
  "/v1/synthesis/asks/:id": { GET: getAsk, POST: postAsk },
  "/v1/files/:id": { GET: getFile },
  "/v1/files/:id/content": { GET: getFileContent },
  "/health": { GET: getHealth },
};
const patterns = Object.entries(routes).map(([path, methods]) => ({ segments: path.split("/"), methods }));

interface Place {
  readonly methods: Methods;
  readonly params: Readonly<Record<string, string>>;
}

export interface Routed<R extends Route | LinkRoute> {
  readonly route: R;
  /** The segments that have a name. */
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the link that a request follows. Undefined: it is none, and has to show a key before it is told more. */
export function linkOf(path: string, method: string): Routed<LinkRoute> | undefined {
  const place = placeOf(path);
  if (place === undefined) return undefined;
  const route = routeAt(place, method);
  return typeof route === "object" ? { route, params: place.params } : undefined;
}

/** Finds the route. Throws `not_found`, or `method_not_allowed` after telling `onAllowed` which methods there are. */
export function routeOf(path: string, method: string, onAllowed: (methods: string) => void): Routed<Route> {
  const place = placeOf(path);
  if (place === undefined)
    throw new WireFailure("not_found", `there is no such path here: use ${Object.keys(routes).join(", ")}`);
  const route = routeAt(place, method);
  if (typeof route === "function") return { route, params: place.params };
  const allowed = Object.keys(place.methods).join(", ");
  onAllowed(allowed);
  throw new WireFailure("method_not_allowed", `this path takes ${allowed}`);
}

function placeOf(path: string): Place | undefined {
  const segments = path.split("/");
  for (const { segments: pattern, methods } of patterns) {
    const params = match(pattern, segments);
    if (params !== undefined) return { methods, params };
  }
  return undefined;
}

function routeAt({ methods }: Place, method: string): Route | LinkRoute | undefined {
  return Object.hasOwn(methods, method) ? methods[method] : undefined;
}

function match(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const segment = segments[index] ?? "";
    if (expected.startsWith(":") && segment !== "") params[expected.slice(1)] = segment;
    else if (expected !== segment) return undefined;
  }
  return params;
}
