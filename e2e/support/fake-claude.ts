import { fakeClaudeCommand, tempFolder } from "@synthesis/testkit";
import { Synthesis, type SynthesisOptions } from "./synthesis.ts";

/** Synthesis with testkit's fake Claude Code, for what the real one cannot be made to do at will. */
export async function startWithFakeClaude(options: SynthesisOptions = {}): Promise<Synthesis> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await tempFolder());
  const claude = { bin: await fakeClaudeCommand(folder.path), env: { CLAUDE_CONFIG_DIR: folder.path } };
  const synthesis = await Synthesis.start({ claude, ...options });
  synthesis.alsoRemove(stack.move());
  return synthesis;
}
