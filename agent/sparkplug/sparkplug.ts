import { join } from "node:path";
import type { Agent } from "../agent.ts";
import { decodeSparkplug } from "../codecs/sparkplug/payload.ts";
import type { Config } from "../config/schema.ts";
import { connectEdge } from "../mqtt/edge-client.ts";
import { type AnomalyRow, isTold, keyOf } from "../store/anomaly-event.ts";
import { version } from "../version.ts";
import { EdgeNode } from "./edge-node.ts";
import { type HostState, hostStateTopic, readHostState } from "./host-state.ts";
import { changesOf, historyOf, StreamDevice } from "./stream-device.ts";
import { Told } from "./told.ts";

/** Metrics in one message of history: a flush after a long absence comes in pieces. */
const historyBatch = 50;

/**
 * Make the agent an edge node of Sparkplug B: each stream a device, with its label, its probability and its alarms. With
 * a primary host it waits for it to be online; what was raised and ended meanwhile, also across a restart, is told as
 * history after the birth, out of the recorded anomalies.
 */
export const startSparkplug = (
  agent: Agent,
  settings: NonNullable<Config["sparkplug"]>,
  nowMs: () => number = Date.now,
): { stop(): Promise<void> } => {
  const { group, edgeNode, primaryHost } = settings;
  const { store, observers } = agent;
  const told = new Told(join(agent.config.state.directory, "sparkplug-told.json"));
  const node = new EdgeNode(settings, (publication) => client.publish(publication, 0), nowMs);
  let devices = new Map<string, StreamDevice>();
  let host: HostState | undefined;
  let isReady = false;

  const open = (): void => {
    const before = devices;
    devices = new Map(
      agent.streams.map((statistics) => {
        const old = before.get(statistics.name);
        return [statistics.name, old?.statistics === statistics ? old : new StreamDevice(statistics)];
      }),
    );
    for (const [name, old] of before) if (devices.get(name) !== old) node.buryDevice(name);
    for (const [name, device] of devices) if (before.get(name) !== device) node.bearDevice(device.birth(store));
    // What was recorded before anybody listened is not history that was missed.
    for (const { name: stream, alarms } of agent.streams) {
      for (const { kind } of alarms) {
        const alarm = keyOf({ stream, kind });
        if (told.untilNs(alarm) !== undefined) continue;
        const [last] = store.list({ stream, kind, limit: 1 });
        told.advance(alarm, last === undefined ? 0n : lastEdgeNs(last));
      }
    }
  };
  const bear = (): void => {
    if (!isReady || (primaryHost !== undefined && host?.isOnline !== true)) return;
    const properties = [{ name: "Properties/Software Version", datatype: "String" as const, value: version() }];
    node.bear(
      properties,
      [...devices.values()].map((device) => device.birth(store)),
    );
    for (const stream of devices.keys()) tellHistory(stream);
  };
  const tellHistory = (stream: string): void => {
    const alarms = agent.streams.find(({ name }) => name === stream)?.alarms ?? [];
    const rows = alarms.flatMap(({ kind }) => {
      const afterNs = told.untilNs(keyOf({ stream, kind })) ?? 0n;
      return store.list({ stream, kind, sinceNs: afterNs + 1n }).filter(isTold);
    });
    const history = historyOf(rows, (row) => told.untilNs(keyOf(row)) ?? 0n);
    for (let i = 0; i < history.length; i += historyBatch) node.tell(stream, history.slice(i, i + historyBatch));
    for (const row of rows) told.advance(keyOf(row), lastEdgeNs(row));
  };
  const heard = (payload: Uint8Array): void => {
    const news = readHostState(payload, host);
    if (news === undefined) return;
    host = news;
    if (news.isOnline && !node.isBorn) bear();
    // tck-id-operational-behavior-edge-node-termination-host-offline
    if (!news.isOnline && node.isBorn) client.rejoin(node.death());
  };

  const commands = `spBv1.0/${group}/NCMD/${edgeNode}`;
  const stateTopic = primaryHost === undefined ? undefined : hostStateTopic(primaryHost);
  open();
  const client = connectEdge({
    url: agent.brokerUrl,
    mqtt: agent.config.mqtt,
    clientId: `${agent.config.mqtt.clientId}-sparkplug`,
    will: () => node.nextDeath(),
    emit: agent.telemetry.emit,
    filters: [commands, `spBv1.0/${group}/DCMD/${edgeNode}/+`, ...(stateTopic === undefined ? [] : [stateTopic])],
    onReady: () => {
      isReady = true;
      bear();
    },
    onLost: () => {
      isReady = false;
      host = undefined; // it says anew what it is: its state is retained
    },
    onMessage: (topic, payload) => {
      if (topic === stateTopic) heard(payload);
      // tck-id-operational-behavior-data-commands-rebirth-action-1, -2: the birth is said at once, nothing before it.
      if (topic === commands && node.isBorn && asksForBirth(payload)) bear();
    },
  });
  observers.onStreams(open);
  observers.onClassification((classification) => {
    const changes = devices.get(classification.stream)?.classified(classification) ?? [];
    if (changes.length > 0) node.tell(classification.stream, changes);
  });
  observers.onChange((change) => {
    if (!node.isBorn) return;
    const { anomaly, type } = change;
    const row = store.get(anomaly.id);
    if (row !== undefined && !isTold(row)) return; // shelved or suppressed
    node.tell(anomaly.stream, changesOf(change));
    if (type !== "update") told.advance(keyOf(anomaly), type === "new" ? anomaly.fromNs : anomaly.toNs);
  });
  return { stop: () => client.close(node.isBorn ? node.death() : undefined) };
};

/** When an anomaly began, or ended where it has. */
const lastEdgeNs = ({ state, fromNs, toNs }: AnomalyRow): bigint => (state === "active" ? fromNs : toNs);

const asksForBirth = (payload: Uint8Array): boolean => {
  try {
    return decodeSparkplug(payload).metrics.some(
      ({ name, value }) => name === "Node Control/Rebirth" && value === true,
    );
  } catch {
    return false;
  }
};
