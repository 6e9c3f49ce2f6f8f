import type { ServerResponse } from "node:http";
import type { RecordedRequest } from "./recorded-request.ts";

/** A request that waits for its answer. */
export interface Exchange {
  readonly request: RecordedRequest;
  readonly response: ServerResponse;
  /** Counts the requests of one stand-in from 1. */
  readonly number: number;
  /** Aborts when the connection is gone, whoever closed it. */
  readonly signal: AbortSignal;
  /** Destroys the connection from this side. */
  readonly cut: () => void;
}

/** Sends a whole JSON answer. */
export function sendJson(
  { response, number }: Exchange,
  status: number,
  body: unknown,
  headers: object = {},
): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "request-id": `req_standin_${number}`,
    ...headers,
  });
  response.end(JSON.stringify(body));
}
