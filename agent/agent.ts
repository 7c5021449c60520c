import type { Installer } from "./bundles/installer.ts";
import type { Config } from "./config/schema.ts";
import type { Health } from "./health.ts";
import type { Connection } from "./mqtt/connection.ts";
import type { Observers } from "./observers.ts";
import type { AlarmDesk } from "./store/alarm-desk.ts";
import type { AnomalyStore } from "./store/anomaly-store.ts";
import type { Recorder } from "./store/recorder.ts";
import type { TelemetryRing } from "./store/telemetry-ring.ts";
import type { StreamChanges, StreamSet } from "./stream-set.ts";
import type { StreamStatistics } from "./stream-statistics.ts";
import type { Tap } from "./tap.ts";
import type { Telemetry } from "./telemetry/events.ts";
import type { ChipBank } from "./upkeep/chip-bank.ts";

/** A running agent. */
export interface Agent {
  /** Address of the broker, configured or embedded. */
  readonly brokerUrl: string;
  readonly databaseFile: string;
  /** What runs now. */
  readonly config: Config;
  /** Counters of the streams that run now; another list after `reconfigure`. */
  readonly streams: readonly StreamStatistics[];
  readonly streamSet: StreamSet;
  readonly telemetry: Telemetry;
  readonly store: AnomalyStore;
  /** Where people act on alarms; what comes of it is published at once. */
  readonly desk: AlarmDesk;
  /** Statistics that wait for the broker. */
  readonly ring: TelemetryRing;
  /** What the disk did not take waits here. */
  readonly recorder: Recorder;
  readonly connection: Connection;
  /** The chips that the models run on. */
  readonly chips: ChipBank;
  /** Installs models while the agent runs. */
  readonly installer: Installer;
  readonly observers: Observers;
  /** Where one can look into the streams. */
  readonly tap: Tap;
  /** Whether data flow and inference keeps up. */
  health(): Health;
  /** Messages that wait, by stream. */
  waiting(stream: string): number;
  /** Resolves when all that was received is worked off and, while the broker is there, published. */
  idle(): Promise<void>;
  /**
   * Become what another configuration says, without losing a message. What only a restart can change stays as it is and
   * is named. @throws StreamsRefused where a new stream cannot run; then nothing has changed
   */
  reconfigure(config: Config): Promise<Reconfigured>;
  /** Work off what was received, end open anomalies, publish, and close the database into one file. Asked again, it waits for the first. */
  stop(): Promise<void>;
}

/** What another configuration changed. */
export interface Reconfigured extends StreamChanges {
  /** Settings that differ but only count after a restart. */
  readonly needRestart: readonly string[];
}
