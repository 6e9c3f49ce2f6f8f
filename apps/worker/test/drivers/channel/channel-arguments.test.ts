import { HeadlessAsks } from "@synthesis/config";
import { expect, test } from "vitest";
import { channelArguments, type ChannelSettings } from "../../../src/drivers/channel/channel-arguments.ts";

const settings: ChannelSettings = {
  driver: "channel",
  workspace: "w",
  terminal: "own",
  channels: "approved",
  permissionMode: "default",
  files: "link",
  asks: HeadlessAsks.parse({ allow: ["Read", "Bash(git status:*)"], deny: ["WebFetch"] }),
};

test.for<[folder: string, rule: string]>([
  ["/a b,!#{d}", "Read(//a b,!#{d}/**)"],
  [String.raw`/a[*](c)\b?`, "Read(//a????c??b?/**)"],
])("a folder called %s is written as %s in a rule", ([folder, rule]) => {
  expect(channelArguments(settings, { folder })).toContain(`--allowedTools=${rule}`);
});

test("rules of the configuration are Claude's own, so that nobody is asked", () => {
  expect(channelArguments(settings, { folder: "/state/received/s" })).toEqual([
    expect.stringMatching(/^--plugin-dir=.*claude-plugin$/),
    expect.stringMatching(/^--channels=/),
    "--permission-mode=default",
    "--allowedTools=Read(//state/received/s/**)",
    "--allowedTools=Read",
    "--allowedTools=Bash(git status:*)",
    "--disallowedTools=WebFetch",
  ]);
});
