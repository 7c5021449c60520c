import type { Agent } from "../agent.ts";
import type { StreamStatistics } from "../stream-statistics.ts";
import { version } from "../version.ts";

/** A device with its entities, as Home Assistant discovers it: MQTT discovery, device form (2024.12). */
export interface DiscoveredDevice {
  /** Last part but one of its topic; unique at the broker. */
  readonly objectId: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Topics of the states of a stream. */
export const stateTopicsOf = (base: string, stream: string) =>
  ({
    state: `${base}/bridge/streams/${stream}/state`,
    heard: `${base}/bridge/streams/${stream}/heard`,
    availability: `${base}/bridge/streams/${stream}/availability`,
  }) as const;

/** What a binary sensor means, by what the stream is of. */
const deviceClasses = { vibration: "vibration", audio: "sound", ecg: "problem", sensor: "problem" } as const;

type Component = Readonly<Record<string, unknown>> & { readonly p: string; readonly name: string };

/** The agent itself: how it is, and what it can be asked to do. */
export const gatewayDevice = (agent: Agent, commands: Iterable<string>): DiscoveredDevice => {
  const { base, clientId } = agent.config.mqtt;
  const health = { state_topic: `${base}/bridge/health`, entity_category: "diagnostic" };
  const measured = { ...health, p: "sensor", state_class: "measurement" };
  const components: Readonly<Record<string, Component>> = {
    ready: {
      ...health,
      p: "binary_sensor",
      name: "Trouble",
      device_class: "problem",
      value_template: "{{ 'OFF' if value_json.ready else 'ON' }}",
      json_attributes_topic: `${base}/bridge/health`,
      json_attributes_template: "{{ {'reasons': value_json.reasons} | tojson }}",
    },
    waiting: { ...measured, name: "Events waiting", value_template: "{{ value_json.eventsWaiting }}" },
    memory: {
      ...measured,
      name: "Memory",
      device_class: "data_size",
      unit_of_measurement: "B",
      value_template: "{{ value_json.memoryBytes }}",
    },
    ...([...commands].includes("calibrate") && {
      calibrate: {
        p: "button",
        name: "Recalibrate",
        entity_category: "config",
        command_topic: `${base}/bridge/request/calibrate`,
        payload_press: "{}",
      },
    }),
  };
  return device({ base, clientId, key: "gateway", components }, [], {
    name: "Ohmwatch",
    mdl: `Crossbar ${agent.config.chip.device}`,
  });
};

/** A stream: a binary sensor for each alarm, or an event for the words that it hears; what it says now; buttons. */
export const streamDevice = (agent: Agent, { name, modality, alarms }: StreamStatistics): DiscoveredDevice => {
  const { base, clientId } = agent.config.mqtt;
  const topics = stateTopicsOf(base, name);
  const state = { state_topic: topics.state };
  const kinds = alarms.map(({ kind }) => kind);
  const components: Record<string, Component> = {
    label: { ...state, p: "sensor", name: "Label", value_template: "{{ value_json.label }}" },
    probability: {
      ...state,
      p: "sensor",
      name: "Probability",
      state_class: "measurement",
      unit_of_measurement: "%",
      suggested_display_precision: 0,
      value_template: "{{ value_json.probability * 100 if value_json.probability is not none else none }}",
    },
    acknowledge: {
      p: "button",
      name: "Acknowledge",
      command_topic: `${base}/bridge/request/anomalies/ack`,
      payload_press: JSON.stringify({ stream: name, by: "Home Assistant" }),
    },
  };
  for (const kind of modality === "audio" ? [] : kinds) {
    components[`alarm-${plain(kind)}`] = {
      ...state,
      p: "binary_sensor",
      name: kind,
      device_class: deviceClasses[modality],
      value_template: `{{ 'ON' if value_json.alarms[${JSON.stringify(kind)}] else 'OFF' }}`,
    };
  }
  if (modality === "audio") {
    components["heard"] = { p: "event", name: "Heard", state_topic: topics.heard, event_types: kinds };
  }
  if (modality === "ecg") {
    components["heart-rate"] = {
      ...state,
      p: "sensor",
      name: "Heart rate",
      state_class: "measurement",
      unit_of_measurement: "bpm",
      icon: "mdi:heart-pulse",
      value_template: "{{ value_json.heartRateBpm }}",
    };
  }
  for (const [key, title] of [
    ["rejected", "Payloads refused"],
    ["dropped", "Messages dropped"],
  ] as const) {
    components[key] = {
      p: "sensor",
      name: title,
      state_topic: `${base}/bridge/health`,
      state_class: "total_increasing",
      entity_category: "diagnostic",
      value_template: `{{ value_json.streams[${JSON.stringify(name)}].${key} }}`,
    };
  }
  const availability = [{ topic: topics.availability }];
  const { model } = agent.config.streams.find((stream) => stream.name === name) ?? { model: "" };
  return device({ base, clientId, key: name, components }, availability, {
    name,
    mdl: model,
    via_device: `${clientId}_gateway`,
  });
};

const device = (
  what: {
    readonly base: string;
    readonly clientId: string;
    readonly key: string;
    readonly components: Readonly<Record<string, Component>>;
  },
  availability: readonly object[],
  described: Readonly<Record<string, string>>,
): DiscoveredDevice => {
  const id = `${what.clientId}_${what.key}`;
  const agentThere = { topic: `${what.base}/bridge/state`, value_template: "{{ value_json.state }}" };
  return {
    objectId: id,
    config: {
      dev: { ids: [id], mf: "Ohmwatch", sw: version(), ...described },
      o: { name: "Ohmwatch", sw: version() },
      availability: [agentThere, ...availability],
      availability_mode: "all",
      cmps: Object.fromEntries(
        Object.entries(what.components).map(([key, component]) => [key, { ...component, unique_id: `${id}_${key}` }]),
      ),
    },
  };
};

/** A label as a part of an identifier. */
const plain = (label: string): string => label.replace(/[^A-Za-z0-9_-]/g, "_");
