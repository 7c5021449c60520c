import type { StreamSink } from "../mqtt/subscribe.ts";
import type { Emit } from "../telemetry/events.ts";
import type { Journal } from "./journal.ts";

/**
 * Run what a killed agent had in its windows through the streams again, before anything new. Anomalies that this raises
 * a second time have the id they had. What belongs to a stream that is gone is left out.
 */
export const recover = (journal: Journal, sinks: ReadonlyMap<string, StreamSink>, emit: Emit): void => {
  const counts = new Map<string, number>();
  for (const { stream, message } of journal.recover()) {
    sinks.get(stream)?.(message);
    counts.set(stream, (counts.get(stream) ?? 0) + 1);
  }
  journal.commit();
  for (const [stream, count] of counts) {
    const detail = `${count} messages that the last run had acknowledged but not finished were taken up again.`;
    emit({ name: "MessagesRecovered", stream, count, detail });
  }
};
