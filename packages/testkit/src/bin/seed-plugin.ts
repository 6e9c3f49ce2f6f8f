import { SeedLink } from "../seed-plugin/seed-link.ts";

/**
 * A plugin as the seed's contract has it, and nothing more: it must go on working against Synthesis. The
 * prompt says how a turn goes by the first of these words:
 *
 * | prompt            | turn                                                                                  |
 * | ----------------- | ------------------------------------------------------------------------------------- |
 * | any text          | `seed: <prompt>` in two parts with `final:false`, then an empty last one without it   |
 * | `!hold`           | never answers                                                                         |
 * | `!parts`          | `seed: one two three` in three parts 50 ms apart, each `final:false`, then the last    |
 * | `!late`           | answers `seed: late` after 300 ms, then once more unasked `seed: unsolicited`         |
 * | `!twice`          | says hello on a second connection while the turn is pending, answers `seed: second` there |
 * | `!replace-silent` | the same, but the second connection answers this turn never (later ones it does)      |
 * | `!fake-session`   | says hello for another session on a second connection; when that is closed with CODE, answers `seed: CODE` on the first |
 * | `!exit`           | exits with 0, without an answer                                                       |
 *
 * Environment: `SYNTHESIS_BRIDGE_URL`, `SYNTHESIS_SESSION_KEY`. It ends when its current connection does.
 */
const link = new SeedLink(
  process.env["SYNTHESIS_BRIDGE_URL"] ?? "",
  process.env["SYNTHESIS_SESSION_KEY"] ?? "",
);
void link.connect();
