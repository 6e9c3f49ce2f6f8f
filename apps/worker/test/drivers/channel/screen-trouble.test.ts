import { expect, test } from "vitest";
import { screenTrouble } from "../../../src/drivers/channel/screen-trouble.ts";

const notice = (flag: string, what: string, why: string) =>
  `Claude Code v2.1.330\n\n▎ --${flag} ${what} (plugin:synthesis@inline)\n▎ ${why}\n\n❯`;
const said = (screen: string, reach: "nobody" | "plugin" = "nobody") => screenTrouble(screen, "ses_1", reach);

test.each([
  ["channels", "ignored", "Channels are not currently available"],
  ["dangerously-load-development-channels", "ignored", "Channels are not currently available"],
  ["channels", "ignored", "Channels are not available on third-party providers"],
  ["channels", "blocked by org policy", "Inbound messages will be silently dropped"],
])("--%s %s: %s", (flag, what, why) => {
  const trouble = said(notice(flag, what, why), "plugin");
  expect(trouble).toMatchObject({ kind: "dropping", error: { code: "agent_unavailable" } });
  expect(trouble?.error.message).toContain(why);
  expect(trouble?.error.message).toContain("driver: headless");
});

test.each([
  "Quick safety check: Is this a project you created or one\n you trust?",
  "Let's get started.\n\n Choose the text style that looks best with your terminal",
  "Detected a custom API key in your environment",
  "--dangerously-load-development-channels is for local channel development only.",
])("a dialog is for a person: %s", (screen) => {
  const trouble = said(screen);
  expect(trouble?.kind).toBe("asking");
  expect(trouble?.error.message).toContain("synthesis attach --take-over ses_1");
  expect(said(screen, "plugin")).toBeUndefined();
});

test("where it is not logged in, that is to be mended first", () => {
  const ignored = notice("channels", "ignored", "Channels are not currently available");
  expect(said(`${ignored}\n  Not logged in · Run /login`)?.error.message).toContain("say /login there");
  expect(said(ignored)?.error.message).not.toContain("/login");
  expect(said("❯ Not logged in · Run /login")).toBeUndefined();
});

test("a prompt and a conversation about channels are no trouble", () => {
  expect(said("❯\n  ⏸ manual mode on · ? for shortcuts")).toBeUndefined();
  const quoted = notice("channels", "ignored", "Channels are not currently available").replaceAll("▎", "  ▎");
  expect(said(quoted, "plugin")).toBeUndefined();
  expect(said("● You see: Channels are not currently available, or --channels ignored.")).toBeUndefined();
});
