import { describe, expect, it } from "vitest";
import { StreamStatistics } from "../../../agent/stream-statistics.ts";
import { LiveView } from "../../../agent/terminal/live-view.ts";
import { bar, plot, sparkline } from "../../../agent/terminal/sparkline.ts";
import { summarise } from "../../../agent/terminal/summary.ts";
import type { Anomaly, Classification } from "../../../pipelines/signal.ts";

const classification = (label: string): Classification => ({
  stream: "bed-7",
  fromNs: 0n,
  toNs: 1n,
  atNs: 0n,
  label,
  probability: 0.75,
  scores: Float32Array.of(0.75, 0.25),
  margin: 0.5,
  model: "m",
});
const anomaly = (id: string): Anomaly => ({
  id,
  stream: "bed-7",
  kind: "V",
  severity: "major",
  fromNs: 3_600_000_000_000n,
  toNs: 3_601_500_000_000n,
  peakScore: 0.98,
  count: 2,
  model: "m",
  evidence: { startAtNs: 0n, sampleRateHz: 1, channels: ["x"], samples: new Float32Array(1) },
});
const stream = () => {
  const statistics = new StreamStatistics("bed-7", "ecg");
  statistics.messages = 20;
  statistics.block({
    stream: "bed-7",
    startAtNs: 0n,
    sampleRateHz: 2,
    channels: ["x"],
    samples: Float32Array.of(0, 1, 0, 1),
  });
  statistics.busySeconds = 0.1;
  statistics.classification(classification("V"), 0);
  return statistics;
};

describe("A sparkline", () => {
  it("goes from the lowest to the highest step, with a hole for what is not finite", () => {
    expect(sparkline([0, 7, Number.NaN, 3.5])).toBe("▁█ ▅");
    expect(sparkline([])).toBe("");
    expect(bar(0.5, 4)).toBe("██░░");
    expect(bar(Number.NaN, 2)).toBe("░░");
  });

  it("draws one channel of interleaved samples as columns from least to greatest", () => {
    expect(plot(Float32Array.of(0, 9, 1, 9, 2, 9), 2, 0, { width: 3, height: 3 })).toEqual(["  █", " █ ", "█  "]);
    expect(plot(Float32Array.of(Number.NaN), 1, 0, { width: 3, height: 3 })).toEqual([]);
  });
});

describe("The live view", () => {
  it("writes plain lines where there is no terminal: an anomaly at its start and end, not at each update", () => {
    let text = "";
    const screen = { write: (part: string) => (text += part) };
    const view = new LiveView({ title: "T", streams: () => [stream()], screen, colour: "auto", nowMs: () => 0 });
    view.start();
    for (const type of ["new", "update", "end"] as const) view.change({ type, anomaly: anomaly("1") });
    view.stop();
    expect(text).not.toContain("\u001b");
    expect(text.match(/01:00:00\.000Z (new|update|end)/g)).toEqual(["01:00:00.000Z new", "01:00:00.000Z end"]);
    expect(text).toMatch(/bed-7 .* V .*████████░░ 0\.75/);
  });

  it("redraws in place on a terminal, keeps the cursor hidden meanwhile, and never writes a line wider than it", () => {
    let text = "";
    const screen = { write: (part: string) => (text += part), isTTY: true, columns: 40 };
    const view = new LiveView({ title: "T", streams: () => [stream()], screen, colour: "never", nowMs: () => 0 });
    view.start();
    for (let i = 0; i < 20; i++) view.change({ type: "new", anomaly: anomaly(`${i}`) });
    view.draw();
    view.stop();
    expect(text.startsWith("\u001b[?25l")).toBe(true);
    expect(text.endsWith("\u001b[?25h")).toBe(true);
    const last = text.split("\u001b[J").at(-1)!.replace("\u001b[?25h", "");
    expect(last.split("\n").filter((line) => line.includes("new"))).toHaveLength(8);
    expect(Math.max(...last.split("\n").map((line) => line.length))).toBeLessThanOrEqual(40);
  });
});

describe("The summary", () => {
  it("sums by modality; the real-time factor is that of all streams at once", () => {
    const quick = stream(); // 2 s of signal in 0.1 s: 20 ×
    const slow = stream();
    slow.busySeconds = 0.4; // 5 ×
    expect(summarise([quick, slow], 4)).toMatchObject({
      audio: { messages: 0, frames: 0, classifications: {}, anomalies: 0 },
      ecg: { messages: 40, frames: 2, classifications: { V: 2 }, anomalies: 0 },
      framesPerSecond: 0.5,
      realTimeFactor: 4, // 1 / (1/20 + 1/5)
    });
  });

  it("has no real-time factor before anything ran", () => {
    expect(summarise([], 0)).toMatchObject({ framesPerSecond: 0, realTimeFactor: null });
  });
});
