import { runSupervisor } from "./supervisor.ts";

await runSupervisor();
