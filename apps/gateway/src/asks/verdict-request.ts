import type { RequestIdentity, Said } from "@synthesis/protocol";
import type { RequestParts } from "../identity/request-identity.ts";
import type { TurnRequest } from "../turn-request/turn-request.ts";
import type { WorkerLink } from "../worker/worker-link.ts";

/** A request whose message may be a verdict, as far as that matters. */
export interface VerdictRequest extends RequestParts {
  readonly agent: { readonly name: string };
  readonly turnRequest: Pick<TurnRequest, "isStreamed">;
  readonly request: RequestIdentity;
  /** What its user wrote; undefined: nothing that can be a verdict. */
  readonly said: Said | undefined;
  /** When it was read, epoch ms. */
  readonly receivedAt: number;
  /** The link to its worker; after `drained`, the link to the generation that follows. */
  readonly connect: (drained?: WorkerLink) => Promise<WorkerLink>;
}
