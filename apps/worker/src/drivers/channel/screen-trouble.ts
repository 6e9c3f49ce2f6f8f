import type { WireError } from "@synthesis/protocol";

/** The plugin as Claude Code names it where it was loaded with `--plugin-dir`. */
export const PLUGIN = "plugin:synthesis@inline";

const HEADLESS = "use an agent with driver: headless, which needs no channels";
/** The line above what it says of them, which no conversation has in this form. */
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

/** What Claude asks a person before it does anything. Synthesis answers none of it. */
const dialogs: readonly (readonly [RegExp, string])[] = [
  [/Is this a project you created or one you trust\?/, "whether the workspace's folder is to be trusted"],
  [/Let's get started\. .*Choose the text style/, "how it is to be set up"],
  [/Select login method/, "how to log in"],
  [/Detected a custom API key in your environment/, "whether to use ANTHROPIC_API_KEY"],
  [/is for local channel development only/, "whether to load a channel that is in development"],
  [/running in Bypass Permissions mode.*accept/, "whether to accept the mode bypassPermissions"],
];

/** dropping: this process never gets a message. asking: it may, once a person has answered it. */
export interface ScreenTrouble {
  readonly kind: "dropping" | "asking";
  readonly error: WireError;
}

/**
 * Why no message can reach a Claude that was just started, as its screen says it; undefined: it says nothing of
 * that. `session`: whose it is.
 */
export function screenTrouble(screen: string, session: string): ScreenTrouble | undefined {
  const shown = screen.replaceAll(/[\s▎]+/g, " ");
  for (const [pattern, remedy] of droppings) {
    const [said] = pattern.exec(shown) ?? [];
    if (said !== undefined)
      return trouble("dropping", `Claude Code takes no messages through its channel ("${said}"): ${remedy}`);
  }
  for (const [pattern, what] of dialogs) {
    if (!pattern.test(shown)) continue;
    const remedy = `answer it with \`synthesis attach --take-over ${session}\` or by starting claude in that folder once, then send the message again`;
    return trouble("asking", `Claude Code asks ${what}, which is for a person to say: ${remedy}`);
  }
  return undefined;
}

function notice(text: string): RegExp {
  return new RegExp(`${NOTICE}.{0,200}?${text}`);
}

function trouble(kind: ScreenTrouble["kind"], message: string): ScreenTrouble {
  return { kind, error: { code: "agent_unavailable", message } };
}
