import { Settings } from "@synthesis/config";
import * as z from "zod";

/** What `synthesis up` hands the supervisor. */
export const SupervisorConfiguration = z.object({ settings: Settings });
export type SupervisorConfiguration = z.infer<typeof SupervisorConfiguration>;
