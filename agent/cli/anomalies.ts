import { join } from "node:path";
import { Command, Option } from "commander";
import { alarmStates } from "../../pipelines/decisions/alarm-state.ts";
import type { Evidence } from "../../pipelines/signal.ts";
import { type AnomalyRow, anomalyJson, isoTime } from "../store/anomaly-event.ts";
import { type AnomalyFilter, AnomalyStore } from "../store/anomaly-store.ts";
import { openForReading } from "../store/database.ts";
import { plot } from "../terminal/sparkline.ts";
import { fit } from "../terminal/view-lines.ts";
import { addAlarmActions } from "./alarm-actions.ts";
import { ExitError, exitCodes } from "./exit.ts";
import { integerIn, timeNs } from "./options.ts";

interface Selection {
  readonly database: string;
  readonly stream?: string;
  readonly kind?: string;
  readonly severity?: string;
  readonly state?: AnomalyRow["state"];
  readonly alarm?: AnomalyRow["alarm"];
  readonly since?: bigint;
  readonly until?: bigint;
  readonly limit?: number;
  readonly json?: boolean;
}

/** Where `run` puts its database unless told otherwise. */
const defaultDatabase = join("ohmwatch-state", "ohmwatch.sqlite");

/** `anomalies list|show|export|ack|shelve|unshelve|shelves`: the log of anomalies, and what people do about them. */
export const anomaliesCommand = (): Command => {
  const command = new Command("anomalies").description(
    "list, show, export or acknowledge the anomalies in a database; shelve alarms",
  );
  selecting(command.command("list").description("a line an anomaly, in order of onset"))
    .option("--json", "one JSON object a line")
    .addHelpText("after", "\nExample:\n  ohmwatch anomalies list --database state/ohmwatch.sqlite --kind V --limit 20")
    .action((options: Selection) => list(options));
  command
    .command("show")
    .description("one anomaly with the piece of signal that caused it")
    .argument("<id>", "as `list` shows it")
    .option("--database <file>", "database", defaultDatabase)
    .option("--json", "one JSON object, the samples in it")
    .addHelpText("after", "\nExample:\n  ohmwatch anomalies show ecg/V/2zk4 --database state/ohmwatch.sqlite")
    .action((id: string, options: Selection) => show(id, options));
  selecting(command.command("export").description("anomalies for other programs, to standard output"))
    .addOption(new Option("--format <format>", "format").choices(["json", "csv"]).default("json"))
    .option("--evidence", "with samples (json only)")
    .addHelpText(
      "after",
      "\nExample:\n  ohmwatch anomalies export --format csv --since 2026-11-01T00:00:00Z > anomalies.csv",
    )
    .action((options: Selection & { format: "json" | "csv"; evidence?: boolean }) => exportAll(options));
  addAlarmActions(command, defaultDatabase);
  return command;
};

const selecting = (command: Command): Command =>
  command
    .option("--database <file>", "database", defaultDatabase)
    .option("--stream <name>", "of this stream only")
    .option("--kind <label>", "of this kind only")
    .addOption(new Option("--severity <level>", "of this severity").choices(["critical", "major", "minor", "warning"]))
    .addOption(new Option("--state <state>", "in this state").choices(["active", "ended", "interrupted"]))
    .addOption(new Option("--alarm <state>", "whose alarm is in this state").choices(alarmStates))
    .option("--since <time>", "that last beyond this time, ISO 8601 or ns since 1970", timeNs)
    .option("--until <time>", "that begin before this time", timeNs)
    .option("--limit <n>", "the last so many", integerIn(1, 1e9));

const withStore = (file: string, work: (store: AnomalyStore) => void): void => {
  const database = openForReading(file);
  try {
    work(new AnomalyStore(database));
  } finally {
    database.close();
  }
};

