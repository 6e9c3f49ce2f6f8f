/** Variables that a program needs to find its way, by name. */
const plain = new Set([
  "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM", "TMPDIR", "HOSTNAME",
  "SSH_AUTH_SOCK", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR",
  "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
  "CLOUD_ML_REGION", "API_TIMEOUT_MS", "DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING", "DISABLE_AUTOUPDATER",
]); // prettier-ignore
/** Families of variables that configure Claude and the accounts it may be driven with. */
const families = [
  "LC_",
  "XDG_",
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
/** What a Claude Code around us says of itself. */
const never = new Set(["CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT", "CLAUDE_CODE_SESSION_ID"]);

/**
 * The environment of an agent process: an allow-list, so that neither Synthesis's own secrets nor variables
 * that inject code (`NODE_OPTIONS`, `LD_PRELOAD`, …) reach it. What the configuration names is added as it is.
 */
export function childEnvironment(
  source: NodeJS.ProcessEnv,
  ...added: readonly Readonly<Record<string, string>>[]
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(source)) {
    if (value !== undefined && isAllowed(name)) kept[name] = value;
  }
  return Object.assign(kept, ...added);
}

function isAllowed(name: string): boolean {
  if (never.has(name)) return false;
  return plain.has(name) || families.some((family) => name.startsWith(family));
}
