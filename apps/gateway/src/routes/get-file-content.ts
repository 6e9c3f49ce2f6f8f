import type { IncomingMessage } from "node:http";
import type { RangeHeaders } from "@synthesis/kit";
import { sendFile } from "../http/send-file.ts";
import { findFile } from "./find-file.ts";
import type { LinkRoute } from "./route-context.ts";

/** Who reads nothing for so long is cut off, and so is a worker that says nothing; in ms. */
const SILENCE_MS = 120_000;

/** `GET /v1/files/:id/content`: a file that an agent attached, or a part of it, no faster than its client reads it. */
export const getFileContent: LinkRoute = {
  follow: async ({ request, response, params }, parts) => {
    const file = await findFile(params["id"] ?? "", parts, rangeHeaders(request));
    await sendFile(file, request, response, SILENCE_MS);
  },
};

/** HEAD is about the whole file. */
function rangeHeaders({ method, headers }: IncomingMessage): RangeHeaders {
  const { range, "if-range": ifRange } = headers;
  if (method === "HEAD" || range === undefined) return {};
  return ifRange === undefined ? { range } : { range, "if-range": String(ifRange) };
}
