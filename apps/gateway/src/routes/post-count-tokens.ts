import { WireFailure } from "@synthesis/protocol";
import type { Route } from "./route-context.ts";

/** `POST /v1/messages/count_tokens`: nobody here can tell what Claude Code makes of a conversation. */
export const postCountTokens: Route = async () => {
  throw new WireFailure(
    "not_found",
    "tokens cannot be counted beforehand here: the usage of an answer says how many it took",
  );
};
