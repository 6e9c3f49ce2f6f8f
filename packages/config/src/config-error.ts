/** The configuration cannot be used. Each line of `message` names the file, the line and the remedy. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
