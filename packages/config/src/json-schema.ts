import * as z from "zod";
import { ConfigFile } from "./schema.ts";

/** The JSON Schema of `synthesis.config.yaml`, for editors. */
export function configJsonSchema(): object {
  // A default that depends on the machine must not stand in a published file.
  const schema = z.toJSONSchema(ConfigFile, {
    io: "input",
    override: ({ jsonSchema, path }) => {
      if (path.at(-1) === "memoryMb") delete jsonSchema.default;
    },
  });
  return { title: "synthesis.config.yaml", ...schema };
}
