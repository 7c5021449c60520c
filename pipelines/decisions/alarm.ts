import type { DecisionRule } from "../../models/manifest.ts";
import type { Anomaly } from "../signal.ts";
import { levelOf } from "./hysteresis.ts";
import { MOfN } from "./m-of-n.ts";
import { Refractory } from "./refractory.ts";

/** What an alarm takes of a frame. */
export interface ScoredFrame {
  readonly fromNs: bigint;
  readonly toNs: bigint;
  readonly atNs: bigint;
  readonly score: number;
}

/** An anomaly without what the alarm does not know: its stream, model and evidence. */
export type AlarmState = Pick<Anomaly, "fromNs" | "toNs" | "peakScore" | "count">;

/** A step in the life of an alarm. */
export interface AlarmChange {
  readonly type: "new" | "update" | "end";
  readonly state: AlarmState;
}

const grownBy = 0.1; // an update is worth sending when the peak grew by a tenth …
const multipliedBy = 2; // … or the hits doubled: a long anomaly of n hits sends about log₂ n

/**
 * The alarm of one label of one stream:
 *
 *   resting ──`confirm` hits among the last `window` frames──► pending ──`minimumMs` since the first──► active
 *   pending, active ──`window` quiet frames in a row──► resting
 *
 * It begins with the first of the hits that raised it and ends with the last hit; what has not lasted `minimumMs` is
 * never told. For `refractoryMs` after that end frames do not count, and with `oncePerDay` none more of the day (UTC) in
 * which it was raised. A score between `leave` and `enter` neither confirms nor speaks for the end.
 */
export class Alarm {
  readonly #rule: DecisionRule;
  readonly #hits: MOfN<ScoredFrame>;
  readonly #refractory: Refractory;
  readonly #minimumNs: bigint;
  /** What is pending or active. */
  #active: AlarmState | undefined;
  /** What was told of it; undefined while it is pending. */
  #reported: AlarmState | undefined;
  #quiet = 0;
  /** The day of event time in which one was raised last, in days since 1970. */
  #raisedOnDay: bigint | undefined;

  /** @throws RangeError when the rule cannot be met: leave above enter, confirm above window */
  constructor(rule: DecisionRule) {
    if (!(rule.leave <= rule.enter)) {
      throw new RangeError(`leave: expected a score ≤ enter (${rule.enter}), got ${rule.leave}`);
    }
    this.#rule = rule;
    this.#hits = new MOfN({ m: rule.confirm, n: rule.window });
    this.#refractory = new Refractory(rule.refractoryMs);
    this.#minimumNs = BigInt(Math.round((rule.minimumMs ?? 0) * 1e6));
  }

  /** Take a frame, in order of time. */
  take(frame: ScoredFrame): AlarmChange | undefined {
    const level = levelOf(frame.score, this.#rule);
    return this.#active === undefined ? this.#rest(frame, level === "hit") : this.#go(this.#active, frame, level);
  }

  /** End what is active: a gap came, or the end of the stream. */
  close(): AlarmChange | undefined {
    this.#hits.reset();
    if (this.#active === undefined) return undefined;
    const state = this.#active;
    const wasTold = this.#reported !== undefined;
    this.#active = undefined;
    this.#reported = undefined;
    if (!wasTold) return undefined;
    this.#refractory.begin(state.toNs);
    return { type: "end", state };
  }

  #rest(frame: ScoredFrame, isHit: boolean): AlarmChange | undefined {
    if (this.#refractory.includes(frame.atNs)) return undefined;
    if (this.#rule.oncePerDay && dayOf(frame.atNs) === this.#raisedOnDay) return undefined;
    const hits = this.#hits.push(isHit ? frame : undefined);
    if (hits === undefined) return undefined;
    const [first, last] = [hits[0]!, hits.at(-1)!];
    const peakScore = Math.max(...hits.map((h) => h.score));
    this.#active = { fromNs: first.fromNs, toNs: last.toNs, peakScore, count: hits.length };
    this.#quiet = 0;
    return this.#raise(this.#active);
  }

  #raise(state: AlarmState): AlarmChange | undefined {
    if (state.toNs - state.fromNs < this.#minimumNs) return undefined;
    this.#raisedOnDay = dayOf(state.fromNs);
    return this.#report("new", state);
  }

  #go(state: AlarmState, frame: ScoredFrame, level: "hit" | "between" | "quiet"): AlarmChange | undefined {
    if (level === "quiet") {
      this.#quiet++;
      return this.#quiet >= this.#rule.window ? this.close() : undefined;
    }
    this.#quiet = 0;
    if (level === "between") return undefined;
    const peakScore = Math.max(state.peakScore, frame.score);
    this.#active = { fromNs: state.fromNs, toNs: frame.toNs, peakScore, count: state.count + 1 };
    const reported = this.#reported;
    if (reported === undefined) return this.#raise(this.#active);
    const grown = peakScore - reported.peakScore;
    const isNews =
      (grown > 0 && grown >= grownBy * Math.abs(reported.peakScore)) ||
      this.#active.count >= multipliedBy * reported.count;
    return isNews ? this.#report("update", this.#active) : undefined;
  }

  #report(type: "new" | "update", state: AlarmState): AlarmChange {
    this.#reported = state;
    return { type, state };
  }
}

const dayOf = (ns: bigint): bigint => ns / 86_400_000_000_000n;
