import { WireFailure } from "@synthesis/protocol";
import type { Route } from "./route-context.ts";

/** `DELETE /v1/responses/:id`: refused, for an answer is part of its conversation. */
export const deleteResponse: Route = async () => {
  throw new WireFailure(
    "method_not_allowed",
    "a response is not deleted alone: DELETE /v1/synthesis/sessions/ID forgets its session, and answers are forgotten after limits.joinMs",
  );
};
