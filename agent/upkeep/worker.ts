import { stepBack } from "./step-back.ts";

/*
 * The thread that looks after the chips while the main thread classifies. An error ends it; the main thread says so and
 * goes on with what the chips show.
 */

stepBack();
// Only now: loading takes a core for a fifth of a second, too.
await import("./upkeep-loop.ts");
