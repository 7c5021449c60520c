import type { Emit } from "./telemetry/events.ts";

/** Work that must take nobody down with it: what it throws is told as an event and goes no further. */
export const guarded =
  <Arguments extends readonly unknown[]>(
    emit: Emit,
    work: (...given: Arguments) => void,
  ): ((...given: Arguments) => void) =>
  (...given) => {
    try {
      work(...given);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      emit({ name: "ServiceFailed", detail: `What speaks for the agent failed once and goes on: ${why}.` });
    }
  };
