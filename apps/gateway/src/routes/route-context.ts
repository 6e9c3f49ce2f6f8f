import type { IncomingMessage, ServerResponse } from "node:http";
import type { GatewayParts } from "../gateway-parts.ts";
import type { Caller } from "../http/edge-guard.ts";

/** One request on its way through a route. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What stands for the named segments of the route's path. */
  readonly params: Readonly<Record<string, string>>;
}

/** A route that demands a key. Rejects with a `WireFailure` as long as it has not answered. */
export type Route = (exchange: Exchange, caller: Caller, parts: GatewayParts) => Promise<void>;

/** A route whose path is as good as a key: whoever has the link may follow it. Rejects as a {@link Route}. */
export interface LinkRoute {
  readonly follow: (exchange: Exchange, parts: GatewayParts) => Promise<void>;
}
