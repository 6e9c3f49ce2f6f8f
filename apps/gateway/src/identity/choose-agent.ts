import { printable } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";

/** The agent that a request is for. */
export interface ChosenAgent {
  readonly name: string;
  readonly workspace: string;
  /** The Claude model asked for as `<agent>/<claude model>`. */
  readonly model: string | undefined;
}

export interface AgentDirectory {
  readonly agents: Readonly<Record<string, { readonly workspace: string }>>;
  readonly defaultAgent?: string | undefined;
}

const CLAUDE_MODEL = /^[A-Za-z0-9][A-Za-z0-9._:@[\]-]{0,127}$/;

/**
 * The agent that `model` names, else the one that `x-openclaw-agent-id` names; the default only where `model`
 * is absent. Throws `model_not_found`, naming the agents there are.
 */
export function chooseAgent(
  { agents, defaultAgent }: AgentDirectory,
  model: string | undefined,
  headerAgent: string | undefined,
): ChosenAgent {
  const choose = (name: string | undefined, claudeModel?: string): ChosenAgent | undefined => {
    const agent = name !== undefined && Object.hasOwn(agents, name) ? agents[name] : undefined;
    return agent && name !== undefined ? { name, workspace: agent.workspace, model: claudeModel } : undefined;
  };
  const chosen =
    choose(model) ??
    chooseWithModel(model, choose) ??
    choose(headerAgent) ??
    (model === undefined ? choose(defaultAgent) : undefined);
  if (chosen) return chosen;
  const asked =
    model === undefined
      ? "no model was named and there is no default agent"
      : `no agent is called "${printable(model)}"`;
  throw new WireFailure(
    "model_not_found",
    `${asked}: use one of ${Object.keys(agents).join(", ")} as the model`,
  );
}

function chooseWithModel(
  model: string | undefined,
  choose: (name: string, claudeModel: string) => ChosenAgent | undefined,
): ChosenAgent | undefined {
  const slash = model?.indexOf("/") ?? -1;
  if (model === undefined || slash === -1) return undefined;
  const claudeModel = model.slice(slash + 1);
  return CLAUDE_MODEL.test(claudeModel) ? choose(model.slice(0, slash), claudeModel) : undefined;
}
