import { Command } from "commander";
import { type Agent, startAgent } from "../compose.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { processVariables } from "../config/variables.ts";
import { watchConfig } from "../config/watch.ts";
import type { HttpServer } from "../http/server.ts";
import { knownNames } from "../known-names.ts";
import { reloaderOf } from "../reload.ts";
import { createLog } from "../telemetry/log.ts";
import { RecentLines } from "../telemetry/recent-lines.ts";
import { progressCheck, type StreamProgress, serviceManager } from "../telemetry/service-manager.ts";
import { LiveView } from "../terminal/live-view.ts";
import { summarise, summaryTable } from "../terminal/summary.ts";
import { version } from "../version.ts";
import { ExitError, exitCodes } from "./exit.ts";
import { numberIn } from "./options.ts";
import { type SetOption, withSetOption } from "./set-option.ts";
import { untilStopped } from "./stop-signals.ts";

interface RunOptions extends SetOption {
  readonly config: string;
  readonly live?: boolean;
  readonly clockRate?: number;
}

/** `run`: the agent. */
export const runCommand = (): Command =>
  withSetOption(new Command("run"))
    .description("run the agent until it is told to stop")
    .requiredOption("--config <file>", "configuration")
    .option("--clock-rate <n>", "the chip lives so many seconds in one: chip.clockRate", numberIn(0, 1e9))
    .option("--live", "draw the streams on standard output")
    .addHelpText(
      "after",
      "\nExamples:\n  ohmwatch run --config /etc/ohmwatch/ohmwatch.yaml\n  OHMWATCH__MQTT__URL=mqtt://broker ohmwatch run --config hall.yaml --live\n\nSIGHUP, and a change of the file or of conf.d beside it, reads the configuration again.",
    )
    .action(async ({ config: file, live, set, clockRate }: RunOptions) => {
      const flags = clockRate === undefined ? set : [...set, `chip.clockRate=${clockRate}`];
      const read = () => loadConfig(file, knownNames(), { ...processVariables, flags });
      const config = read();
      let view: LiveView | undefined;
      const recent = new RecentLines(500);
      const log = createLog(config.log.level, {
        write: (line) => {
          recent.add(line);
          if (view === undefined) process.stderr.write(line);
          else view.write(line);
        },
      });
      const startedAtMs = performance.now();
      log.info({ version: version() }, `Ohmwatch ${version()} starts, Node ${process.versions.node}, ${process.arch}.`);
      const agent = await startAgent(config, { log, onChange: (change) => view?.change(change) });
      await requireStream(agent);
      const serve = async (settings: Config["http"] & object): Promise<HttpServer> => {
        const { serveHttp } = await import("../http/server.ts"); // with all that makes metrics, where it is asked for
        return serveHttp(agent, settings, version(), recent.lines);
      };
      const http = config.http && (await serve(config.http).catch(stopping(agent)));
      if (http !== undefined) log.info({ url: http.url }, `Metrics and health are served at ${http.url}.`);
      const reload = reloaderOf(agent, read, ({ log: { level } }) => log.setLevel(level));
      process.on("SIGHUP", () => void reload("SIGHUP"));
      const watch = watchConfig(
        file,
        () => void reload("a file changed"),
        (why) => log.warn({}, `The configuration cannot be watched (${why}); SIGHUP reads it again.`),
      );
      if (live) {
        const title = `Ohmwatch · ${agent.brokerUrl}`;
        view = new LiveView({ title, streams: () => agent.streams, screen: process.stdout, colour: colour(), nowMs });
        view.start();
      }
      const running = agent.streams.filter(({ stopped }) => stopped === undefined).length;
      const status = `${running} of ${agent.streams.length} streams run, broker ${agent.brokerUrl}`;
      log.info({ startMs: Math.round(performance.now()) }, `Ready: ${status}.`);
      const manager = serviceManager(process.env, (why) => log.warn({}, why));
      manager?.ready(status);
      manager?.watch(progressCheck(() => progressOf(agent)));
      await untilStopped();
      manager?.stopping();
      watch.close();
      view?.stop();
      view = undefined;
      await http?.close();
      await agent.stop();
      const summary = summarise(agent.streams, (performance.now() - startedAtMs) / 1000);
      process.stderr.write(summaryTable(agent.streams, summary));
    });

const progressOf = (agent: Agent): readonly StreamProgress[] =>
  agent.streams.map(({ name, messages, dropped }) => ({
    name,
    waiting: agent.waiting(name),
    done: messages + dropped,
  }));

const stopping =
  (agent: Agent) =>
  async (error: unknown): Promise<never> => {
    await agent.stop();
    throw error;
  };

const nowMs = (): number => performance.now();

/** Stop an agent that has nothing to do. @throws ExitError 78 when no stream can run, with the reasons */
export const requireStream = async (agent: Agent): Promise<void> => {
  if (agent.streams.some(({ stopped }) => stopped === undefined)) return;
  await agent.stop();
  const reasons = agent.streams.map(({ name, stopped }) => `${name}: ${stopped}`).join("\n");
  throw new ExitError(`streams: expected at least one that can run, got none\n${reasons}`, exitCodes.config);
};

/** [no-color.org]: any value that is not empty. */
export const colour = (): "auto" | "never" => (process.env["NO_COLOR"] ? "never" : "auto");
