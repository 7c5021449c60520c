import { type Observable, Subject, type Subscription } from "rxjs";
import type { Model } from "../models/model.ts";
import { endOf } from "../pipelines/event-time.ts";
import type { AnomalyChange, Classification, SampleBlock } from "../pipelines/signal.ts";
import type { DecodeResult, SourceNews } from "./codecs/codec.ts";
import type { Place } from "./journal/record.ts";
import { WindowGrid } from "./journal/window-grid.ts";
import type { MqttMessage } from "./mqtt/connection.ts";
import type { StreamStatistics } from "./stream-statistics.ts";
import type { Emit } from "./telemetry/events.ts";

/** The part that a pipeline plays: it counts, or runs along unheard. */
export interface Role {
  isLive: boolean;
  /** Looks at what the pipeline says, whichever part it plays. */
  look: ((classification: Classification) => void) | undefined;
}

/** What one stream is made of. */
export interface StreamParts {
  readonly decode: (message: MqttMessage) => DecodeResult;
  readonly model: Model;
  /** Builds the stream's pipeline around a model. @throws where the model does not fit */
  readonly pipelineOf: (model: Model, role: Role) => (blocks: Observable<SampleBlock>) => Observable<AnomalyChange>;
  /** Takes each change; may throw when it cannot be written. */
  readonly onChange: (change: AnomalyChange) => void;
  /** Told of each message that was worked off: the end of its samples, ns since 1970, and which inference was next before it. */
  readonly onTaken?: (message: MqttMessage, toNs: bigint, inference?: number) => void;
  /** Publishes what the codec asks of the sender. */
  readonly onAsk?: (ask: NonNullable<SourceNews["ask"]>) => void;
  /** Told when the pipeline failed and its anomalies will get no end of their own. */
  readonly onFailure: () => void;
  readonly statistics: StreamStatistics;
  readonly emit: Emit;
  /** Seconds of a steady clock. */
  readonly nowSeconds: () => number;
}

/** Looks at two models that run side by side. */
export interface TrialLook {
  classification(classification: Classification, isLive: boolean): void;
  change(change: AnomalyChange, isLive: boolean): void;
  failed(error: unknown, isLive: boolean): void;
}

/** A pipeline that is fed. */
interface Lane {
  readonly model: Model;
  readonly role: Role;
  readonly pipeline: (blocks: Observable<SampleBlock>) => Observable<AnomalyChange>;
  /** Anomalies that have not ended. */
  readonly open: Map<string, AnomalyChange>;
  blocks: Subject<SampleBlock>;
  subscription: Subscription | undefined;
}

/**
 * One stream from message to anomaly. Whatever goes wrong in it stays in it: a bad payload is an event, a pipeline that
 * fails is an event and starts afresh with the next block. A second model may run along on the same blocks, and change
 * places with the first between two of them.
 */
