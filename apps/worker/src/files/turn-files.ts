import type { AgentFiles, Limits } from "@synthesis/config";
import { abortable, type Logger } from "@synthesis/kit";
import { WireFailure, type Attachment } from "@synthesis/protocol";
import { causeOf } from "./cause-of.ts";
import { openContent, type FileContent } from "./file-content.ts";
import { fileName } from "./file-name.ts";
import type { FileStore } from "./file-store.ts";
import { linkTo, named, type ShownFile } from "./file-text.ts";
import { isShownImage, mediaTypeOf } from "./media-type.ts";

export interface TurnFilesOptions {
  readonly policy: AgentFiles;
  readonly store: FileStore;
  /** The agent's folder. */
  readonly workspacePath: string;
  readonly limits: Pick<Limits, "fileBytes" | "inlineFileBytes" | "turnFiles">;
  readonly log: Logger;
}

/** What stands for a file in the answer, or why it is not attached: for its agent, and for a client. */
export type AttachedFile = { readonly text: string } | { readonly problem: string };

/** The files that an agent attaches in one run: taken one after the other, each a copy of what it is at that moment. */
export class TurnFiles {
  readonly #options: TurnFilesOptions;
  #tail: Promise<void> = Promise.resolve();
  /** Also of those that could not be attached. */
  #count = 0;

  constructor(options: TurnFilesOptions) {
    this.#options = options;
  }

  /** `filesUrl`: as in `Submit`. Never rejects; settles at once when `signal` aborts. */
  async attach(
    attachment: Attachment,
    filesUrl: string | undefined,
    signal: AbortSignal,
  ): Promise<AttachedFile> {
    const { turnFiles } = this.#options.limits;
    if (this.#count >= turnFiles)
      return { problem: `an answer has ${turnFiles} files at most (limits.turnFiles)` };
    this.#count++;
    const before = this.#tail;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tail = promise;
    try {
      await abortable(before, signal);
      return { text: await abortable(this.#attach(attachment, filesUrl, signal), signal) };
    } catch (error) {
      return { problem: this.#problemOf(error, attachment, signal) };
    } finally {
      resolve();
    }
  }

  async #attach(attachment: Attachment, filesUrl: string | undefined, signal: AbortSignal): Promise<string> {
    const { policy, limits, store, workspacePath } = this.#options;
    const name = fileName(attachment.name, attachment.media_type);
    const file = { name, mediaType: mediaTypeOf(name) };
    if (policy === "off") return named({ name, mediaType: attachment.media_type });
    await using content = await openContent(attachment, workspacePath);
    if (content.bytes > limits.fileBytes)
      throw refused(`it is larger than ${limits.fileBytes} bytes (limits.fileBytes)`);
    if (this.#isInline(file, content)) return linkTo(file, await dataUrlOf(file, content, signal));
    if (filesUrl === undefined) throw refused("its client has no way to get files");
    return linkTo(file, `${filesUrl}/${await store.keep(name, content, signal)}/content`);
  }

  #isInline({ mediaType }: ShownFile, { bytes }: FileContent): boolean {
    const { policy, limits } = this.#options;
    return policy === "data" && isShownImage(mediaType) && bytes <= limits.inlineFileBytes;
  }

  #problemOf(error: unknown, { name }: Attachment, signal: AbortSignal): string {
    const cause = error instanceof WireFailure ? error.message : causeOf(error);
    if (signal.aborted) return "the turn was stopped";
    this.#options.log.warn("file.not_attached", { name, cause });
    return error instanceof WireFailure ? cause : `it could not be read or kept (${cause})`;
  }
}

async function dataUrlOf(
  { mediaType }: ShownFile,
  content: FileContent,
  signal: AbortSignal,
): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of content.chunks(signal)) chunks.push(chunk);
  return `data:${mediaType};base64,${Buffer.concat(chunks).toString("base64")}`;
}

function refused(message: string): WireFailure {
  return new WireFailure("invalid_request", message);
}
