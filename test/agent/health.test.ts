import { describe, expect, it } from "vitest";
import { HealthMonitor } from "../../agent/health.ts";
import { StreamStatistics } from "../../agent/stream-statistics.ts";
import type { Classification } from "../../pipelines/signal.ts";

/** A stream whose counters are set by hand, and a clock that is. */
const setUp = (staleSeconds?: number) => {
  let nowSeconds = 1_800_000_000;
  let isConnected = true;
  let held = 0;
  const waiting = new Map<string, number>();
  const stream = new StreamStatistics("bed", "ecg", 10);
  const monitor = new HealthMonitor(
    {
      streams: [stream],
      waiting: (name) => waiting.get(name) ?? 0,
      isConnected: () => isConnected,
      heldChanges: () => held,
      staleSeconds: () => staleSeconds,
    },
    () => nowSeconds,
  );
  return {
    stream,
    monitor,
    waiting,
    hold: (changes: number) => {
      held = changes;
    },
    disconnect: () => {
      isConnected = false;
    },
    /** Seconds pass, five at a time; `each` is what happens in them. */
    pass: (seconds: number, each: () => void = () => {}) => {
      for (let s = 0; s < seconds; s += 5) {
        monitor.tick();
        each();
        nowSeconds += 5;
      }
    },
    setClock: (seconds: number) => {
      nowSeconds += seconds;
    },
    /** Five seconds of signal in five messages, worked off in so many seconds. */
    work: (busySeconds = 0.5, frames = 5) => {
      stream.messages += 5;
      stream.signalSeconds += 5;
      stream.busySeconds += busySeconds;
      stream.lastMessageAtSeconds = nowSeconds;
      for (let i = 0; i < frames; i++) stream.classification({ toNs: 0n, label: "N" } as Classification, nowSeconds);
    },
  };
};

describe("The health of an agent", () => {
  it("is good while its streams work, and says by how much they keep up", () => {
    const { monitor, pass, work } = setUp(60);
    pass(60, () => work(0.5));
    expect(monitor.verdict()).toMatchObject({ alive: true, ready: true, reasons: [] });
    expect(monitor.verdict().streams["bed"]!.realTimeFactor).toBeCloseTo(10, 6);
  });

  it("is bad while the disk takes nothing and anomalies wait in memory", () => {
    const { monitor, hold } = setUp();
    hold(3);
    expect(monitor.verdict()).toMatchObject({
      alive: true,
      ready: false,
      reasons: ["database: expected a disk that takes writes, got 3 changes held in memory"],
    });
  });

  it("is good while nothing comes, unless messages are expected", () => {
    const quiet = setUp();
    quiet.pass(3600);
    expect(quiet.monitor.verdict()).toMatchObject({ alive: true, ready: true });
    const expected = setUp(60);
    expected.pass(30, () => expected.work());
    expected.pass(80);
    expect(expected.monitor.verdict().reasons).toEqual(["bed: expected a message younger than 60 s, got one of 85 s"]);
  });

  it("is lost where messages wait and none is worked off, though the process answers", () => {
    const { monitor, pass, work, waiting } = setUp();
    pass(30, () => work());
    waiting.set("bed", 3);
    pass(15);
    expect(monitor.verdict()).toMatchObject({ alive: true, ready: true }); // it may be busy
    pass(10);
    expect(monitor.verdict()).toMatchObject({
      alive: false,
      ready: false,
      reasons: ["bed: expected messages to be worked off, got 3 that wait for 25 s"],
    });
    work();
    expect(monitor.verdict()).toMatchObject({ alive: true });
  });

  it("is lost for no queue that is long and moves", () => {
    const { monitor, pass, work, waiting } = setUp();
    waiting.set("bed", 9);
    pass(300, () => work());
    expect(monitor.verdict()).toMatchObject({ alive: true, ready: true });
    waiting.set("bed", 10);
    expect(monitor.verdict()).toMatchObject({
      alive: true,
      ready: false,
      reasons: ["bed: expected fewer than 10 waiting messages, got 10"],
    });
  });

  it("is bad where computing takes longer than the signal, and good again a minute after it did", () => {
    const { monitor, pass, work } = setUp();
    pass(60, () => work(6.25));
    expect(monitor.verdict().reasons).toEqual(["bed: expected to keep up, got 0.80 s of signal worked off a second"]);
    pass(65, () => work(0.5));
    expect(monitor.verdict()).toMatchObject({ ready: true });
  });

  it("is bad where no payload can be read, and good where some can", () => {
    const { monitor, pass, stream, work } = setUp();
    const refuse = () => {
      stream.messages += 5;
      stream.rejected += 5;
    };
    pass(15, refuse);
    expect(monitor.verdict().reasons).toEqual([
      "bed: expected payloads that can be read, got 15 that cannot, one after the other",
    ]);
    work();
    expect(monitor.verdict()).toMatchObject({ ready: true });
  });

  it("is bad where signal comes and frames no longer do", () => {
    const { monitor, pass, work } = setUp();
    pass(60, () => work());
    pass(60, () => work(0.5, 0));
    expect(monitor.verdict()).toMatchObject({ ready: true }); // 60 s without a beat
    pass(5, () => work(0.5, 0));
    expect(monitor.verdict().reasons).toEqual([
      "bed: expected a frame at least every 1.0 s, got none in 65 s of signal",
    ]);
  });

  it("does not take a clock that was set for a fault", () => {
    const { monitor, pass, work, setClock, waiting } = setUp();
    for (const step of [3600, -3600, 5 * 365 * 86_400, -86_400]) {
      waiting.set("bed", 1);
      pass(10, () => work());
      setClock(step);
      monitor.tick();
      expect(monitor.verdict(), `${step} s`).toMatchObject({ alive: true, ready: true });
    }
  });

  it("is bad without a broker", () => {
    const { monitor, disconnect } = setUp();
    disconnect();
    expect(monitor.verdict()).toMatchObject({
      alive: true,
      ready: false,
      reasons: ["broker: expected a connection, got none"],
    });
  });
});
