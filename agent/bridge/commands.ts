import type { Agent } from "../agent.ts";
import { type AnomalyRow, anomalyJson } from "../store/anomaly-event.ts";
import { RequestError } from "./arguments.ts";
import { healthReport, infoReport } from "./reports.ts";
import type { Command } from "./requests.ts";

const states = ["active", "ended", "interrupted"] as const;
const severities = ["critical", "major", "minor", "warning"] as const;

/** Anomalies in one response, at most; more are asked for by `since` and `until`. */
const maxListed = 1000;

/** What may be asked for by MQTT, by name. A new one is a line here. */
export const commandsOf = (agent: Agent, nowMs: () => number): ReadonlyMap<string, Command> => {
  const { store, desk } = agent;
  const table: Readonly<Record<string, Command>> = {
    health: () => healthReport(agent, nowMs()),
    info: () => infoReport(agent, Object.keys(table)),
    "anomalies/list": (given) =>
      store
        .list({
          ...defined("stream", given.optionalText("stream")),
          ...defined("kind", given.optionalText("kind")),
          ...defined("severity", given.oneOf("severity", severities)),
          ...defined("state", given.oneOf("state", states)),
          ...defined("sinceNs", given.timeNs("since")),
          ...defined("untilNs", given.timeNs("until")),
          limit: given.number("limit", { min: 1, max: maxListed }) ?? 100,
        })
        .map(anomalyJson),
    "anomalies/ack": (given) => {
      const id = given.text("id");
      const by = given.optionalText("by") ?? "mqtt";
      return found(desk.acknowledge(id, { by, ...defined("label", given.optionalText("label")) }), id);
    },
    "anomalies/shelve": (given) => {
      const [stream, kind] = [given.text("stream"), given.text("kind")];
      const forSeconds = given.number("forSeconds", { min: 1, max: 366 * 86_400 });
      if (forSeconds === undefined) throw new RequestError("forSeconds: expected a number, got nothing");
      const by = given.optionalText("by") ?? "mqtt";
      desk.shelve({ stream, kind, by, forMs: forSeconds * 1000 });
      return desk.shelves();
    },
    "anomalies/unshelve": (given) => {
      const [stream, kind] = [given.text("stream"), given.text("kind")];
      if (!desk.unshelve(stream, kind)) {
        throw new RequestError(`alarm: expected one that is shelved, got ${stream} ${kind}`);
      }
      return desk.shelves();
    },
  };
  return new Map(Object.entries(table));
};

const found = (row: AnomalyRow | undefined, id: string): Readonly<Record<string, unknown>> => {
  if (row === undefined) throw new RequestError(`id: expected that of a recorded anomaly, got ${id}`);
  return anomalyJson(row);
};

const defined = <Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: Value };
