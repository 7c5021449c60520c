import type { Anomaly, AnomalyChange } from "../../../pipelines/signal.ts";

/** A change of an anomaly of the stream `pump`, a minute a number, with so many kilobytes of evidence. */
export const changeOf = (
  type: AnomalyChange["type"],
  number: number,
  { kilobytes = 1, ...overrides }: Partial<Anomaly> & { readonly kilobytes?: number } = {},
): AnomalyChange => {
  const fromNs = 1_700_000_000_000_000_000n + BigInt(number) * 60_000_000_000n;
  const anomaly: Anomaly = {
    id: `pump/anomaly/${number}`,
    stream: "pump",
    kind: "anomaly",
    severity: "major",
    fromNs,
    toNs: fromNs + 1_000_000_000n,
    peakScore: 1,
    count: 1,
    model: "m",
    evidence: {
      startAtNs: fromNs,
      sampleRateHz: 1000,
      channels: ["flow"],
      samples: Float32Array.from({ length: 256 * kilobytes }, (_, i) => Math.sin(i * number)),
    },
    ...overrides,
  };
  return { type, anomaly };
};
