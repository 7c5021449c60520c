import { describe, expect, it } from "vitest";
import { Alarm } from "../../../pipelines/decisions/alarm.ts";
import { levelOf } from "../../../pipelines/decisions/hysteresis.ts";
import { MOfN } from "../../../pipelines/decisions/m-of-n.ts";
import { Refractory } from "../../../pipelines/decisions/refractory.ts";
import { rule } from "../models.ts";

/** The life of an alarm over scores, one a second: `type@second` of each change. */
const life = (alarm: Alarm, scores: readonly number[]): string[] =>
  scores.flatMap((score, second) => {
    const fromNs = BigInt(second) * 1_000_000_000n;
    const change = alarm.take({ fromNs, toNs: fromNs + 1_000_000_000n, atNs: fromNs + 500_000_000n, score });
    return change
      ? [`${change.type}@${second} ${Number(change.state.fromNs) / 1e9}–${Number(change.state.toNs) / 1e9}`]
      : [];
  });

describe("levelOf", () => {
  it("hits from enter on, is quiet below leave, and neither in between; NaN is quiet", () => {
    const levels = [0.8, 0.79, 0.5, 0.49, Number.NaN].map((s) => levelOf(s, { enter: 0.8, leave: 0.5 }));
    expect(levels).toEqual(["hit", "between", "between", "quiet", "quiet"]);
  });
});

describe("MOfN", () => {
  it("speaks when m of the last n frames have a mark, and gives these marks", () => {
    const count = new MOfN<number>({ m: 2, n: 3 });
    expect([1, undefined, 3, undefined, undefined, 6].map((mark) => count.push(mark))).toEqual([
      undefined,
      undefined,
      [1, 3],
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("refuses more hits than frames", () => {
    expect(() => new MOfN({ m: 4, n: 3 })).toThrow("expected integers with 1 ≤ confirm ≤ window, got 4 and 3");
  });
});

describe("Refractory", () => {
  it("covers the time from its beginning up to, not with, its end", () => {
    const rest = new Refractory(1000);
    expect(rest.includes(0n)).toBe(false);
    rest.begin(5_000_000_000n);
    expect([5_999_999_999n, 6_000_000_000n].map((t) => rest.includes(t))).toEqual([true, false]);
  });

  it("is over when the sender's clock is set back by an hour: it must not mute the alarm for that hour", () => {
    const rest = new Refractory(1000);
    rest.begin(7_200_000_000_000n);
    expect(rest.includes(3_600_000_000_000n)).toBe(false);
  });
});

describe("Alarm", () => {
  it("lasts from the first hit that raised it to the last hit", () => {
    const alarm = new Alarm(rule("v", { confirm: 2, window: 3 }));
    expect(life(alarm, [0, 1, 0, 1, 0, 1, 0, 0, 0, 0])).toEqual(["new@3 1–4", "end@8 1–6"]);
  });

  it("ends at once with a window of one: a single ectopic beat is one anomaly", () => {
    expect(life(new Alarm(rule("v")), [0, 1, 0, 1, 1, 0])).toEqual([
      "new@1 1–2",
      "end@2 1–2",
      "new@3 3–4",
      "update@4 3–5",
      "end@5 3–5",
    ]);
  });

  it("makes one alarm of a flickering score, not forty", () => {
    const flicker = Array.from({ length: 80 }, (_, i) => (i % 2 === 0 ? 0.9 : 0.1));
    const changes = life(new Alarm(rule("v", { confirm: 3, window: 10 })), [
      ...flicker,
      ...new Array<number>(10).fill(0),
    ]);
    expect(changes.filter((c) => c.startsWith("new"))).toHaveLength(1);
    expect(changes.filter((c) => c.startsWith("end"))).toHaveLength(1);
  });

  it("does not end while scores stay between leave and enter", () => {
    const alarm = new Alarm(rule("v", { enter: 0.8, leave: 0.4 }));
    expect(life(alarm, [0.9, 0.6, 0.5, 0.41, 0.39])).toEqual(["new@0 0–1", "end@4 0–1"]);
  });

  it("rests for refractoryMs after its end", () => {
    const alarm = new Alarm(rule("v", { refractoryMs: 3000 }));
    // It ends with the frame 0–1 s; frames centred before 4 s do not count.
    expect(life(alarm, [1, 0, 1, 1, 1])).toEqual(["new@0 0–1", "end@1 0–1", "new@4 4–5"]);
  });

  it("reports an update when the peak grew by a tenth or the hits doubled since the last", () => {
    const scores = [0.5, 0.5, 0.5, 0.54, 0.6, 0.6, 0.6, 0.6];
    expect(life(new Alarm(rule("v")), scores).map((c) => c.split(" ")[0])).toEqual([
      "new@0",
      "update@1",
      "update@3",
      "update@4",
    ]);
  });

  it("sends log₂ n updates in n hits of the same height", () => {
    const changes = life(new Alarm(rule("v")), new Array<number>(1024).fill(1));
    expect(changes).toHaveLength(1 + 10);
  });

  it("ends when it is closed, and says nothing when there is nothing to close", () => {
    const alarm = new Alarm(rule("v"));
    expect(alarm.close()).toBeUndefined();
    life(alarm, [1, 1]);
    expect(alarm.close()).toEqual({ type: "end", state: { fromNs: 0n, toNs: 2_000_000_000n, peakScore: 1, count: 2 } });
    expect(alarm.close()).toBeUndefined();
  });

  it("raises only what has lasted the minimum, from its first hit; what is shorter is never told", () => {
    const alarm = new Alarm(rule("v", { minimumMs: 3000 }));
    expect(life(alarm, [1, 1, 0, 1, 1, 1, 1, 0])).toEqual(["new@5 3–6", "end@7 3–7"]);
    expect(alarm.close()).toBeUndefined();
    life(alarm, [1]);
    expect(alarm.close()).toBeUndefined();
  });

  it("counts the minimum over quiet frames in between, where the window bears them", () => {
    const alarm = new Alarm(rule("v", { confirm: 2, window: 3, minimumMs: 4000 }));
    expect(life(alarm, [1, 1, 0, 0, 1, 0, 0, 0])).toEqual(["new@4 0–5", "end@7 0–5"]);
  });

  it("raises one a day by event time where it is asked to", () => {
    const hourNs = 3_600_000_000_000n;
    const alarm = new Alarm(rule("v", { oncePerDay: true }));
    const raised: number[] = [];
    for (let hour = 0; hour < 72; hour++) {
      for (const [score, seconds] of [
        [1, 0n],
        [0, 1n],
      ] as const) {
        const fromNs = BigInt(hour) * hourNs + seconds * 1_000_000_000n;
        const frame = { fromNs, toNs: fromNs + 1_000_000_000n, atNs: fromNs, score };
        if (alarm.take(frame)?.type === "new") raised.push(hour);
      }
    }
    expect(raised).toEqual([0, 24, 48]);
  });

  it("refuses a rule that leaves above where it enters", () => {
    expect(() => new Alarm(rule("v", { enter: 0.5, leave: 0.6 }))).toThrow(
      "leave: expected a score ≤ enter (0.5), got 0.6",
    );
  });
});
