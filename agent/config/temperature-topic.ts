import { topicMatches } from "../mqtt/topics.ts";
import { type Mistake, type Path, show } from "./mistakes.ts";

/**
 * The mistake of a `chip.temperature.topic` that a stream takes, too: whoever listens beside the streams takes a message
 * from them. Then `chip.temperature.stream` is what is meant.
 */
export const topicOfStreams = (data: unknown, where: (path: Path) => string): Mistake[] => {
  const { chip, streams, mqtt } = (data ?? {}) as {
    readonly chip?: { readonly temperature?: { readonly topic?: unknown } } | null;
    readonly streams?: unknown;
    readonly mqtt?: { readonly base?: unknown } | null;
  };
  const topic = chip?.temperature?.topic;
  if (typeof topic !== "string" || !Array.isArray(streams)) return [];
  const filterOf = (stream: { readonly name?: unknown; readonly topic?: unknown } | null): string =>
    String(stream?.topic ?? `${mqtt?.base ?? "ohmwatch"}/in/${stream?.name}`);
  const taker = streams.find((stream) => topicMatches(filterOf(stream), topic));
  if (taker === undefined) return [];
  const path = ["chip", "temperature", "topic"];
  const expected = `a topic that no stream takes, or chip.temperature.stream: ${taker.name}`;
  return [{ where: where(path), path, expected, got: show(topic) }];
};
