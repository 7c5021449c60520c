import type { Config } from "../config/schema.ts";
import type { Emit } from "../telemetry/events.ts";
import { AlarmDesk } from "./alarm-desk.ts";
import { AnomalyStore } from "./anomaly-store.ts";
import { openSoundDatabase } from "./damaged.ts";
import { closeDatabase } from "./database.ts";
import { Housekeeping } from "./housekeeping.ts";
import { Recorder } from "./recorder.ts";
import { Reserve } from "./reserve.ts";
import { Retention } from "./retention.ts";
import { TelemetryRing } from "./telemetry-ring.ts";

/** What the agent keeps on disk, and who sees to it. */
export interface OpenStore {
  readonly store: AnomalyStore;
  readonly desk: AlarmDesk;
  readonly recorder: Recorder;
  readonly ring: TelemetryRing;
  readonly housekeeping: Housekeeping;
  /** End, as `interrupted`, what is active: of one stream, or of all; each is told. */
  closeInterrupted(stream?: string): void;
  /** Write everything back into the one file and close it. */
  close(): void;
}

/** What a store tells, and its clock. */
export interface StoreListeners {
  readonly emit: Emit;
  /** There may be something new in the outbox. */
  readonly onOutbox: () => void;
  /** The event of a change that the disk did not take. */
  readonly onUnsaved: (event: { readonly payload: string; readonly isLatest: boolean }) => void;
  readonly nowMs: () => number;
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/**
 * Open the database of an agent; a damaged one is put aside. What a crash left open is ended as interrupted.
 * @throws DatabaseError with a sentence that names the file
 */
export const openStore = (
  file: string,
  { state, forward }: Pick<Config, "state" | "forward">,
  { emit, onOutbox, onUnsaved, nowMs }: StoreListeners,
): OpenStore => {
  const { database, replaced } = openSoundDatabase(file, nowMs);
  if (replaced !== undefined) emit({ name: "DatabaseReplaced", detail: replaced });
  const store = new AnomalyStore(database, nowMs);
  const desk = new AlarmDesk(database, store, nowMs, onOutbox);
  const reserve = new Reserve(file);
  const ring = new TelemetryRing(database, {
    maxBytes: forward.ringMegabytes * 1e6,
    maxAgeMs: forward.ringHours * hourMs,
  });
  const limits = {
    maxBytes: state.maxMegabytes * 1e6,
    maxAgeMs: state.maxDays === undefined ? undefined : state.maxDays * dayMs,
  };
  const retention = new Retention(database, limits, { ring, reserve });
  const recorder = new Recorder({ store, retention, emit, onUnsaved });
  const closeInterrupted = (stream?: string): void => {
    for (const { id, stream: name } of store.closeInterrupted(stream)) {
      emit({ name: "AnomalyInterrupted", stream: name, detail: `The anomaly ${id} was open and ends as interrupted.` });
    }
  };
  closeInterrupted();
  const housekeeping = new Housekeeping({ database, desk, recorder, retention, reserve, emit, nowMs, onOutbox });
  return { store, desk, recorder, ring, housekeeping, closeInterrupted, close: () => closeDatabase(database) };
};
