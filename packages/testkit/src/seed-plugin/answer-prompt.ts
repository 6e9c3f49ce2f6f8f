import { setTimeout as pause } from "node:timers/promises";
import type { SeedLink } from "./seed-link.ts";

type Behaviour = (link: SeedLink) => Promise<void> | void;

const behaviours: Readonly<Record<string, Behaviour>> = {
  hold: () => {},
  exit: () => process.exit(0),
  parts: async (link) => {
    for (const part of ["seed: one", " two", " three"]) {
      link.reply(part, false);
      await pause(50);
    }
    link.reply("", true);
  },
  late: async (link) => {
    await pause(300);
    link.reply("seed: late", true);
    link.reply("seed: unsolicited", true);
  },
  twice: async (link) => {
    await link.connect();
    link.reply("seed: second", true);
  },
  "replace-silent": (link) => link.connect(),
  "fake-session": async (link) => link.reply(`seed: ${await link.impersonate("somebody::else")}`, true),
};

/** Answers one prompt; the table of directives is in `bin/seed-plugin.ts`. */
export async function answerPrompt(link: SeedLink, prompt: string): Promise<void> {
  const names = prompt.matchAll(/(?<!\S)!([a-z-]+)/g);
  for (const [, name = ""] of names) {
    const behaviour = Object.hasOwn(behaviours, name) ? behaviours[name] : undefined;
    if (behaviour !== undefined) return behaviour(link);
  }
  link.reply("seed: ", false);
  link.reply(prompt, false);
  link.reply("", true);
}
