import { join } from "node:path";
import type { AnomalyChange, Classification } from "../pipelines/signal.ts";
import type { Config } from "./config/schema.ts";
import { openModel } from "./models.ts";
import { type Connection, connect, within } from "./mqtt/connection.ts";
import { startEmbeddedBroker } from "./mqtt/embedded-broker.ts";
import { publishOutbox } from "./mqtt/publish.ts";
import { filtersOf, type StreamSink, subscribe } from "./mqtt/subscribe.ts";
import { AnomalyStore } from "./store/anomaly-store.ts";
import { closeDatabase, openDatabase } from "./store/database.ts";
import type { StreamRunner } from "./stream-runner.ts";
import { sentenceOf } from "./stream-runner.ts";
import type { StreamStatistics } from "./stream-statistics.ts";
import { type OpenModel, openStream, type StreamListeners, statisticsOf } from "./streams.ts";
import { type Log, Telemetry } from "./telemetry/events.ts";

/** What the agent takes from the world beside its configuration. */
export interface Surroundings {
  readonly log: Log;
  /** Gives a stream its model; by default from the zoo or from a file. */
  readonly openModel?: OpenModel;
  readonly onChange?: (change: AnomalyChange) => void;
  readonly onClassification?: (classification: Classification) => void;
}

/** A running agent. */
export interface Agent {
  /** Address of the broker, configured or embedded. */
  readonly brokerUrl: string;
  readonly databaseFile: string;
  readonly streams: readonly StreamStatistics[];
  readonly telemetry: Telemetry;
  readonly store: AnomalyStore;
  readonly connection: Connection;
  /** Messages that wait, by stream. */
  waiting(stream: string): number;
  /** Resolves when all that was received is worked off and, while the broker is there, published. */
  idle(): Promise<void>;
  /** Work off what was received, end open anomalies, publish, and close the database into one file. */
  stop(): Promise<void>;
}

/** The database of a configuration. */
export const databaseFileOf = (config: Config): string => join(config.state.directory, "ohmwatch.sqlite");

/**
 * Start an agent: broker → connection → queues → codecs → pipelines → store → outbox → broker.
 * A stream whose model cannot be used is an event and is left out; the others run.
 *
 * @throws DatabaseError or BrokerError, before anything runs
 */
export const startAgent = async (config: Config, surroundings: Surroundings): Promise<Agent> => {
  const telemetry = new Telemetry(surroundings.log);
  const { emit } = telemetry;
  const databaseFile = databaseFileOf(config);
  const database = openDatabase(databaseFile);
  const store = new AnomalyStore(database);
  const closeInterrupted = (stream?: string): void => {
    for (const { id, stream: name } of store.closeInterrupted(stream)) {
      emit({ name: "AnomalyInterrupted", stream: name, detail: `The anomaly ${id} was open and ends as interrupted.` });
    }
  };
  closeInterrupted();

  const { url, embeddedPort } = config.mqtt;
  const broker = url === undefined ? await startEmbeddedBroker(embeddedPort).catch(closing(database)) : undefined;
  const brokerUrl = url ?? broker!.url;

  const streams = statisticsOf(config);
  const runners = openStreams(config, streams, surroundings.openModel ?? openModel, {
    emit,
    onChange: (change) => {
      store.record(change);
      surroundings.onChange?.(change);
      publisher.wake();
    },
    onClassification: (classification) => surroundings.onClassification?.(classification),
    onFailure: closeInterrupted,
  });

  const sinks = new Map<string, StreamSink>([...runners].map(([name, runner]) => [name, runner.message]));
  const subscription = subscribe(config, sinks, (event) => {
    if (event.name === "MessageDropped") streams.find(({ name }) => name === event.stream)!.dropped++;
    emit(event);
  });
  const connection = connect({
    url: brokerUrl,
    mqtt: config.mqtt,
    filters: filtersOf(config),
    onMessage: subscription.onMessage,
    onConnect: () => publisher.wake(),
    emit,
    nowNs: () => BigInt(Date.now()) * 1_000_000n,
  });
  const publisher = publishOutbox(store, connection, config.mqtt.base, emit);

  return {
    brokerUrl,
    databaseFile,
    streams,
    telemetry,
    store,
    connection,
    waiting: subscription.waiting,
    idle: async () => {
      await subscription.drained();
      await publisher.flush();
    },
    stop: async () => {
      await connection.unsubscribe();
      await subscription.drained();
      for (const runner of runners.values()) runner.stop();
      await within(2000, publisher.flush());
      publisher.stop();
      await connection.close();
      await broker?.close();
      closeDatabase(database);
    },
  };
};

const openStreams = (
  config: Config,
  statistics: readonly StreamStatistics[],
  openModelOf: OpenModel,
  listeners: StreamListeners,
): ReadonlyMap<string, StreamRunner> => {
  const runners = new Map<string, StreamRunner>();
  config.streams.forEach((stream, i) => {
    try {
      runners.set(stream.name, openStream(stream, config.chip, openModelOf, statistics[i]!, listeners));
    } catch (error) {
      const detail = sentenceOf(error);
      statistics[i]!.stopped = detail;
      listeners.emit({ name: "ModelRefused", stream: stream.name, detail });
    }
  });
  return runners;
};

const closing =
  (database: Parameters<typeof closeDatabase>[0]) =>
  (error: unknown): never => {
    closeDatabase(database);
    throw error;
  };
