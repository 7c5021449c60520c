import type { Agent } from "../agent.ts";
import { commandNames } from "../bridge/commands.ts";
import type { Config } from "../config/schema.ts";
import { guarded } from "../guarded.ts";
import { type DiscoveredDevice, gatewayDevice, stateTopicsOf, streamDevice } from "./discovery.ts";
import { StreamState } from "./stream-state.ts";

/** States are told at most this often; changes of alarms at once. */
const everyMs = 1000;
/** Home Assistant asks all devices at once when it starts: each answers after a time of its own. */
const longestDelayMs = 5000;

/**
 * Make the agent known to Home Assistant: a device for itself and one for each stream, discovered over MQTT, with the
 * states of their entities. Told again when Home Assistant comes back and when the streams change.
 *
 * @param random 0 … 1, for the delay of an answer
 */
export const startHome = (
  agent: Agent,
  { discoveryPrefix }: NonNullable<Config["home"]>,
  random: () => number = Math.random,
): { stop(): void } => {
  const { connection, observers, store } = agent;
  const { base } = agent.config.mqtt;
  let states = new Map<string, StreamState>();
  let discovered: readonly DiscoveredDevice[] = [];
  const publish = (topic: string, payload: string, retain = true): void => {
    // Told again at the next connection.
    if (connection.isConnected()) connection.publish(topic, payload, { retain, qos: 1 }).catch(() => {});
  };
  const topicOf = ({ objectId }: DiscoveredDevice): string => `${discoveryPrefix}/device/${objectId}/config`;
  const tellState = (state: StreamState): void => {
    state.isNews = false;
    publish(stateTopicsOf(base, state.statistics.name).state, JSON.stringify(state.report(store)));
  };
  const told = new Map<string, string>();
  const tellAvailability = ({ statistics: { name, stopped, isSourceDead } }: StreamState): void => {
    const availability = stopped === undefined && !isSourceDead ? "online" : "offline";
    if (told.get(name) === availability) return;
    told.set(name, availability);
    publish(stateTopicsOf(base, name).availability, availability);
  };
  const tellAll = (): void => {
    const before = states;
    states = new Map(
      agent.streams.map((statistics) => {
        const old = before.get(statistics.name);
        return [statistics.name, old?.statistics === statistics ? old : new StreamState(statistics)];
      }),
    );
    const gone = discovered;
    discovered = [
      gatewayDevice(agent, commandNames(agent)),
      ...agent.streams.map((statistics) => streamDevice(agent, statistics)),
    ];
    for (const old of gone)
      if (!discovered.some(({ objectId }) => objectId === old.objectId)) publish(topicOf(old), "");
    for (const device of discovered) publish(topicOf(device), JSON.stringify(device.config));
    told.clear();
    for (const state of states.values()) {
      tellState(state);
      tellAvailability(state);
    }
  };
  let answering: NodeJS.Timeout | undefined;
  connection.onConnect(tellAll);
  connection.listen({
    filters: [`${discoveryPrefix}/status`],
    onMessage: ({ payload }) => {
      if (Buffer.from(payload).toString() !== "online") return;
      clearTimeout(answering);
      answering = setTimeout(guarded(agent.telemetry.emit, tellAll), random() * longestDelayMs).unref();
    },
  });
  observers.onStreams(tellAll);
  observers.onClassification((classification) => states.get(classification.stream)?.classified(classification));
  observers.onChange(({ type, anomaly }) => {
    const state = states.get(anomaly.stream);
    if (state === undefined || type === "update") return;
    tellState(state);
    if (type !== "new" || state.statistics.modality !== "audio") return;
    const { id, kind, peakScore } = anomaly;
    publish(
      stateTopicsOf(base, anomaly.stream).heard,
      JSON.stringify({ event_type: kind, id, score: peakScore }),
      false,
    );
  });
  const tellNews = guarded(agent.telemetry.emit, () => {
    for (const state of states.values()) {
      if (state.isNews) tellState(state);
      tellAvailability(state);
    }
  });
  const timer = setInterval(tellNews, everyMs).unref();
  return {
    stop: () => {
      clearInterval(timer);
      clearTimeout(answering);
    },
  };
};
