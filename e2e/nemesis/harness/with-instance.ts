import { Instance } from "../instance/instance.ts";
import type { InstanceOptions } from "../instance/instance-files.ts";
import { RunFolder } from "../run/run-folder.ts";

/** Runs `body` with an instance of its own; its logs are kept where that throws or returns false. */
export async function withInstance(
  options: Omit<InstanceOptions, "folder">,
  body: (instance: Instance, folder: RunFolder) => Promise<boolean>,
): Promise<boolean> {
  await using folder = await RunFolder.make();
  const instance = await Instance.start({ ...options, folder: folder.path });
  let isWell = false;
  try {
    isWell = await body(instance, folder);
  } finally {
    await instance.stop();
    if (!isWell) {
      folder.keep();
      process.stdout.write(`logs: ${folder.path}\n`);
    }
  }
  return isWell;
}
