import type { AgentTurn } from "../agent-process.ts";
import type { HeadlessSettings } from "./claude-arguments.ts";
import { functionsChangedNotice, setEffortRequest, setModelRequest, userMessage } from "./claude-message.ts";
import type { ClientServer } from "./client-server.ts";
import { promptContent, type OpenCall } from "./prompt-content.ts";

export interface PrompterOptions {
  readonly settings: Pick<HeadlessSettings, "model" | "instructions">;
  /** The model that the process is started with. */
  readonly startModel: string | undefined;
  /** The client's instructions that it is started with. */
  readonly instructions: string | undefined;
  readonly server: ClientServer;
}

/** Knows what one Claude process was told, and what it is to be told for its next turn. */
export class Prompter {
  /** The calls with which its last turn ended. */
  openCalls: readonly OpenCall[] = [];
  readonly #options: PrompterOptions;
  #model: string | undefined;
  #effort: AgentTurn["effort"];
  #instructions: string | undefined;

  constructor(options: PrompterOptions) {
    this.#options = options;
    this.#model = options.startModel;
    this.#instructions = options.instructions;
  }

  /** The lines with which a turn begins. One that Claude begins by itself is not `asked` for. */
  linesOf(turn: AgentTurn, { asked }: { readonly asked: boolean }): string {
    const { isNews, redefined } = this.#options.server.offer(turn.tools);
    const offer = isNews ? functionsChangedNotice() : "";
    if (!asked) return offer;
    const notes = [...this.#newInstructions(turn), ...redefined.map(redefinition)];
    const message = userMessage(turn.id, promptContent(turn.prompt, this.openCalls, notes));
    this.openCalls = [];
    return offer + this.#newSettings(turn) + message;
  }

  #newSettings({ model = this.#options.settings.model, effort }: AgentTurn): string {
    const lines = [
      model === this.#model ? "" : setModelRequest(model),
      effort === this.#effort ? "" : setEffortRequest(effort),
    ];
    this.#model = model;
    this.#effort = effort;
    return lines.join("");
  }

  #newInstructions({ instructions }: AgentTurn): string[] {
    const { instructions: policy } = this.#options.settings;
    if (policy === "ignore" || instructions === undefined || instructions === this.#instructions) return [];
    this.#instructions = instructions;
    return [`The instructions of the client are now:\n\n${instructions}`];
  }
}

function redefinition({ name, ...definition }: AgentTurn["tools"][number]): string {
  return `The client's function ${name} is now defined so: ${JSON.stringify(definition)}`;
}
