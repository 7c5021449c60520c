import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AnomalyChange, Classification } from "../pipelines/signal.ts";
import type { Agent } from "./agent.ts";
import { Installer } from "./bundles/installer.ts";
import { Library } from "./bundles/library.ts";
import { applicable } from "./config/reload.ts";
import type { Config } from "./config/schema.ts";
import { forward } from "./forward/forwarder.ts";
import { StatisticsReporter } from "./forward/statistics.ts";
import { HealthMonitor } from "./health.ts";
import { Journal } from "./journal/journal.ts";
import { recover } from "./journal/recover.ts";
import { type Connection, connect, within } from "./mqtt/connection.ts";
import type { EmbeddedBroker } from "./mqtt/embedded-broker.ts";
import { filtersOf, subscribe } from "./mqtt/subscribe.ts";
import { Observers } from "./observers.ts";
import { type Service, startServices } from "./services.ts";
import { openStore } from "./store/open-store.ts";
import { StreamSet } from "./stream-set.ts";
import type { OpenModel } from "./streams.ts";
import { Tap } from "./tap.ts";
import { type Log, Telemetry } from "./telemetry/events.ts";
import { openChips } from "./upkeep/open-chips.ts";
import { hearTemperature } from "./upkeep/temperature.ts";

export type { Agent, Reconfigured } from "./agent.ts";

/** What the agent takes from the world beside its configuration. */
export interface Surroundings {
  readonly log: Log;
  /** Gives a stream its model; by default from the zoo or from a file. */
  readonly openModel?: OpenModel;
  readonly onChange?: (change: AnomalyChange) => void;
  readonly onClassification?: (classification: Classification) => void;
  /** This machine's clock, ms since 1970; by default the real one. */
  readonly nowMs?: () => number;
  /** Waits so many milliseconds; by default it really does. */
  readonly pause?: (ms: number) => Promise<void>;
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
  const nowMs = surroundings.nowMs ?? Date.now;
  const { store, desk, recorder, ring, housekeeping, ...stored } = openStore(databaseFile, config, {
    emit,
    onOutbox: () => forwarder.wake(),
    onUnsaved: (event) => forwarder.sendUnsaved(event),
    nowMs,
  });

  const { url, embeddedPort } = config.mqtt;
  const broker = url === undefined ? await startBroker(embeddedPort).catch(closing(stored.close)) : undefined;
  const brokerUrl = url ?? broker!.url;

  let running = config;
  const observers = new Observers(emit);
  const journal = new Journal(journalFileOf(config), emit);
  const tap = new Tap();
  const chips = openChips(config, {
    emit,
    hasRoom: () => config.streams.every(({ name }) => subscription.waiting(name) === 0),
    feedback: (after, limit) => desk.feedback(after, limit),
    publish: (topic, payload) =>
      void (connection.isConnected() && connection.publish(topic, payload, { qos: 1, retain: true }).catch(() => {})),
  });
  const library = new Library(config);
  const openInstalled = library.opening(surroundings.openModel ?? chips.openModel);
  const streamSet = new StreamSet(openInstalled, {
    emit,
    onChange: (change) => {
      recorder.record(change);
      tap.changed(change);
      surroundings.onChange?.(change);
      observers.change(change);
      forwarder.wake();
    },
    onClassification: (classification) => {
      journal.classified(classification.stream, classification.fromNs);
      tap.classified(classification);
      surroundings.onClassification?.(classification);
      observers.classification(classification);
    },
    onDecoded: (stream, result) => {
      tap.decoded(stream, result);
      chips.temperature.decoded(stream, result);
    },
    onOpen: (stream, frames) => journal.open(stream, frames),
    onAsk: ({ topic, payload }) => void connection.publish(topic, payload),
    onTaken: (stream, message, toNs, inference) => journal.take(stream, message, toNs, inference),
    onFailure: stored.closeInterrupted,
  });
  streamSet.start(config);
  const installer = new Installer({ library, settings: () => running, streamSet, openModel: openInstalled, emit });

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
    nowNs: () => BigInt(nowMs()) * 1_000_000n,
  });
  hearTemperature(connection, chips.temperature, config.chip);
  chips.start();
  const health = new HealthMonitor(
    {
      get streams() {
        return streamSet.statistics;
      },
      waiting: subscription.waiting,
      isConnected: connection.isConnected,
      staleSeconds: () => running.http?.staleSeconds,
      heldChanges: () => recorder.held,
    },
    () => nowMs() / 1000,
  );
  const watching = setInterval(() => {
    health.tick();
    telemetry.flush();
  }, 5000).unref();
  const pause = surroundings.pause ?? ((ms) => sleep(ms, undefined, { ref: false }));
  const forwarder = forward({
    outbox: store.outbox,
    ring,
    connection,
    settings: { ...config.mqtt, ...config.forward },
    emit,
    pause,
  });
  connection.onConnect(() => forwarder.connected());
  connection.onConnect(() => chips.announce());
  const reporter = new StatisticsReporter({
    ring,
    connection,
    base: config.mqtt.base,
    streams: () => streamSet.statistics,
    nowMs,
    emit,
    onRing: forwarder.wake,
  });
  reporter.start(config.forward.statisticsSeconds);
  recover(journal, streamSet.runners, emit);
  housekeeping.start();

  let services: Service | undefined;
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    clearInterval(watching);
    await services?.stop();
    await connection.unsubscribe();
    await subscription.drained();
    installer.stop();
    streamSet.stop();
    await chips.stop();
    reporter.stop();
    housekeeping.stop();
    journal.remove();
    await within(2000, forwarder.flush());
    forwarder.stop();
    await connection.close();
    await broker?.close();
    stored.close();
    telemetry.flush(true);
  };
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
    ring,
    recorder,
    connection,
    tap,
    observers,
    chips,
    installer,
    health: () => health.verdict(),
    waiting: subscription.waiting,
    idle: async () => {
      await subscription.drained();
      await forwarder.flush();
    },
    reconfigure: async (wanted) => {
      const { config: next, needRestart } = applicable(running, wanted);
      const { retire, ...changes } = streamSet.change(next);
      if (changes.changed.length + changes.removed.length > 0) installer.stop();
      running = next;
      subscription.route(next, streamSet.sinks, retire);
      await connection.subscribeTo(filtersOf(next));
      observers.streams();
      return { ...changes, needRestart };
    },
    stop: () => (stopped ??= stop()),
  };
  services = await startServices(agent).catch(async (error) => {
    await agent.stop();
    throw error;
  });
  return agent;
};

const closing =
  (close: () => void) =>
  (error: unknown): never => {
    close();
    throw error;
  };

/** The broker is loaded where it runs: elsewhere its memory is better spent. */
const startBroker = async (port: number): Promise<EmbeddedBroker> =>
  (await import("./mqtt/embedded-broker.ts")).startEmbeddedBroker(port);
