import { userInfo } from "node:os";
import type { Command } from "commander";
import { AlarmDesk } from "../store/alarm-desk.ts";
import { anomalyJson } from "../store/anomaly-event.ts";
import { AnomalyStore } from "../store/anomaly-store.ts";
import { openForActing } from "../store/database.ts";
import { ExitError, exitCodes } from "./exit.ts";
import { age } from "./options.ts";

interface ActOptions {
  readonly database: string;
  readonly by: string;
  readonly json?: boolean;
}

/** `anomalies ack|shelve|unshelve|shelves`: what a person does about alarms, also while the agent runs. */
export const addAlarmActions = (anomalies: Command, defaultDatabase: string): void => {
  const acting = (command: Command): Command =>
    command
      .option("--database <file>", "database, of a running agent too", defaultDatabase)
      .option("--json", "JSON, one object a line");
  const byWhom = (command: Command): Command => command.option("--by <who>", "who does it, for the log", ourName());
  byWhom(acting(anomalies.command("ack").description("say that anomalies were seen, and perhaps what they were")))
    .argument("<id...>", "as `list` shows them")
    .option("--label <label>", "what it was in truth: kept with the signal, so that the model can learn from it")
    .addHelpText("after", "\nExample:\n  ohmwatch anomalies ack ecg/V/2zk4 --label N --by jane")
    .action((ids: readonly string[], options: ActOptions & { label?: string }) => acknowledge(ids, options));
  byWhom(acting(anomalies.command("shelve").description("keep an alarm silent for a while")))
    .argument("<stream>", "stream")
    .argument("<label>", "kind of anomaly")
    .requiredOption("--for <time>", "how long: 90s, 30m, 8h, 7d", age)
    .addHelpText(
      "after",
      "\nExample:\n  ohmwatch anomalies shelve pump anomaly --for 8h\n\nIt is recorded all the same.",
    )
    .action((stream: string, label: string, options: ActOptions & { for: number }) => shelve(stream, label, options));
  acting(anomalies.command("unshelve").description("let an alarm speak again"))
    .argument("<stream>", "stream")
    .argument("<label>", "kind of anomaly")
    .addHelpText("after", "\nExample:\n  ohmwatch anomalies unshelve pump anomaly")
    .action((stream: string, label: string, options: ActOptions) => unshelve(stream, label, options));
  acting(anomalies.command("shelves").description("which alarms are shelved, by whom and until when")).action(
    (options: ActOptions) => list(options),
  );
};

const atDesk = (file: string, work: (desk: AlarmDesk, store: AnomalyStore) => void): void => {
  const database = openForActing(file);
  try {
    const store = new AnomalyStore(database);
    work(new AlarmDesk(database, store), store);
  } finally {
    database.close();
  }
};

const acknowledge = (ids: readonly string[], { database, by, label, json }: ActOptions & { label?: string }): void =>
  atDesk(database, (desk, store) => {
    if (label !== undefined && (label.trim() === "" || label.length > 64)) {
      throw new ExitError(`--label: expected 1 … 64 letters, got ${JSON.stringify(label)}`, exitCodes.usage);
    }
    const missing = ids.find((id) => store.get(id) === undefined);
    if (missing !== undefined) {
      throw new ExitError(`id: expected that of an anomaly in ${database}, got ${missing}`, exitCodes.failed);
    }
    for (const id of ids) {
      const row = desk.acknowledge(id, { by, ...(label === undefined ? {} : { label }) })!;
      if (json) writeLine(JSON.stringify(anomalyJson(row)));
      else writeLine(`${id}: ${row.alarm}${label === undefined ? "" : `, in truth ${label}`}`);
    }
  });

const shelve = (stream: string, kind: string, options: ActOptions & { for: number }): void =>
  atDesk(options.database, (desk, store) => {
    if (store.list({ stream, kind, limit: 1 }).length === 0) {
      process.stderr.write(`No anomaly of ${stream}/${kind} was recorded so far; check the names.\n`);
    }
    const open = desk.shelve({ stream, kind, by: options.by, forMs: options.for * 1000 });
    const shelf = desk.shelves().find((one) => one.stream === stream && one.kind === kind)!;
    const until = new Date(shelf.untilMs).toISOString();
    if (options.json) writeLine(JSON.stringify({ stream, label: kind, by: shelf.by, until, open: open.length }));
    else writeLine(`${stream}/${kind} is shelved until ${until}; ${open.length} open`);
  });

const unshelve = (stream: string, kind: string, { database, json }: ActOptions): void =>
  atDesk(database, (desk) => {
    if (!desk.unshelve(stream, kind)) {
      const shelved = desk.shelves().map((one) => `${one.stream} ${one.kind}`);
      const expected = shelved.length === 0 ? "one that is shelved (none is)" : `one of ${shelved.join(", ")}`;
      throw new ExitError(`alarm: expected ${expected}, got ${stream} ${kind}`, exitCodes.failed);
    }
    writeLine(json ? JSON.stringify({ stream, label: kind }) : `${stream}/${kind} speaks again`);
  });

const list = ({ database, json }: ActOptions): void =>
  atDesk(database, (desk) => {
    const shelves = desk.shelves();
    if (!json && shelves.length === 0) process.stderr.write("No alarm is shelved.\n");
    for (const { stream, kind, by, atMs, untilMs } of shelves) {
      const [at, until] = [new Date(atMs).toISOString(), new Date(untilMs).toISOString()];
      if (json) writeLine(JSON.stringify({ stream, label: kind, by, at, until }));
      else writeLine(`${stream}/${kind} until ${until}, by ${by}`);
    }
  });

const writeLine = (line: string): void => void process.stdout.write(`${line}\n`);

/** The user's name; a number where the system has no list of users, as in a container. */
const ourName = (): string => {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "unknown");
  }
};
