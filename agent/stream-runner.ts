import { type Observable, Subject, type Subscription } from "rxjs";
import { endOf } from "../pipelines/event-time.ts";
import type { AnomalyChange, SampleBlock } from "../pipelines/signal.ts";
import type { DecodeResult, SourceNews } from "./codecs/codec.ts";
import type { MqttMessage } from "./mqtt/connection.ts";
import type { StreamStatistics } from "./stream-statistics.ts";
import type { Emit } from "./telemetry/events.ts";

/** What one stream is made of. */
export interface StreamParts {
  readonly decode: (message: MqttMessage) => DecodeResult;
  readonly pipeline: (blocks: Observable<SampleBlock>) => Observable<AnomalyChange>;
  /** Takes each change; may throw when it cannot be written. */
  readonly onChange: (change: AnomalyChange) => void;
  /** Told of each message that was worked off, with the end of its samples, ns since 1970. */
  readonly onTaken?: (message: MqttMessage, toNs: bigint) => void;
  /** Publishes what the codec asks of the sender. */
  readonly onAsk?: (ask: NonNullable<SourceNews["ask"]>) => void;
  /** Told when the pipeline failed and its anomalies will get no end of their own. */
  readonly onFailure: () => void;
  readonly statistics: StreamStatistics;
  readonly emit: Emit;
  /** Seconds of a steady clock. */
  readonly nowSeconds: () => number;
}

/**
 * One stream from message to anomaly. Whatever goes wrong in it stays in it: a bad payload is an event, a pipeline that
 * fails is an event and starts afresh with the next block.
 */
export class StreamRunner {
  readonly #parts: StreamParts;
  #blocks = new Subject<SampleBlock>();
  #subscription: Subscription | undefined;

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  /** Decode a message and run what is in it through the pipeline, synchronously. Never throws; can be passed on as it is. */
  readonly message = (message: MqttMessage): void => {
    const { statistics, emit, nowSeconds } = this.#parts;
    const startedAt = nowSeconds();
    statistics.messages++;
    statistics.lastMessageAtSeconds = Number(message.receivedAtNs / 1_000_000n) / 1000;
    const decoded = this.#parts.decode(message);
    if (decoded.news !== undefined) this.#hear(decoded.news);
    if (decoded.ok) {
      for (const block of decoded.blocks) this.block(block);
      const last = decoded.blocks.at(-1);
      if (last !== undefined) this.#parts.onTaken?.(message, endOf(last));
    } else {
      statistics.rejected++;
      emit({ name: "PayloadRejected", stream: statistics.name, ...decoded.error });
    }
    statistics.worked(nowSeconds() - startedAt);
  };

  /** Run one block through the pipeline, synchronously. Never throws. */
  block(block: SampleBlock): void {
    this.#parts.statistics.block(block);
    this.#start();
    this.#blocks.next(block);
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
    this.#blocks.complete();
  }

  #start(): void {
    if (this.#subscription !== undefined) return;
    const { pipeline, onChange, onFailure, statistics, emit } = this.#parts;
    this.#blocks = new Subject();
    this.#subscription = pipeline(this.#blocks).subscribe({
      next: (change) => {
        statistics.change(change);
        try {
          onChange(change);
        } catch (error) {
          const detail = `The anomaly ${change.anomaly.id} was not recorded: ${sentenceOf(error)}`;
          emit({ name: "AnomalyLost", stream: statistics.name, detail });
        }
      },
      error: (error: unknown) => {
        emit({ name: "StreamFailed", stream: statistics.name, detail: sentenceOf(error) });
        this.#subscription = undefined;
        onFailure();
      },
    });
    // An error while subscribing comes before the assignment above.
    if (this.#subscription.closed) this.#subscription = undefined;
  }
}

/** What an error says. */
export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
