import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { KeySettings } from "@synthesis/config";
import { WireFailure } from "@synthesis/protocol";

/** Who called: the API key they proved. */
export type Caller = Pick<KeySettings, "name" | "client">;

export interface EdgeGuardOptions {
  readonly keys: readonly KeySettings[];
  /** Host headers that are accepted, exactly, in lower case. */
  readonly hosts: ReadonlySet<string>;
}

/**
 * What every request must pass, whatever its route: it was meant for this server (no DNS rebinding), it was
 * not made by a web page, and, except where a route asks for nobody, it carries a key. A link may stand in a page.
 */
export class EdgeGuard {
  readonly #options: EdgeGuardOptions;

  constructor(options: EdgeGuardOptions) {
    this.#options = options;
  }

  /** Throws `host_not_allowed`, `origin_not_allowed` or `invalid_request`. */
  checkOrigin({ headers, rawHeaders, url }: IncomingMessage): void {
    const { hosts } = this.#options;
    const hostCount = rawHeaders.filter(
      (name, index) => index % 2 === 0 && name.toLowerCase() === "host",
    ).length;
    if (hostCount !== 1 || !hosts.has(headers.host?.toLowerCase() ?? "")) {
      throw new WireFailure(
        "host_not_allowed",
        "this server does not answer for that Host: use the address it printed, or add the host to server.allowedHosts",
      );
    }
    if (!url?.startsWith("/"))
      throw new WireFailure("invalid_request", "send the path only as the request's target");
    if (headers.origin !== undefined) throw fromPage();
  }

  /** Throws `origin_not_allowed` for what another site's page embeds or leads to, which may be nothing but a link. */
  checkSite({ headers }: IncomingMessage): void {
    if (headers["sec-fetch-site"] === "cross-site") throw fromPage();
  }

  /**
   * The caller whose key the request carries, as a bearer token or, as Anthropic's SDKs do, in `x-api-key`; undefined
   * where it carries none. Throws `invalid_api_key`.
   */
  identify({ headers }: IncomingMessage): Caller | undefined {
    const { authorization, "x-api-key": apiKey } = headers;
    if (authorization === undefined && apiKey === undefined) return undefined;
    const key =
      authorization === undefined ? String(apiKey) : (/^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? "");
    const digest = createHash("sha256").update(key).digest();
    const match = this.#options.keys.find(({ sha256 }) =>
      timingSafeEqual(Buffer.from(sha256, "hex"), digest),
    );
    if (match === undefined) throw unauthorized();
    return match;
  }

  /** Throws `invalid_api_key` where the request carries none. */
  demand(caller: Caller | undefined): Caller {
    if (caller === undefined) throw unauthorized();
    return caller;
  }
}

function fromPage(): WireFailure {
  const message = "web pages may not call this server: call it from a program";
  return new WireFailure("origin_not_allowed", message);
}

/** The same for every bad credential: how close one came is nobody's business. */
function unauthorized(): WireFailure {
  return new WireFailure(
    "invalid_api_key",
    'the API key is missing or wrong: send "Authorization: Bearer KEY" (or "x-api-key: KEY") with the key that Synthesis printed the place of',
  );
}
