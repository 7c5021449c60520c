import { dirname, resolve } from "node:path";
import type { Anomaly } from "../pipelines/signal.ts";
import type { Config } from "./config/schema.ts";
import { openModel } from "./models.ts";
import { offlineBlockSeconds, runOffline } from "./offline.ts";
import { openRecording } from "./recordings/open.ts";

type PipelineTest = Config["tests"][number];
type Expected = PipelineTest["expect"][number];

/** What one test of a configuration gave. */
export interface PipelineTestResult {
  readonly name: string;
  readonly ok: boolean;
  /** One sentence for each difference. */
  readonly differences: readonly string[];
}

/**
 * Run the tests of a configuration: each recording through the pipeline, model and decisions of its stream, and the
 * anomalies against those expected.
 *
 * @param file the configuration's own, which the recordings lie beside
 * @throws what a recording or a model that cannot be used throws
 */
export async function* runPipelineTests(config: Config, file: string): AsyncGenerator<PipelineTestResult> {
  for (const test of config.tests) {
    const stream = config.streams.find(({ name }) => name === test.stream)!;
    const recording = await openRecording(resolve(dirname(file), test.input), { stream: stream.name });
    const anomalies = new Map<string, Anomaly>();
    runOffline(recording.blocks(offlineBlockSeconds), openModel(stream.model, config.chip), {
      overrides: stream.decisions,
      onChange: ({ anomaly }) => anomalies.set(anomaly.id, anomaly),
    });
    const startNs = recording.segments[0]?.startAtNs ?? 0n;
    const secondsOf = (ns: bigint): number => Number(ns - startNs) / 1e9;
    const raised = [...anomalies.values()].sort((a, b) => Number(a.fromNs - b.fromNs));
    const got = raised.map(({ kind, severity, fromNs, toNs }) => ({
      kind,
      severity,
      fromSeconds: secondsOf(fromNs),
      toSeconds: secondsOf(toNs),
    }));
    const differences = differencesOf(test, got);
    yield { name: test.name, ok: differences.length === 0, differences };
  }
}

/** An anomaly as a test compares it. */
export type Raised = Required<{ readonly [K in keyof Expected]: NonNullable<Expected[K]> }>;

/** How what was raised differs from what a test expects, a sentence each. */
export const differencesOf = (
  { expect, withinSeconds }: Pick<PipelineTest, "expect" | "withinSeconds">,
  got: readonly Raised[],
): readonly string[] => {
  const differences: string[] = [];
  for (let i = 0; i < Math.max(expect.length, got.length); i++) {
    const [wanted, raised] = [expect[i], got[i]];
    if (wanted === undefined) differences.push(`expected no further anomaly, got ${show(raised!)}`);
    else if (raised === undefined || !fits(wanted, raised, withinSeconds)) {
      differences.push(`expected ${show(wanted)}, got ${raised === undefined ? "none" : show(raised)}`);
    }
  }
  return differences;
};

const fits = (wanted: Expected, raised: Raised, withinSeconds: number): boolean =>
  wanted.kind === raised.kind &&
  (wanted.severity ?? raised.severity) === raised.severity &&
  Math.abs((wanted.fromSeconds ?? raised.fromSeconds) - raised.fromSeconds) <= withinSeconds &&
  Math.abs((wanted.toSeconds ?? raised.toSeconds) - raised.toSeconds) <= withinSeconds;

const show = ({ kind, severity, fromSeconds, toSeconds }: Expected): string =>
  [
    severity,
    kind,
    fromSeconds === undefined ? undefined : `from ${fromSeconds.toFixed(1)} s`,
    toSeconds === undefined ? undefined : `to ${toSeconds.toFixed(1)} s`,
  ]
    .filter((part) => part !== undefined)
    .join(" ");
