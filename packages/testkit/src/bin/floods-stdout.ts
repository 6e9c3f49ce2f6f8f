import { once } from "node:events";

/** Writes lines of 1 KiB as fast as they are read, for ever; ends when nobody reads any more. */
const lines = `${"flood ".repeat(170)}pad\n`.repeat(64);
process.stdout.on("error", () => process.exit(0));
for (;;) {
  if (!process.stdout.write(lines)) await once(process.stdout, "drain");
}
