/** One way to do the same work. */
export interface Way {
  readonly name: string;
  /** Done when the promise is, where it gives one. */
  readonly call: () => unknown;
  /** Pieces of work in a call; 1 where it is not said. */
  readonly rows?: number;
}

export interface Times {
  readonly name: string;
  /** Microseconds a piece of work: quartiles over the rounds. */
  readonly microseconds: Quartiles;
  /** Times the first way's time in the same round: quartiles over the rounds. */
  readonly ratio: Quartiles;
}

export interface Quartiles {
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
}

/**
 * Time ways of doing the same in interleaved rounds, so that a busy neighbour slows all of them. The first rounds,
 * in which code is still being compiled, are left out. The first way is what others are compared with.
 */
export const compare = async (
  ways: readonly Way[],
  { rounds, millisecondsEach }: { readonly rounds: number; readonly millisecondsEach: number },
): Promise<Times[]> => {
  const calls: number[] = [];
  for (const way of ways) {
    await timeOf(way, 20);
    calls.push(Math.max(1, Math.ceil((1000 * millisecondsEach) / Math.max(0.1, await timeOf(way, 20)))));
  }
  const times = ways.map((): number[] => []);
  for (let round = -Math.ceil(rounds / 5); round < rounds; round++) {
    for (const [w, way] of ways.entries()) {
      const time = await timeOf(way, calls[w]!);
      if (round >= 0) times[w]!.push(time / (way.rows ?? 1));
    }
  }
  return ways.map(({ name }, w) => ({
    name,
    microseconds: quartiles(times[w]!),
    ratio: quartiles(times[w]!.map((time, round) => time / times[0]![round]!)),
  }));
};

/** Microseconds a call. */
const timeOf = async ({ call }: Way, calls: number): Promise<number> => {
  const start = performance.now();
  for (let i = 0; i < calls; i++) {
    const result = call();
    if (result instanceof Promise) await result; // awaiting what is done already would cost a turn of the loop
  }
  return (1000 * (performance.now() - start)) / calls;
};

/** Linear between order statistics. @param values one or more */
export const quartiles = (values: readonly number[]): Quartiles => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number => {
    const place = part * (sorted.length - 1);
    const below = Math.floor(place);
    return sorted[below]! + (place - below) * ((sorted[below + 1] ?? sorted[below]!) - sorted[below]!);
  };
  return { lower: at(0.25), median: at(0.5), upper: at(0.75) };
};

/** Print times and ratios as median (lower … upper quartile); as one line of JSON where `--json` is asked. */
export const printTable = (title: string, unit: string, times: readonly Times[]): void => {
  if (process.argv.includes("--json")) {
    console.log(JSON.stringify({ title, unit: `microseconds ${unit}`, times }));
    return;
  }
  const show = ({ lower, median, upper }: Quartiles): string =>
    `${median.toFixed(2).padStart(9)} (${lower.toFixed(2)} … ${upper.toFixed(2)})`.padEnd(30);
  console.log(`${title}\n  ${"".padEnd(34)}      µs ${unit.padEnd(21)}  × ${times[0]?.name ?? ""}`);
  for (const { name, microseconds, ratio } of times) {
    console.log(`  ${name.padEnd(34)} ${show(microseconds)} ${show(ratio)}`);
  }
};
