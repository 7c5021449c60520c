import { expect, it } from "vitest";
import { Observers } from "../../agent/observers.ts";
import type { AgentEvent } from "../../agent/telemetry/events.ts";
import type { Classification } from "../../pipelines/signal.ts";

it("An observer that fails is an event; those after it still look, and nothing reaches the stream", () => {
  const events: AgentEvent[] = [];
  const observers = new Observers((event) => events.push(event));
  const seen: string[] = [];
  observers.onClassification(() => {
    throw new Error("disk I/O error");
  });
  observers.onClassification(({ label }) => seen.push(label));
  observers.classification({ label: "N" } as Classification);
  observers.classification({ label: "V" } as Classification);
  expect(seen).toEqual(["N", "V"]);
  expect(events).toHaveLength(2);
  expect(events[0]).toEqual({
    name: "ServiceFailed",
    detail: "What speaks for the agent failed once and goes on: disk I/O error.",
  });
});
