import { HeadlessAsks } from "@synthesis/config";

/** An agent's `asks` where nothing is configured. */
export const defaultAsks = HeadlessAsks.parse({});
