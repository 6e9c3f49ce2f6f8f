import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "./config-error.ts";

/** The generated API key's file in the state folder. */
export function apiKeyFile(stateDir: string): string {
  return join(stateDir, "api-key");
}

/** Makes a random 256-bit key, readable by this user only. Leaves a key that is there as it is. */
export function makeApiKey(stateDir: string): void {
  try {
    writeFileSync(apiKeyFile(stateDir), `sk-synthesis-${randomBytes(32).toString("base64url")}\n`, {
      mode: 0o600,
      flag: "wx",
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** The key in `file`. Throws {@link ConfigError} where there is none. */
export function readApiKey(file: string): string {
  let key: string;
  try {
    key = readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new ConfigError(
      `${file}: the API key cannot be read (${(cause as NodeJS.ErrnoException).code ?? "error"})`,
      { cause },
    );
  }
  if (key.length < 16)
    throw new ConfigError(`${file}: the API key is shorter than 16 characters: put a longer one there`);
  return key;
}

/** SHA-256 of a key, hex: what the processes compare. */
export function apiKeyDigest(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
