import { pluginClientFromEnvironment } from "@synthesis/protocol/plugin-client";
import { EchoAgent } from "./echo-agent.ts";

const agent = new EchoAgent();
const client = pluginClientFromEnvironment({ onInbound: (turn) => agent.answer(turn) });
client.start().catch(() => undefined); // `closed` tells why.
const end = await client.closed;
process.stderr.write(`echo-agent: ${end.message}\n`);
// A running answer was stopped and has nobody to go to.
process.exit(0);
