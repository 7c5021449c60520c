import type { AnomalyChange } from "../../pipelines/signal.ts";
import type { StreamStatistics } from "../stream-statistics.ts";
import { ansiPaint, changeLine, headerLine, type Paint, plainPaint, type Rates, streamLine } from "./view-lines.ts";

/** Where a live view draws. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What a live view is given. */
export interface LiveViewOptions {
  readonly title: string;
  /** A sentence under the streams. */
  readonly note?: string;
  /** The streams that run now. */
  readonly streams: () => readonly StreamStatistics[];
  readonly screen: Screen;
  /** Whether to use colour; the view also leaves it when the screen is no terminal. */
  readonly colour: "auto" | "never";
  /** Milliseconds of any steady clock. */
  readonly nowMs: () => number;
}

const redrawMs = 250;
const statusMs = 5000;
const anomaliesShown = 8;

/**
 * A picture of the streams that a person can follow. On a terminal it redraws itself in place; elsewhere each anomaly
 * is a line, and every five seconds there is one line a stream.
 */
export class LiveView {
  readonly #options: LiveViewOptions;
  readonly #paint: Paint;
  readonly #isTerminal: boolean;
  readonly #recent = new Map<string, string>();
  readonly #rates = new Map<string, { atMs: number; messages: number; frames: number; rates: Rates }>();
  #timer: NodeJS.Timeout | undefined;
  #drawnLines = 0;
  #startedAtMs = 0;

  constructor(options: LiveViewOptions) {
    this.#options = options;
    this.#isTerminal = options.screen.isTTY === true;
    this.#paint = this.#isTerminal && options.colour === "auto" ? ansiPaint : plainPaint;
  }

  /** Draw from now on. */
  start(): void {
    this.#startedAtMs = this.#options.nowMs();
    if (!this.#isTerminal) {
      const { title, note } = this.#options;
      this.#options.screen.write(note === undefined ? `${title}\n` : `${title}\n${note}\n`);
    }
    this.#timer = setInterval(() => this.draw(), this.#isTerminal ? redrawMs : statusMs);
    if (this.#isTerminal) {
      this.#options.screen.write("\u001b[?25l");
      this.draw();
    }
  }

  /** Draw a last time and leave the screen as it is. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.draw();
    this.#drawnLines = 0;
    if (this.#isTerminal) this.#options.screen.write("\u001b[?25h");
  }

  /** Show a change of an anomaly. */
  change(change: AnomalyChange): void {
    const line = changeLine(change, this.#paint);
    if (!this.#isTerminal) {
      if (change.type !== "update") this.#options.screen.write(`${line}\n`);
      return;
    }
    this.#recent.delete(change.anomaly.id);
    this.#recent.set(change.anomaly.id, line);
    if (this.#recent.size > anomaliesShown) this.#recent.delete(this.#recent.keys().next().value!);
  }

  /** Put a line above the picture, e.g. of the log. Ends with a newline. */
  write(line: string): void {
    this.#erase();
    this.#options.screen.write(line);
    if (this.#isTerminal && this.#timer !== undefined) this.draw();
  }

  /** Draw now. */
  draw(): void {
    const lines = this.#lines();
    this.#erase();
    const columns = this.#options.screen.columns ?? 100;
    this.#options.screen.write(lines.map((line) => `${cut(line, columns)}\n`).join(""));
    this.#drawnLines = this.#isTerminal ? lines.length : 0;
  }

  #erase(): void {
    if (this.#drawnLines > 0) this.#options.screen.write(`\u001b[${this.#drawnLines}A\u001b[J`);
    this.#drawnLines = 0;
  }

  #lines(): readonly string[] {
    const seconds = Math.round((this.#options.nowMs() - this.#startedAtMs) / 1000);
    const streams = this.#options.streams().map((stream) => streamLine(stream, this.#ratesOf(stream), this.#paint));
    if (!this.#isTerminal) return [`after ${seconds} s`, headerLine(this.#paint), ...streams];
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    const title = `${this.#paint.bold(this.#options.title)}  ${time}`;
    const recent = this.#recent.size === 0 ? ["  none yet"] : [...this.#recent.values()].reverse();
    const note = this.#options.note === undefined ? [] : [this.#paint.dim(this.#options.note)];
    return [title, "", headerLine(this.#paint), ...streams, ...note, "", this.#paint.dim("last anomalies"), ...recent];
  }

  #ratesOf({ name, messages, frames }: StreamStatistics): Rates {
    const atMs = this.#options.nowMs();
    const before = this.#rates.get(name) ?? { atMs: this.#startedAtMs, messages: 0, frames: 0, rates: noRates };
    const seconds = (atMs - before.atMs) / 1000;
    if (seconds < 1) return before.rates;
    const rates = { messages: (messages - before.messages) / seconds, frames: (frames - before.frames) / seconds };
    this.#rates.set(name, { atMs, messages, frames, rates });
    return rates;
  }
}

const noRates: Rates = { messages: 0, frames: 0 };

/** A line cut to so many visible characters, so that it never wraps; escape sequences take no room. */
const cut = (line: string, columns: number): string => {
  let visible = 0;
  let result = "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences written above
  for (const part of line.match(/\u001b\[[0-9;]*m|[^\u001b]/gu) ?? []) {
    if (part.startsWith("\u001b")) result += part;
    else if (visible++ < columns) result += part;
  }
  return result;
};
