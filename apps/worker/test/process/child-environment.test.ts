import { expect, test } from "vitest";
import { claudeEnvironment, programEnvironment } from "../../src/process/child-environment.ts";

const passed = {
  PATH: "/bin",
  HOME: "/home/me",
  LANG: "C.UTF-8",
  LC_ALL: "C",
  TMPDIR: "/tmp",
  XDG_CONFIG_HOME: "/home/me/.config",
  HTTPS_PROXY: "http://proxy",
  no_proxy: "localhost",
  SSH_AUTH_SOCK: "/run/agent",
  NODE_EXTRA_CA_CERTS: "/ca.pem",
  ANTHROPIC_API_KEY: "sk",
  ANTHROPIC_BASE_URL: "http://api",
  CLAUDE_CODE_USE_BEDROCK: "1",
  CLAUDE_CONFIG_DIR: "/claude",
  AWS_REGION: "eu",
  GOOGLE_APPLICATION_CREDENTIALS: "/key.json",
  MCP_TIMEOUT: "1000",
  BASH_DEFAULT_TIMEOUT_MS: "1000",
  BASH_MAX_OUTPUT_LENGTH: "1000",
};
const withheld = {
  SYNTHESIS_API_KEY: "secret",
  SYNTHESIS_CONFIG: "/x",
  SYNTHESIS_BRIDGE_URL: "ws://other",
  SYNTHESIS_MARK: "other",
  OPENAI_API_KEY: "secret",
  NODE_OPTIONS: "--require /evil.js",
  NODE_PATH: "/evil",
  NODE_COMPILE_CACHE: "/cache",
  LD_PRELOAD: "/evil.so",
  LD_LIBRARY_PATH: "/evil",
  DYLD_INSERT_LIBRARIES: "/evil",
  BASH_ENV: "/evil.sh",
  "BASH_FUNC_ls%%": "() { evil; }",
  ENV: "/evil.sh",
  PYTHONSTARTUP: "/evil.py",
  CLAUDECODE: "1",
  CLAUDE_CODE_ENTRYPOINT: "cli",
  CLAUDE_CODE_SSE_PORT: "1",
  CLAUDE_CODE_SESSION_ID: "id",
  CLAUDE_CODE_RESUME_INTERRUPTED_TURN: "1",
  EDITOR: "vi",
};

test("exactly the variables of the allow-list reach Claude", () => {
  expect(claudeEnvironment({ ...withheld, ...passed, UNSET: undefined })).toEqual(passed);
});

test("a program gets what any program needs, and none of Claude's account", () => {
  const plain = Object.entries(passed).filter(
    ([name]) => !/^(ANTHROPIC|CLAUDE|AWS|GOOGLE|MCP|BASH)_/.test(name),
  );
  expect(programEnvironment({ ...withheld, ...passed })).toEqual(Object.fromEntries(plain));
});

test.for(Object.keys(withheld))("%s never reaches a child by itself", (name) => {
  expect(claudeEnvironment({ [name]: "x" })).toEqual({});
  expect(programEnvironment({ [name]: "x" })).toEqual({});
});
