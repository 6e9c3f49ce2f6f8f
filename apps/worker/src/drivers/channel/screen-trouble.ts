import type { WireError } from "@synthesis/protocol";
import type { Reach } from "../command/plugin-dialogue.ts";

/** The plugin as Claude Code names it where it was loaded with `--plugin-dir`. */
export const PLUGIN = "plugin:synthesis@inline";

const HEADLESS = "use an agent with driver: headless, which needs no channels";
/** The line above what it says of them. */
const NOTICE = `--(?:channels|dangerously-load-development-channels)[^(]*\\(${PLUGIN}\\)`;

/** Notices at Claude's start that mean that it drops what comes through the channel. */
const droppings: readonly (readonly [RegExp, string])[] = [
  [notice("Channels are not currently available"), HEADLESS],
  [notice("Channels are not available on third-party providers"), HEADLESS],
  [notice("Inbound messages will be silently dropped"), `an administrator can allow them, or ${HEADLESS}`],
  [notice("This network does not serve it"), HEADLESS],
  [
    notice("not on (?:the approved channels allowlist|your org's approved channels list)"),
    `allow the plugin there, or set channels: development, or ${HEADLESS}`,
  ],
];

/** What Claude asks a person before it starts its plugins. Synthesis answers none of it. */
const dialogs: readonly (readonly [RegExp, string])[] = [
  [/Is this a project you created or one you trust\?/, "whether the workspace's folder is to be trusted"],
  [/Let's get started\. .*Choose the text style/, "how it is to be set up"],
  [/Select login method/, "how to log in"],
  [/Detected a custom API key in your environment/, "whether to use ANTHROPIC_API_KEY"],
  [/is for local channel development only/, "whether to load a channel that is in development"],
  [/running in Bypass Permissions mode.*accept/, "whether to accept the mode bypassPermissions"],
];

/** In the line of its state. Without an account it has no channels either. */
const NO_LOGIN = /Not logged in · Run \/login/;
const LOGIN = "it is not logged in: run `claude` in a terminal, and say /login there. Where it is: ";

/** dropping: this process never gets a message. asking: it may, once a person has answered it. */
export interface ScreenTrouble {
  readonly kind: "dropping" | "asking";
  readonly error: WireError;
}

/**
 * Why no message can reach a Claude that was just started, as its screen says it; undefined: it says nothing of
 * that. `session`: whose it is. `reach`: once its plugin is heard there is no dialog any more, and what looks like one
 * are words of the conversation.
 */
export function screenTrouble(
  screen: string,
  session: string,
  reach: Exclude<Reach, "agent">,
): ScreenTrouble | undefined {
  const notices = noticesOn(screen);
  for (const [pattern, remedy] of droppings) {
    const [said] = pattern.exec(notices) ?? [];
    if (said === undefined) continue;
    const first = NO_LOGIN.test(screen) ? LOGIN : "";
    return trouble(
      "dropping",
      `Claude Code takes no messages through its channel ("${said}"): ${first}${remedy}`,
    );
  }
  const shown = screen.replaceAll(/\s+/g, " ");
  for (const [pattern, what] of reach === "nobody" ? dialogs : []) {
    if (!pattern.test(shown)) continue;
    const remedy = `answer it with \`synthesis attach --take-over ${session}\` or by starting claude in that folder once, then send the message again`;
    return trouble("asking", `Claude Code asks ${what}, which is for a person to say: ${remedy}`);
  }
  return undefined;
}

/** Their lines begin with a bar, which those of a conversation do not: what is quoted there is no notice. */
function noticesOn(screen: string): string {
  const lines = screen.split("\n").filter((line) => line.startsWith("▎"));
  return lines.join(" ").replaceAll(/[\s▎]+/g, " ");
}

function notice(text: string): RegExp {
  return new RegExp(`${NOTICE}.{0,200}?${text}`);
}

function trouble(kind: ScreenTrouble["kind"], message: string): ScreenTrouble {
  return { kind, error: { code: "agent_unavailable", message } };
}
