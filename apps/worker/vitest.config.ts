import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { globalSetup: "../../packages/claude-plugin/build.mjs" },
});