export class StreamRunner {
  readonly #parts: StreamParts;
  #live: Lane;
  /** Where the windows of what is read again begin. */
  #grid: WindowGrid | undefined;
  #trial: Lane | undefined;
  #look: TrialLook | undefined;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    this.#live = this.#lane(parts.model, true);
  }

  /** The model that counts. */
  get model(): Model {
    return this.#live.model;
  }

  /** Let a model run along, unheard but by `look`. @throws where it does not fit; then nothing has changed */
  tryModel(model: Model, look: TrialLook): void {
    const trial = this.#lane(model, false);
    this.endTrial();
    this.#trial = trial;
    this.#look = look;
    for (const lane of [this.#live, trial]) lane.role.look = (c) => this.#look?.classification(c, lane.role.isLive);
  }

  /** The two change places: what the one has open ends, what the other has open is raised. */
  swap(): void {
    if (this.#trial === undefined) return;
    for (const { anomaly } of this.#live.open.values()) this.#deliver({ type: "end", anomaly });
    [this.#live, this.#trial] = [this.#trial, this.#live];
    this.#live.role.isLive = true;
    this.#trial.role.isLive = false;
    for (const { anomaly } of this.#live.open.values()) this.#deliver({ type: "new", anomaly });
  }

  /** The one that runs along runs no more. */
  endTrial(): void {
    this.#look = undefined;
    this.#live.role.look = undefined;
    this.#trial?.subscription?.unsubscribe();
    this.#trial = undefined;
  }

  /** Decode a message and run what is in it through the pipeline, synchronously. Never throws; can be passed on as it is. */
  readonly message = (message: MqttMessage): void => {
    const { statistics, emit, nowSeconds } = this.#parts;
    const startedAt = nowSeconds();
    const { inference } = this.model.network;
    statistics.messages++;
    statistics.lastMessageAtSeconds = Number(message.receivedAtNs / 1_000_000n) / 1000;
    const decoded = this.#parts.decode(message);
    if (decoded.news !== undefined) this.#hear(decoded.news);
    if (decoded.ok) {
      for (const block of decoded.blocks) {
        const kept = this.#grid === undefined ? block : this.#grid.take(block);
        if (kept !== undefined) this.block(kept);
      }
      const last = decoded.blocks.at(-1);
      if (last !== undefined) this.#parts.onTaken?.(message, endOf(last), inference);
    } else {
      statistics.rejected++;
      emit({ name: "PayloadRejected", stream: statistics.name, ...decoded.error });
    }
    statistics.worked(nowSeconds() - startedAt);
  };

  /**
   * Take a message again that was taken before, when the chip and the windows were at this place: reads have the noise that
   * they had then, and windows begin where they began.
   */
  again(message: MqttMessage, place: Place): void {
    const { network, manifest } = this.model;
    if (place.inference !== undefined && network.inference !== undefined) network.inference = place.inference;
    // Those of an ECG are about its beats.
    const hasGrid = place.frameFromNs !== undefined && manifest.modality !== "ecg";
    if (hasGrid && !this.#hasBegun) this.#grid = new WindowGrid(place.frameFromNs, manifest.input);
    this.message(message);
  }

  /** Run one block through the pipeline, synchronously. Never throws. */
  block(block: SampleBlock): void {
    this.#parts.statistics.block(block);
    this.#feed(this.#live, block);
    if (this.#trial !== undefined) this.#feed(this.#trial, block);
  }

  get #hasBegun(): boolean {
    return this.#live.subscription !== undefined || this.#grid !== undefined;
  }

  #hear({ isAlive, ask }: SourceNews): void {
    const { statistics, emit, onAsk } = this.#parts;
    if (ask !== undefined) onAsk?.(ask);
    if (isAlive === undefined || isAlive !== statistics.isSourceDead) return;
    statistics.isSourceDead = !isAlive;
    if (!isAlive) emit({ name: "SourceDied", stream: statistics.name, detail: "The sender said that it is gone." });
  }

  /** End the stream: open anomalies end. */
  stop(): void {
    this.endTrial();
    this.#live.blocks.complete();
  }

  #lane(model: Model, isLive: boolean): Lane {
    const role: Role = { isLive, look: undefined };
    const pipeline = this.#parts.pipelineOf(model, role);
    return { model, role, pipeline, open: new Map(), blocks: new Subject(), subscription: undefined };
  }

  #feed(lane: Lane, block: SampleBlock): void {
    this.#start(lane);
    lane.blocks.next(block);
  }

  #start(lane: Lane): void {
    if (lane.subscription !== undefined) return;
    lane.blocks = new Subject();
    lane.subscription = lane.pipeline(lane.blocks).subscribe({
      next: (change) => {
        if (change.type === "end") lane.open.delete(change.anomaly.id);
        else lane.open.set(change.anomaly.id, change);
        if (lane.role.isLive) this.#deliver(change);
        this.#look?.change(change, lane.role.isLive);
      },
      error: (error: unknown) => {
        const { emit, statistics, onFailure } = this.#parts;
        lane.subscription = undefined;
        lane.open.clear();
        if (lane.role.isLive) {
          emit({ name: "StreamFailed", stream: statistics.name, detail: sentenceOf(error) });
          onFailure();
        }
        this.#look?.failed(error, lane.role.isLive);
      },
    });
    // An error while subscribing comes before the assignment above.
    if (lane.subscription.closed) lane.subscription = undefined;
  }

  #deliver(change: AnomalyChange): void {
    const { onChange, statistics, emit } = this.#parts;
    statistics.change(change);
    try {
      onChange(change);
    } catch (error) {
      const detail = `The anomaly ${change.anomaly.id} was not recorded: ${sentenceOf(error)}`;
      emit({ name: "AnomalyLost", stream: statistics.name, detail });
    }
  }
}

/** What an error says. */
export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
