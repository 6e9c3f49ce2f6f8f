import { join } from "node:path";

/**
 * The whole environment in which the real CLI talks to a stand-in only: a home of its own (`homeDir` must
 * exist), a made-up key and no traffic of its own accord. Nothing of this process but PATH and LANG gets in.
 */
export function claudeEnv(api: { readonly url: string }, homeDir: string): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    LANG: process.env["LANG"] ?? "C.UTF-8",
    HOME: homeDir,
    TMPDIR: homeDir,
    CLAUDE_CONFIG_DIR: join(homeDir, ".claude"),
    ANTHROPIC_BASE_URL: api.url,
    ANTHROPIC_API_KEY: "sk-ant-standin-not-a-key",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1",
    DISABLE_TELEMETRY: "1",
    DISABLE_ERROR_REPORTING: "1",
  };
}
