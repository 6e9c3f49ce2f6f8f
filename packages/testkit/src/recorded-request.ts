import type { IncomingHttpHeaders } from "node:http";

/** How Claude Code 2.1.330 asks for the summary by which it compacts a conversation (after "prompt is too long"). */
const compactionPrompt = "CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.";

/** A content part as a request carries it; `text` parts have `text`. */
export interface ContentPart {
  readonly type: string;
  readonly text?: string;
  readonly [field: string]: unknown;
}

/** The body of `POST /v1/messages`, as far as tests look into it. */
export interface MessagesBody {
  readonly model?: string;
  readonly stream?: boolean;
  readonly max_tokens?: number;
  readonly system?: string | readonly ContentPart[];
  readonly messages?: readonly { readonly role: string; readonly content: string | readonly ContentPart[] }[];
  readonly tools?: readonly { readonly name: string }[];
  readonly [field: string]: unknown;
}

/** What a conversation's party said. */
export interface HistoryEntry {
  readonly role: "user" | "assistant";
  readonly text: string;
}

/** A request as the stand-in got it. */
export class RecordedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: MessagesBody;
  /** Resolves when the client goes away before its answer is complete; otherwise stays pending. */
  readonly aborted: Promise<void>;

  constructor(
    method: string,
    path: string,
    headers: IncomingHttpHeaders,
    body: MessagesBody,
    aborted: Promise<void>,
  ) {
    this.method = method;
    this.path = path;
    this.headers = headers;
    this.body = body;
    this.aborted = aborted;
  }

  /** What was said so far: user and assistant messages that have text, without `<system-reminder>` blocks. */
  get history(): readonly HistoryEntry[] {
    const entries: HistoryEntry[] = [];
    for (const { role, content } of this.body.messages ?? []) {
      const text = plainText(content);
      if ((role === "user" || role === "assistant") && text !== "") entries.push({ role, text });
    }
    return entries;
  }

  /** The text of the last user message that has one, without Claude's note of an interrupt; or the empty string. */
  get userText(): string {
    const text = this.history.findLast(({ role }) => role === "user")?.text ?? "";
    return text.replace(/^\[Request interrupted by user\]\n/, "");
  }

  /** Whether it continues a conversation: no token count, no one-token probe of an account, no compaction. */
  get isConversation(): boolean {
    if (this.method !== "POST" || this.path !== "/v1/messages" || this.body.max_tokens === 1) return false;
    return !this.userText.includes(compactionPrompt);
  }
}

function plainText(content: string | readonly ContentPart[]): string {
  const texts =
    typeof content === "string"
      ? [content]
      : content.map((part) => (part.type === "text" ? (part.text ?? "") : ""));
  return texts
    .map((text) => text.replaceAll(/<system-reminder>[\s\S]*?<\/system-reminder>/g, "").trim())
    .filter((text) => text !== "")
    .join("\n");
}
