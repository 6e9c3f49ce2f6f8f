import { WireFailure } from "@synthesis/protocol";
import type * as z from "zod";

/** Checks a part of a body; `at` is its path there. Throws `invalid_request` naming what is wrong with it. */
export function readShape<Shape extends z.ZodType>(schema: Shape, value: unknown, at = ""): z.infer<Shape> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = [at, ...(issue?.path ?? [])].filter((segment) => segment !== "").join(".");
  return refuse(path || "the body", issue?.message ?? "is not what is taken here");
}

/** Throws `invalid_request` for the part of a body that has this path. */
export function refuse(at: string, why: string): never {
  throw new WireFailure("invalid_request", `${at}: ${why}`);
}
