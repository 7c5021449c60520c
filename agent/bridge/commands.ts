import { readFileSync } from "node:fs";
import type { Agent } from "../agent.ts";
import { type AnomalyRow, anomalyJson } from "../store/anomaly-event.ts";
import { RequestError } from "./arguments.ts";
import { healthReport, infoReport } from "./reports.ts";
import type { Command } from "./requests.ts";

const states = ["active", "ended", "interrupted"] as const;
const severities = ["critical", "major", "minor", "warning"] as const;

/** Alarms that nobody has seen yet. */
const unacknowledged = ["active-unacknowledged", "returned-unacknowledged"] as const;

/** Anomalies in one response, at most; more are asked for by `since` and `until`. */
const maxListed = 1000;

/** What may be asked for by MQTT, by name. A new one is a line here. */
export const commandsOf = (agent: Agent, nowMs: () => number): ReadonlyMap<string, Command> => {
  const { store, desk } = agent;
  const table: Readonly<Record<string, Command>> = {
    health: () => healthReport(agent, nowMs()),
    info: () => infoReport(agent, Object.keys(table)),
    chip: () => agent.chips.health,
    calibrate: () => {
      const models = agent.chips.requestCare();
      if (models.length === 0) throw new RequestError("chip: expected one, got models that run without");
      return { models };
    },
    "chip/forget": (given) => {
      const model = given.text("model");
      if (agent.chips.requestForget(model)) return { model };
      const models = agent.chips.health.map((chip) => chip.model).join(", ");
      throw new RequestError(`model: expected one on a chip (${models || "none is"}), got ${model}`);
    },
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
    "model/install": (given) => {
      const file = given.optionalText("file");
      const bytes = file === undefined ? given.base64("bundle") : readBundleFile(file);
      return agent.installer.install(bytes);
    },
    "model/status": () => agent.installer.report ?? {},
    "anomalies/ack": (given) => {
      const stream = given.optionalText("stream");
      const told = {
        by: given.optionalText("by") ?? "mqtt",
        ...defined("label", given.optionalText("label")),
      };
      if (stream === undefined) {
        const id = given.text("id");
        return found(desk.acknowledge(id, told), id);
      }
      const unseen = unacknowledged.flatMap((alarm) => store.list({ stream, alarm }));
      return unseen.map(({ id }) => found(desk.acknowledge(id, told), id));
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

const readBundleFile = (file: string): Uint8Array => {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new RequestError(`file: expected a bundle on the gateway, got ${code} for ${file}`);
  }
};

/** Names of all that may be asked for. */
export const commandNames = (agent: Agent): readonly string[] => [...commandsOf(agent, Date.now).keys()];

const found = (row: AnomalyRow | undefined, id: string): Readonly<Record<string, unknown>> => {
  if (row === undefined) throw new RequestError(`id: expected that of a recorded anomaly, got ${id}`);
  return anomalyJson(row);
};

const defined = <Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: Value };
