/*
 * OpenClaw's system prompt (2026.9.6): some 30 kB, a STABLE part and a DYNAMIC one between markers, in sections with
 * headings. The sections that change by the day, or tell of a model that the agent is not, are left out. The rest of
 * DYNAMIC stays: it says how OpenClaw reads an answer (NO_REPLY, directives, messaging). It and the list of tools are
 * others at a terminal than in a chat, within one conversation: to tell the agent all of it again each time would fill
 * the conversation with it, so only what the user wrote, the workspace's files, counts as a change.
 */
const MARKER = /<!-- \/?openclaw:attempt:(?:STABLE|DYNAMIC) -->\n?/g;
const DYNAMIC = "<!-- openclaw:attempt:DYNAMIC -->";
const STABLE_END = "<!-- /openclaw:attempt:STABLE -->";
const FILES = "\n## Workspace Files (injected)\n";
const OF_THE_MOMENT = /^## (?:Temporal Context|Runtime)\n/;
/** Said where OpenClaw offers no tools; an agent has its own. */
const NO_TOOLS = /^## Tool availability\n+This model cannot use tools in this run\./;

/** What of OpenClaw's system prompt an agent is told. */
export function openclawInstructions(system: string): string {
  const dynamic = system.indexOf(DYNAMIC);
  const sections = dynamic === -1 ? [] : sectionsOf(system.slice(dynamic));
  return [
    ...sectionsOf(dynamic === -1 ? system : system.slice(0, dynamic)),
    ...sections.filter((section) => !OF_THE_MOMENT.test(section)),
  ]
    .filter((section) => !NO_TOOLS.test(section))
    .join("")
    .trim();
}

/** What of it counts as a change; undefined: all of it, for it is none of OpenClaw's usual ones. */
export function lastingInstructions(system: string): string | undefined {
  const from = system.indexOf(FILES);
  const to = system.indexOf(STABLE_END);
  return to === -1 ? undefined : system.slice(from === -1 ? to : from, to);
}

function sectionsOf(text: string): string[] {
  return text.replaceAll(MARKER, "").split(/^(?=## )/m);
}
