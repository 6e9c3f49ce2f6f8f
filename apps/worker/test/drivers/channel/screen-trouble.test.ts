import { expect, test } from "vitest";
import { screenTrouble } from "../../../src/drivers/channel/screen-trouble.ts";

const notice = (flag: string, what: string, why: string) =>
  `Claude Code v2.1.330\n\n▎ --${flag} ${what} (plugin:synthesis@inline)\n▎ ${why}\n\n❯`;
const said = (screen: string) => screenTrouble(screen, "ses_1");

test.each([
  ["channels", "ignored", "Channels are not currently available"],
  ["dangerously-load-development-channels", "ignored", "Channels are not currently available"],
  ["channels", "ignored", "Channels are not available on third-party providers"],
  ["channels", "blocked by org policy", "Inbound messages will be silently dropped"],
])("--%s %s: %s", (flag, what, why) => {
  const trouble = said(notice(flag, what, why));
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
});

test("a prompt and a conversation about channels are no trouble", () => {
  expect(said("❯\n  ⏸ manual mode on · ? for shortcuts")).toBeUndefined();
  expect(said("● You see: Channels are not currently available, or --channels ignored.")).toBeUndefined();
});
