import type { Config, StreamConfig } from "../config/schema.ts";
import type { Emit } from "../telemetry/events.ts";
import type { MqttMessage } from "./message.ts";
import { MessageQueue, type QueueLimits } from "./message-queue.ts";
import type { MessageHandler } from "./receive.ts";
import { topicMatches, withoutCovered } from "./topics.ts";

/** The topic filter of a stream: its own, or `{base}/in/{name}`. */
export const topicOf = (stream: StreamConfig, base: string): string => stream.topic ?? `${base}/in/${stream.name}`;

/** The filters to subscribe to. All of `{base}/in` is among them, so that senders nobody configured are noticed. */
export const filtersOf = ({ mqtt, streams }: Config): readonly string[] =>
  withoutCovered([`${mqtt.base}/in/#`, ...streams.map((stream) => topicOf(stream, mqtt.base))]);

/** Where the messages of a stream go. */
export type StreamSink = (message: MqttMessage) => void;

/** Messages from the connection to the streams. */
export interface Subscription {
  readonly onMessage: MessageHandler;
  /** Messages waiting, by stream. */
  waiting(stream: string): number;
  /** Resolves when no queue holds anything. */
  drained(): Promise<void>;
  /**
   * Route by another configuration from now on. What waits stays, in order: for a stream that is still there it goes to
   * its new sink; one that is gone takes no more, and its sink is called until its queue is empty, then `onGone`.
   */
  route(config: Config, sinks: ReadonlyMap<string, StreamSink>, onGone: (stream: string) => void): void;
}

interface Route {
  readonly stream: string;
  readonly filter: string;
  /** The stream's sink, or what counts its messages as lost where it has none. */
  readonly handle: StreamSink;
  readonly queue: MessageQueue;
}

const limitsOf = ({ queue }: StreamConfig): QueueLimits => ({
  messages: queue.maxMessages,
  bytes: queue.maxMegabytes * 1e6,
});

/** Time spent on messages before input and output get their turn, ms: far below a keep-alive, far above a turn's cost. */
const turnMs = 2;

/** Topics whose routes are remembered; more are looked up anew. */
const topicsRemembered = 10_000;

/**
 * Route messages by topic into one bounded queue a stream, and hand them on in turns, one of each stream, giving way
 * to input and output between the turns: a busy stream neither starves the others nor the keep-alive of the broker.
 *
 * @param sinks by stream name; they run synchronously
 */
export const subscribe = (config: Config, sinks: ReadonlyMap<string, StreamSink>, emit: Emit): Subscription => {
  const routesOf = ({ streams, mqtt }: Config, sinks: ReadonlyMap<string, StreamSink>): readonly Route[] =>
    streams.map((stream) => ({
      stream: stream.name,
      filter: topicOf(stream, mqtt.base),
      handle:
        sinks.get(stream.name) ??
        (() => emit({ name: "MessageDropped", stream: stream.name, reason: "stream-stopped" })),
      queue: new MessageQueue(limitsOf(stream), stream.queue.policy, () =>
        emit({ name: "MessageDropped", stream: stream.name, reason: "queue-full" }),
      ),
    }));
  let routes = routesOf(config, sinks);
  /** Streams that are gone from the configuration, until their queues are empty. */
  let leaving: readonly { readonly route: Route; readonly onGone: (stream: string) => void }[] = [];
  /** Topics seen with their routes: a gateway sees the same few, and comparing with a thousand filters takes long. */
  const seen = new Map<string, readonly Route[]>();
  const routesFor = (topic: string): readonly Route[] => {
    const known = seen.get(topic);
    if (known !== undefined) return known;
    const matching = routes.filter(({ filter }) => topicMatches(filter, topic));
    if (seen.size >= topicsRemembered) seen.clear();
    seen.set(topic, matching);
    return matching;
  };
  let isScheduled = false;
  let whenDrained: (() => void)[] = [];
  const round = (): boolean => {
    let handled = false;
    for (const { queue, handle } of routes) handled = queue.handleOne(handle) || handled;
    if (leaving.length === 0) return handled;
    for (const { route } of leaving) handled = route.queue.handleOne(route.handle) || handled;
    for (const { route, onGone } of leaving) if (route.queue.length === 0) onGone(route.stream);
    leaving = leaving.filter(({ route }) => route.queue.length > 0);
    return handled;
  };
  const turn = (): void => {
    isScheduled = false;
    const until = performance.now() + turnMs;
    let handled = round();
    while (handled && performance.now() < until) handled = round();
    if (handled) {
      schedule();
      return;
    }
    const waiting = whenDrained;
    whenDrained = [];
    for (const resolve of waiting) resolve();
  };
  const schedule = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(turn);
  };
  return {
    onMessage: (message, { goOn, handled }) => {
      const matching = routesFor(message.topic);
      if (matching.length === 0) {
        const detail = `A message came on ${message.topic.slice(0, 200)}, which no stream takes.`;
        emit({ name: "MessageUnrouted", reason: "topic-not-configured", detail });
        handled();
        return goOn();
      }
      if (message.isRetained === true) {
        for (const { stream } of matching) emit({ name: "MessageDropped", stream, reason: "retained" });
        handled();
        return goOn();
      }
      if (matching.length === 1) {
        matching[0]!.queue.push(message, { goOn, handled });
        schedule();
        return;
      }
      let full = matching.length;
      let open = matching.length;
      const sender = { goOn: () => --full === 0 && goOn(), handled: () => --open === 0 && handled() };
      for (const { queue } of matching) queue.push(message, sender);
      schedule();
    },
    waiting: (stream) => routes.find((route) => route.stream === stream)?.queue.length ?? 0,
    drained: () =>
      new Promise((resolve) => {
        whenDrained.push(resolve);
        schedule();
      }),
    route: (next, nextSinks, onGone) => {
      const before = routes;
      routes = routesOf(next, nextSinks);
      seen.clear();
      for (const old of before) {
        const heir = routes.find(({ stream }) => stream === old.stream);
        if (heir === undefined) leaving = [...leaving, { route: old, onGone }];
        else heir.queue.takeOver(old.queue);
      }
      schedule();
    },
  };
};
