import { isDeepStrictEqual } from "node:util";
import type { AnomalyChange } from "../pipelines/signal.ts";
import type { Config, StreamConfig } from "./config/schema.ts";
import type { StreamSink } from "./mqtt/subscribe.ts";
import { type StreamRunner, sentenceOf } from "./stream-runner.ts";
import { StreamStatistics } from "./stream-statistics.ts";
import { type OpenModel, openStream, type StreamListeners } from "./streams.ts";

/** What became of the streams when the configuration changed, by name. */
export interface StreamChanges {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: readonly string[];
}

interface Running {
  readonly config: StreamConfig;
  readonly statistics: StreamStatistics;
  /** None where the model was refused. */
  readonly runner: StreamRunner | undefined;
}

/** A model that is fed beside the streams of the configuration. */
export interface Aside {
  /** What it can raise. */
  readonly labels: readonly string[];
  /** Begin a pipeline under a name. @param onChange told of what was raised, after it was recorded */
  open(name: string, onChange: (change: AnomalyChange) => void): StreamRunner;
}

/** A new configuration that cannot be run; the one before stays. Exit code 78. */
export class StreamsRefused extends Error {
  readonly exitCode = 78;
}

/** The streams of an agent, each with its own codec, pipeline and counters, and how one set becomes the next. */
export class StreamSet {
  readonly #openModel: OpenModel;
  readonly #listeners: StreamListeners;
  #running: readonly Running[] = [];
  /** Told how long each message took, seconds. */
  onWorked: ((stream: string, seconds: number) => void) | undefined;
  /** Told how long each inference took, seconds. */
  onInferred: ((stream: string, seconds: number) => void) | undefined;

  constructor(openModel: OpenModel, listeners: StreamListeners) {
    this.#openModel = openModel;
    this.#listeners = listeners;
  }

  /** Counters, in the order of the configuration. */
  get statistics(): readonly StreamStatistics[] {
    return this.#running.map(({ statistics }) => statistics);
  }

  /** The streams of a model, by its name in the configuration, that run. */
  runnersOf(model: string): ReadonlyMap<string, StreamRunner> {
    return new Map(
      this.#running.flatMap(({ config, runner }) =>
        runner !== undefined && config.model === model ? [[config.name, runner]] : [],
      ),
    );
  }

  /** Counters of one stream. */
  of(name: string): StreamStatistics | undefined {
    return this.statistics.find((statistics) => statistics.name === name);
  }

  /** Where the messages of each stream go; a stream whose model was refused takes none. */
  get sinks(): ReadonlyMap<string, StreamSink> {
    return new Map([...this.runners].map(([name, runner]) => [name, runner.message]));
  }

  /** The streams that run, by name. */
  get runners(): ReadonlyMap<string, StreamRunner> {
    return new Map(
      this.#running.flatMap(({ config, runner }) => (runner === undefined ? [] : [[config.name, runner]])),
    );
  }

  /** Begin. A stream whose model cannot be used is an event and is left out; the others run. */
  start({ streams, chip }: Config): void {
    this.#running = streams.map((config) => this.#openOrRefuse(config, chip));
  }

  /**
   * Become what a new configuration says. Streams that it does not change keep their windows, their open anomalies and
   * their counters. Of a changed one the open anomalies end and its windows start afresh; a removed one runs on until
   * `retire` is called, so that what waits for it can be worked off.
   *
   * @throws StreamsRefused where one that is new or changed cannot run; then nothing has changed
   */
  change({ streams, chip }: Config): StreamChanges & { retire(name: string): void } {
    const before = new Map(this.#running.map((running) => [running.config.name, running]));
    const same = (config: StreamConfig): boolean => isDeepStrictEqual(before.get(config.name)?.config, config);
    const next = streams.map((config): Running => {
      const old = before.get(config.name);
      if (old === undefined || !same(config)) return this.#open(config, chip);
      return old.runner === undefined ? this.#openOrRefuse(config, chip) : old;
    });
    for (const { config, runner } of this.#running) {
      if (next.some((other) => other.config.name === config.name && other.runner !== runner)) runner?.stop();
    }
    this.#running = next;
    const names = streams.map(({ name }) => name);
    return {
      added: names.filter((name) => !before.has(name)),
      changed: streams.filter((config) => before.has(config.name) && !same(config)).map(({ name }) => name),
      removed: [...before.keys()].filter((name) => !names.includes(name)),
      unchanged: streams.filter(same).map(({ name }) => name),
      retire: (name) => before.get(name)?.runner?.stop(),
    };
  }

  /**
   * A model for those who bring signals by another way than the streams of the configuration: each gets a pipeline of
   * its own on the same chip, and what it raises is recorded as theirs is.
   *
   * @throws StreamsRefused where the model cannot be used
   */
  aside(config: StreamConfig, chip: Config["chip"]): Aside {
    try {
      const model = this.#openModel(config.model, chip);
      const open = (name: string, onChange: (change: AnomalyChange) => void): [StreamRunner, StreamStatistics] => {
        const statistics = this.#statisticsOf({ ...config, name });
        const listeners: StreamListeners = {
          ...this.#listeners,
          onChange: (change) => {
            this.#listeners.onChange(change);
            onChange(change);
          },
        };
        return [openStream({ ...config, name }, chip, () => model, statistics, listeners), statistics];
      };
      const [, { alarms }] = open(config.name, () => {});
      return { labels: alarms.map(({ kind }) => kind), open: (name, onChange) => open(name, onChange)[0] };
    } catch (cause) {
      throw new StreamsRefused(`${config.name}: ${sentenceOf(cause)}`, { cause });
    }
  }

  /** End all: what is open ends. */
  stop(): void {
    for (const { runner } of this.#running) runner?.stop();
  }

  #open(config: StreamConfig, chip: Config["chip"]): Running {
    const statistics = this.#statisticsOf(config);
    try {
      return { config, statistics, runner: openStream(config, chip, this.#openModel, statistics, this.#listeners) };
    } catch (cause) {
      throw new StreamsRefused(`streams.${config.name}: ${sentenceOf(cause)}`, { cause });
    }
  }

  #openOrRefuse(config: StreamConfig, chip: Config["chip"]): Running {
    const statistics = this.#statisticsOf(config);
    try {
      return { config, statistics, runner: openStream(config, chip, this.#openModel, statistics, this.#listeners) };
    } catch (error) {
      const detail = sentenceOf(error);
      statistics.stopped = detail;
      this.#listeners.emit({ name: "ModelRefused", stream: config.name, detail });
      return { config, statistics, runner: undefined };
    }
  }

  #statisticsOf({ name, pipeline, queue }: StreamConfig): StreamStatistics {
    const statistics = new StreamStatistics(name, pipeline, queue.maxMessages);
    statistics.onWorked = (seconds) => this.onWorked?.(name, seconds);
    statistics.onInferred = (seconds) => this.onInferred?.(name, seconds);
    return statistics;
  }
}
