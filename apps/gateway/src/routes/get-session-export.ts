import { pipeline } from "node:stream/promises";
import { findSession } from "./find-session.ts";
import type { Route } from "./route-context.ts";

/** `GET /v1/synthesis/sessions/:id/export`: a session as JSON lines, no faster than its client reads them. */
export const getSessionExport: Route = async (exchange, caller, parts) => {
  const { client, session } = await findSession(exchange, caller, parts);
  const lines = await client.export(session.id);
  const { response } = exchange;
  if (response.destroyed) return void lines.destroy(); // its client left: a pipeline would not even begin
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  await pipeline(lines, response);
};
