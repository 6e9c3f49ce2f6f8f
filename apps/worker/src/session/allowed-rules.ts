import type { Logger } from "@synthesis/kit";
import { ruleText, type PermissionRule } from "../drivers/claude/permission-rule.ts";
import { keptRules } from "../drivers/claude/session-rules.ts";
import type { Journal } from "../journal/journal.ts";
import type { WorkerConfiguration } from "../worker-configuration.ts";

interface Surroundings {
  readonly configuration: Pick<WorkerConfiguration, "path">;
  readonly journal: Pick<Journal, "allowedRules">;
}

/** What people have allowed for good in a session, as far as it may be here; as it is written in Claude Code's settings. */
export function allowedRules(session: string, { configuration, journal }: Surroundings): string[] {
  return keptRules(journal.allowedRules.of(session), configuration.path).map(ruleText);
}

/** Keeps what a person allows for good in a session. Returns whether all of it could be written. */
export function keepRules(
  session: string,
  rules: readonly PermissionRule[],
  { journal, log }: { readonly journal: Pick<Journal, "allow">; readonly log: Logger },
): boolean {
  try {
    journal.allow(session, rules);
    return true;
  } catch (error) {
    log.error("session.rules_not_kept", { session, error: String(error) });
    return false;
  }
}