const filterOf = ({ stream, kind, severity, state, alarm, since, until, limit }: Selection): AnomalyFilter => ({
  ...(stream === undefined ? {} : { stream }),
  ...(kind === undefined ? {} : { kind }),
  ...(severity === undefined ? {} : { severity }),
  ...(state === undefined ? {} : { state }),
  ...(alarm === undefined ? {} : { alarm }),
  ...(since === undefined ? {} : { sinceNs: since }),
  ...(until === undefined ? {} : { untilNs: until }),
  ...(limit === undefined ? {} : { limit }),
});

const list = (options: Selection): void =>
  withStore(options.database, (store) => {
    const rows = store.list(filterOf(options));
    if (options.json) {
      for (const row of rows) writeLine(JSON.stringify(anomalyJson(row)));
      return;
    }
    if (rows.length === 0) process.stderr.write("No anomalies match.\n");
    for (const row of rows) writeLine(describe(row));
  });

const describe = (row: AnomalyRow): string =>
  [
    isoTime(row.fromNs),
    `${secondsOf(row).toFixed(1)} s`.padStart(9),
    fit(row.stream, 14),
    fit(row.kind, 14),
    fit(row.severity, 8),
    fit(row.state, 11),
    fit(row.alarm, 23),
    row.peakScore.toFixed(2).padStart(6),
    row.id,
  ].join(" ");

const secondsOf = ({ fromNs, toNs }: AnomalyRow): number => Number(toNs - fromNs) / 1e9;

const show = (id: string, options: Selection): void =>
  withStore(options.database, (store) => {
    const row = store.get(id);
    if (row === undefined) {
      throw new ExitError(`id: expected that of an anomaly in ${options.database}, got ${id}`, exitCodes.failed);
    }
    const evidence = store.evidence(id);
    if (options.json) {
      writeLine(
        JSON.stringify({ ...anomalyJson(row), evidence: evidence === undefined ? null : evidenceJson(evidence) }),
      );
      return;
    }
    for (const [key, value] of Object.entries(anomalyJson(row))) writeLine(`${key.padEnd(16)} ${value ?? "–"}`);
    if (evidence !== undefined && evidence.channels.length > 0) drawEvidence(evidence);
  });

const drawEvidence = ({ startAtNs, sampleRateHz, channels, samples }: Evidence): void => {
  const length = samples.length / channels.length;
  writeLine(
    `\n${length} samples at ${sampleRateHz} Hz from ${isoTime(startAtNs)}, ${(length / sampleRateHz).toFixed(2)} s`,
  );
  channels.forEach((channel, c) => {
    const values = samples.filter((_, i) => i % channels.length === c && Number.isFinite(samples[i]!));
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
    writeLine(`\n${channel}  ${low.toPrecision(4)} … ${high.toPrecision(4)}`);
    const size = { width: Math.min(process.stdout.columns ?? 100, 120), height: channels.length > 2 ? 3 : 8 };
    for (const line of plot(samples, channels.length, c, size)) writeLine(line.trimEnd());
  });
};

const evidenceJson = ({ startAtNs, sampleRateHz, channels, samples }: Evidence): Record<string, unknown> => ({
  startAtNs: startAtNs.toString(),
  sampleRateHz,
  channels,
  samples: Array.from(samples, (x) => (Number.isFinite(x) ? x : null)),
});

const exportAll = (options: Selection & { format: "json" | "csv"; evidence?: boolean }): void =>
  withStore(options.database, (store) => {
    const rows = store.list(filterOf(options));
    if (options.format === "csv") {
      rows.forEach((row, i) => {
        const json = anomalyJson(row);
        if (i === 0) writeLine(Object.keys(json).join(","));
        writeLine(Object.values(json).map(csvCell).join(","));
      });
      return;
    }
    for (const row of rows) {
      const evidence = options.evidence ? store.evidence(row.id) : undefined;
      const extra = evidence === undefined ? {} : { evidence: evidenceJson(evidence) };
      writeLine(JSON.stringify({ ...anomalyJson(row), ...extra }));
    }
  });

/** RFC 4180. */
const csvCell = (value: unknown): string => {
  const text = String(value ?? "");
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const writeLine = (line: string): void => void process.stdout.write(`${line}\n`);
