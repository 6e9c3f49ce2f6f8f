/** Variables that any program needs to find its way. */
const plain = new Set([
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LANGUAGE",
  "TZ",
  "TERM",
  "TMPDIR",
  "HOSTNAME",
  "SSH_AUTH_SOCK",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
]);
const plainFamilies = ["LC_", "XDG_"];

/** What configures Claude Code, and the accounts that it may be driven with. */
const claude = new Set([
  "CLOUD_ML_REGION",
  "API_TIMEOUT_MS",
  "DISABLE_TELEMETRY",
  "DISABLE_ERROR_REPORTING",
  "DISABLE_AUTOUPDATER",
]);
const claudeFamilies = [
  "ANTHROPIC_",
  "CLAUDE_CODE_",
  "CLAUDE_CONFIG_",
  "AWS_",
  "GOOGLE_",
  "VERTEX_",
  "AZURE_",
  "MCP_",
  "BASH_DEFAULT_",
  "BASH_MAX_",
];
/** What a Claude Code around us says of itself, and what would make one run a turn that nobody asked for. */
const never = new Set([
  "CLAUDE_CODE_ENTRYPOINT",
  "CLAUDE_CODE_SSE_PORT",
  "CLAUDE_CODE_SESSION_ID",
  "CLAUDE_CODE_RESUME_INTERRUPTED_TURN",
]);

/**
 * The environment of a `command` program: an allow-list, so that neither secrets of Synthesis and Claude nor
 * variables that inject code (`NODE_OPTIONS`, `LD_PRELOAD`, …) reach it. Its configuration may add to it.
 */
export function programEnvironment(source: NodeJS.ProcessEnv): Record<string, string> {
  return pick(source, isPlain);
}

/** The environment of Claude Code: that of a program, and what configures Claude and its account. */
export function claudeEnvironment(source: NodeJS.ProcessEnv): Record<string, string> {
  return pick(source, (name) => isPlain(name) || isClaudes(name));
}

function isPlain(name: string): boolean {
  return plain.has(name) || plainFamilies.some((family) => name.startsWith(family));
}

function isClaudes(name: string): boolean {
  if (never.has(name)) return false;
  return claude.has(name) || claudeFamilies.some((family) => name.startsWith(family));
}

function pick(source: NodeJS.ProcessEnv, isAllowed: (name: string) => boolean): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(source)) {
    if (value !== undefined && isAllowed(name)) kept[name] = value;
  }
  return kept;
}
