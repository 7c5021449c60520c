import type { MqttMessage } from "../mqtt/message.ts";
import type { Emit } from "../telemetry/events.ts";
import type { Journal } from "./journal.ts";
import type { Place } from "./record.ts";

/** Takes a message again, as it was taken at that place. */
export interface Reader {
  again(message: MqttMessage, place: Place): void;
}

/**
 * Run what a killed agent had in its windows through the streams again, before anything new: the same frames, with the read
 * noise that they had. Anomalies that this raises a second time have the id they had. What belongs to a stream that is gone
 * is left out.
 */
export const recover = (journal: Journal, readers: ReadonlyMap<string, Reader>, emit: Emit): void => {
  const counts = new Map<string, number>();
  for (const { stream, message, ...place } of journal.recover()) {
    readers.get(stream)?.again(message, place);
    counts.set(stream, (counts.get(stream) ?? 0) + 1);
  }
  journal.commit();
  for (const [stream, count] of counts) {
    const detail = `${count} messages that the last run had acknowledged but not finished were taken up again.`;
    emit({ name: "MessagesRecovered", stream, count, detail });
  }
};
