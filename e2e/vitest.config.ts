import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Each file drives whole instances of the product, with a real Claude Code in them.
    fileParallelism: false,
    globalSetup: "../packages/claude-plugin/build.mjs",
    testTimeout: 30_000,
  },
});
