/**
 * A stand-in for an interactive Claude Code whose account has channels: draws on its terminal, loads the plugin that
 * `--plugin-dir=` names as Claude does, and answers what comes through the channel with "channel: …" by the plugin's
 * tool. What is typed is drawn. A message may hold a directive: `!hold` is not answered, `!exit` ends it with 7, `!argv`
 * is answered with its arguments, `!ask` with what its hook decides on a command for which it suggests a rule.
 *   CLAUDE_CODE_TEST_CHANNELS=off     its account has none: it says so, and drops messages
 *   CLAUDE_CODE_TEST_CHANNELS=silent  it drops them without a word
 *   CLAUDE_CODE_TEST_TRUST=ask        it asks first whether to trust the folder; the key `y` says so
 *   CLAUDE_CODE_TEST_SETUP=fails      it cannot reach its services, and exits with 0
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

const argument = (name: string) =>
  process.argv.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
const channels = process.env["CLAUDE_CODE_TEST_CHANNELS"] ?? "on";
const draw = (line: string) => process.stdout.write(`${line}\r\n`);

const ASKED = {
  tool: "Bash",
  input: JSON.stringify({ command: "touch x" }),
  suggestions: JSON.stringify([
    {
      type: "addRules",
      rules: [{ toolName: "Bash", ruleContent: "touch:*" }],
      behavior: "allow",
      destination: "localSettings",
    },
  ]),
};

let isTrusted = process.env["CLAUDE_CODE_TEST_TRUST"] !== "ask";
if (process.stdin.isTTY) process.stdin.setRawMode(true);
process.stdin.on("data", (keys: Buffer) => {
  const text = keys.toString("utf8");
  draw(`typed: ${JSON.stringify(text)}`);
  if (text === "\x03") process.exit(0);
  if (isTrusted || !text.includes("y")) return;
  isTrusted = true;
  draw("\x1b[2J\x1b[HWelcome back"); // its dialogs are gone when they are answered
  loadPlugin();
});
process.stdout.on("resize", () => draw(`size: ${process.stdout.columns}x${process.stdout.rows}`));

draw("Welcome to Claude Code (a stand-in)");
if (process.env["CLAUDE_CODE_TEST_SETUP"] === "fails") {
  draw("Unable to connect to Anthropic services");
  process.exit(0);
}
if (isTrusted) loadPlugin();
else draw("Quick safety check: Is this a project you created or one you trust?");

function loadPlugin(): void {
  if (channels === "off") {
    draw(`\x1b[33m▎ --channels ignored (${argument("--channels") ?? ""})\x1b[0m`);
    draw("▎ Channels are not currently available");
  }
  const bundle = join(argument("--plugin-dir") ?? "", "dist", "plugin.mjs");
  const plugin = spawn(process.env["SYNTHESIS_NODE"] ?? "node", [bundle], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let id = 0;
  const say = (message: object) => plugin.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  const call = (name: string, args: object) =>
    say({ id: ++id, method: "tools/call", params: { name, arguments: args } });
  const clientInfo = { name: "channel-claude", version: "0" };
  say({
    id,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo },
  });
  say({ method: "notifications/initialized" });
  const answer = (text: string) => {
    call("reply", { text });
    call("hook", { event: "Stop", text: "" });
    draw(`● ${text}`);
  };
  let asked: number | undefined;
  createInterface({ input: plugin.stdout }).on("line", (line) => {
    const {
      id: answered,
      method,
      params,
      result,
    } = JSON.parse(line) as {
      id?: number;
      method?: string;
      params?: { content: string; meta: Record<string, string> };
      result?: { content: readonly { text: string }[] };
    };
    if (answered !== undefined && answered === asked) answer(result?.content[0]?.text ?? "");
    if (method !== "notifications/claude/channel" || params === undefined || channels !== "on") return;
    const { content, meta } = params;
    draw(`← ${content}`);
    const prompt = `<channel source="plugin:synthesis:bridge" message_id="${meta["message_id"]}">${content}</channel>`;
    call("hook", { event: "UserPromptSubmit", prompt });
    if (content.includes("!exit")) process.exit(7);
    if (content.includes("!hold")) return;
    if (content.includes("!ask")) {
      call("hook", { event: "PermissionRequest", ...ASKED });
      asked = id;
    } else answer(content.includes("!argv") ? JSON.stringify(process.argv) : `channel: ${content}`);
  });
}
