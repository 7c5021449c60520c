import { join } from "node:path";
import type { AnomalyChange, Classification } from "../pipelines/signal.ts";
import type { Agent } from "./agent.ts";
import { applicable } from "./config/reload.ts";
import type { Config } from "./config/schema.ts";
import { HealthMonitor } from "./health.ts";
import { Journal } from "./journal/journal.ts";
import { recover } from "./journal/recover.ts";
import { type Connection, connect, within } from "./mqtt/connection.ts";
import type { EmbeddedBroker } from "./mqtt/embedded-broker.ts";
import { publishOutbox } from "./mqtt/publish.ts";
import { filtersOf, subscribe } from "./mqtt/subscribe.ts";
import { Observers } from "./observers.ts";
import { type Service, startServices } from "./services.ts";
import { AlarmDesk } from "./store/alarm-desk.ts";
import { AnomalyStore } from "./store/anomaly-store.ts";
import { closeDatabase, openDatabase } from "./store/database.ts";
import { Housekeeping } from "./store/housekeeping.ts";
import { StreamSet } from "./stream-set.ts";
import type { OpenModel } from "./streams.ts";
import { Tap } from "./tap.ts";
import { type Log, Telemetry } from "./telemetry/events.ts";
import { openChips } from "./upkeep/open-chips.ts";

export type { Agent, Reconfigured } from "./agent.ts";

/** What the agent takes from the world beside its configuration. */
export interface Surroundings {
  readonly log: Log;
  /** Gives a stream its model; by default from the zoo or from a file. */
  readonly openModel?: OpenModel;
  readonly onChange?: (change: AnomalyChange) => void;
  readonly onClassification?: (classification: Classification) => void;
}

/** The database of a configuration. */
export const databaseFileOf = (config: Config): string => join(config.state.directory, "ohmwatch.sqlite");

/** Where the messages in unfinished windows lie. */
export const journalFileOf = ({ state }: Config): string => join(state.journalDirectory ?? state.directory, "journal");

/**
 * Start an agent: broker → connection → queues → codecs → pipelines → store → outbox → broker.
 * A stream whose model cannot be used is an event and is left out; the others run.
 *
 * @throws DatabaseError or BrokerError, before anything runs; what a service throws that cannot start
 */
export const startAgent = async (config: Config, surroundings: Surroundings): Promise<Agent> => {
  const telemetry = new Telemetry(surroundings.log);
  const { emit } = telemetry;
  const databaseFile = databaseFileOf(config);
  const database = openDatabase(databaseFile);
  const store = new AnomalyStore(database);
  const desk = new AlarmDesk(database, store, Date.now, () => publisher.wake());
  const closeInterrupted = (stream?: string): void => {
    for (const { id, stream: name } of store.closeInterrupted(stream)) {
      emit({ name: "AnomalyInterrupted", stream: name, detail: `The anomaly ${id} was open and ends as interrupted.` });
    }
  };
  closeInterrupted();

  const { url, embeddedPort } = config.mqtt;
  const broker = url === undefined ? await startBroker(embeddedPort).catch(closing(database)) : undefined;
  const brokerUrl = url ?? broker!.url;

  let running = config;
  const observers = new Observers();
  const journal = new Journal(journalFileOf(config), emit);
  const tap = new Tap();
  const chips = openChips(config, {
    emit,
    hasRoom: () => config.streams.every(({ name }) => subscription.waiting(name) === 0),
    publish: (topic, payload) =>
      void (connection.isConnected() && connection.publish(topic, payload, { qos: 1, retain: true }).catch(() => {})),
  });
  const streamSet = new StreamSet(surroundings.openModel ?? chips.openModel, {
    emit,
    onChange: (change) => {
      store.record(change);
      tap.changed(change);
      surroundings.onChange?.(change);
      observers.change(change);
      publisher.wake();
    },
    onClassification: (classification) => {
      journal.classified(classification.stream, classification.fromNs);
      tap.classified(classification);
      surroundings.onClassification?.(classification);
      observers.classification(classification);
    },
    onDecoded: (stream, result) => tap.decoded(stream, result),
    onOpen: (stream, frames) => journal.open(stream, frames),
    onAsk: ({ topic, payload }) => void connection.publish(topic, payload),
    onTaken: (stream, message, toNs) => journal.take(stream, message, toNs),
    onFailure: closeInterrupted,
  });
  streamSet.start(config);

  const subscription = subscribe(config, streamSet.sinks, (event) => {
    if (event.name === "MessageDropped") streamSet.of(event.stream)?.countDropped();
    emit(event);
  });
  const connection: Connection = connect({
    url: brokerUrl,
    mqtt: config.mqtt,
    filters: filtersOf(config),
    onMessage: subscription.onMessage,
    commit: () => journal.commit(),
    emit,
    nowNs: () => BigInt(Date.now()) * 1_000_000n,
  });
  chips.start();
  const health = new HealthMonitor(
    {
      get streams() {
        return streamSet.statistics;
      },
      waiting: subscription.waiting,
      isConnected: connection.isConnected,
      staleSeconds: () => running.http?.staleSeconds,
    },
    () => Date.now() / 1000,
  );
  const watching = setInterval(() => {
    health.tick();
    telemetry.flush();
  }, 5000).unref();
  const publisher = publishOutbox(store.outbox, connection, config.mqtt, emit);
  connection.onConnect(() => publisher.wake());
  connection.onConnect(() => chips.announce());
  recover(journal, streamSet.sinks, emit);
  const housekeeping = new Housekeeping({ database, desk, emit, onOutbox: publisher.wake });
  housekeeping.start();

  let services: Service | undefined;
  const agent: Agent = {
    brokerUrl,
    databaseFile,
    get config() {
      return running;
    },
    get streams() {
      return streamSet.statistics;
    },
    streamSet,
    telemetry,
    store,
    desk,
    connection,
    tap,
    observers,
    chips,
    health: () => health.verdict(),
    waiting: subscription.waiting,
    idle: async () => {
      await subscription.drained();
      await publisher.flush();
    },
    reconfigure: async (wanted) => {
      const { config: next, needRestart } = applicable(running, wanted);
      const { retire, ...changes } = streamSet.change(next);
      running = next;
      subscription.route(next, streamSet.sinks, retire);
      await connection.subscribeTo(filtersOf(next));
      observers.streams();
      return { ...changes, needRestart };
    },
    stop: async () => {
      clearInterval(watching);
      await services?.stop();
      await connection.unsubscribe();
      await subscription.drained();
      housekeeping.stop();
      streamSet.stop();
      await chips.stop();
      journal.remove();
      await within(2000, publisher.flush());
      publisher.stop();
      await connection.close();
      await broker?.close();
      closeDatabase(database);
      telemetry.flush(true);
    },
  };
  services = await startServices(agent).catch(async (error) => {
    await agent.stop();
    throw error;
  });
  return agent;
};

const closing =
  (database: Parameters<typeof closeDatabase>[0]) =>
  (error: unknown): never => {
    closeDatabase(database);
    throw error;
  };

/** The broker is loaded where it runs: elsewhere its memory is better spent. */
const startBroker = async (port: number): Promise<EmbeddedBroker> =>
  (await import("./mqtt/embedded-broker.ts")).startEmbeddedBroker(port);
