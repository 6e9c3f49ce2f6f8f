import { respondJson } from "../http/respond.ts";
import { findFile } from "./find-file.ts";
import type { LinkRoute } from "./route-context.ts";

/** `GET /v1/files/:id`: what a file is that an agent attached, as OpenAI's API says it. */
export const getFile: LinkRoute = {
  follow: async ({ response, params }, parts) => {
    const id = params["id"] ?? "";
    const { name, bytes, attachedAt, content } = await findFile(id, parts);
    content.destroy();
    respondJson(response, 200, {
      id,
      object: "file",
      bytes,
      created_at: Math.floor(attachedAt / 1_000),
      filename: name,
      purpose: "assistants_output",
      status: "processed",
    });
  },
};
