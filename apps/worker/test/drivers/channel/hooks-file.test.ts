import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ChannelAsks } from "@synthesis/config";
import { expect, test } from "vitest";

const plugin = import.meta.resolve("@synthesis/claude-plugin/package.json");

test("Claude Code waits for a verdict longer than a person may take for it, and for the one before it", async () => {
  const text = await readFile(fileURLToPath(new URL("hooks/hooks.json", plugin)), "utf8");
  const [{ hooks }] = JSON.parse(text).hooks.PermissionRequest;
  const waitsMs = hooks[0].timeout * 1_000;
  const longestMs = ChannelAsks.shape.deadlineMs.unwrap().maxValue ?? Number.POSITIVE_INFINITY;
  expect(longestMs * 2).toBeLessThan(waitsMs);
});
