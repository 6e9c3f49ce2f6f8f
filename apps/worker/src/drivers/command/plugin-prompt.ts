import { fileLine, type Inbound, type Prompt, type ReceivedFile } from "@synthesis/protocol";
import { promptText } from "../prompt-text.ts";

/** What a plugin is asked, once the files of it lie where it can open them. */
export interface PluginPrompt {
  readonly prompt: Prompt;
  /** Of what is no text in the prompt, in its order. */
  readonly files: readonly ReceivedFile[];
}

/** Where a plugin is told the paths of files: in the text, or beside it, for those that know of that. */
export type PathsTold = "in_content" | "beside_it";

/** The prompt in the words of the bridge. A line stands in the text for each file, at its place (P-20). */
export function promptFields(
  { prompt, files }: PluginPrompt,
  paths: PathsTold,
): Pick<Inbound, "content" | "attachments"> {
  const lines = files.map(({ name, media_type, path }) =>
    fileLine({ name, media_type, ...(paths === "in_content" ? { path } : {}) }),
  );
  const content = promptText(prompt, lines);
  return paths === "beside_it" && files.length > 0 ? { content, attachments: [...files] } : { content };
}
