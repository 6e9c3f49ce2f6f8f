import * as z from "zod";

/** What becomes of files that an agent attaches to its answers. */
export const AgentFiles = z
  .enum(["link", "data", "off"])
  .default("link")
  .describe(
    "How a file that the agent attaches reaches clients: link puts a link to it into the answer, data puts small images there themselves and links to all else, off only names the files that a plugin attaches.",
  );
export type AgentFiles = z.output<typeof AgentFiles>;
