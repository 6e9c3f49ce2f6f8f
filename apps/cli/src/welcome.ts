export interface WelcomeFacts {
  /** Such as http://127.0.0.1:8787. */
  readonly endpoint: string;
  /** The file that holds the API key; undefined where it came in the environment. */
  readonly keyFile: string | undefined;
  readonly agents: readonly string[];
  readonly configFile: string;
}

/** What `synthesis up` prints when it serves: where, with which key, how to try it, what next. */
export function welcome({ endpoint, keyFile, agents, configFile }: WelcomeFacts): string {
  const key = keyFile === undefined ? "$SYNTHESIS_API_KEY" : `$(cat ${quoted(keyFile)})`;
  const model = agents.includes("echo") ? "echo" : agents[0];
  return `
Synthesis is ready.

  endpoint   ${endpoint}/v1
  API key    ${keyFile ?? "the value of SYNTHESIS_API_KEY"}
  agents     ${agents.join(", ")}
  settings   ${configFile}

Try it in another terminal:

curl -N ${endpoint}/v1/chat/completions \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "${model}", "stream": true, "messages": [{"role": "user", "content": "Hello!"}]}'

Next: point any OpenAI client at the endpoint with the key; its "model" is the agent's name.
      Add your own folders and agents to the settings, then start again. Ctrl-C stops everything.
`;
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
