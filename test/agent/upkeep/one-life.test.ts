import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { configSchema } from "../../../agent/config/schema.ts";
import { openTask } from "../../../agent/evaluation/task.ts";
import { modelBytes } from "../../../agent/models.ts";
import type { UpkeepStep } from "../../../agent/store/chip-record.ts";
import { ChipBank } from "../../../agent/upkeep/chip-bank.ts";
import { parseModel } from "../../../models/load.ts";
import { dataDir } from "../../support/data.ts";
import { runCli } from "../../support/run-cli.ts";
import { until } from "../../support/until.ts";

const name = "ecg-beats";
const { manifest } = parseModel(modelBytes(name));
const day = 86_400;
const ages = [day, 30 * day, 365 * day];
/** Time goes in steps of so much of the age: less than what makes a calibration due, a tenth. */
const step = 0.08;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-one-life-"));
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

/** Two of the records that the model was not trained on, as `--data`. */
const records = (): string => {
  const names = ["200", "210"];
  const to = join(folder, "data", "mitdb");
  for (const record of names) {
    for (const end of ["hea", "dat", "atr"])
      cpSync(join(dataDir!, "mitdb", `${record}.${end}`), join(to, `${record}.${end}`));
  }
  writeFileSync(join(to, "RECORDS-test"), `${names.join("\n")}\n`);
  return join(folder, "data");
};

type Numbers = Readonly<Record<string, number>>;

/** What `eval` says of the chip with this seed at some ages, calibrated at each. */
const evaluated = async (data: string, agesSeconds: readonly number[]): Promise<readonly Numbers[]> => {
  const { stdout } = await runCli(
    ...["eval", "--model", name, "--data", data, "--age", agesSeconds.map((age) => `${age}s`).join(",")],
    ...["--compensation", "global", "--seeds", "1", "--json"],
  );
  const analog: { figures: Record<string, { mean: number }> }[] = JSON.parse(stdout).analog;
  return analog.map(({ figures }) => Object.fromEntries(Object.entries(figures).map(([key, { mean }]) => [key, mean])));
};

/**
 * Let a chip age in a bank that runs, a day a second, by a clock that is turned here. @returns at each of the ages what it
 * is worth as it is, and when it was just looked after, with the age that it shows
 */
const live = async (data: string) => {
  const chip = configSchema.shape.chip.parse({ clockRate: day, upkeep: { policy: "compensate" } });
  const begunMs = Date.UTC(2026, 10, 25, 12);
  let nowMs = begunMs;
  const steps: UpkeepStep[] = [];
  const failures: string[] = [];
  const bank = new ChipBank({
    ...{ file: join(folder, "chips.sqlite"), chip, hasRoom: () => true },
    emit: (event) => event.name === "UpkeepFailed" && failures.push(event.detail),
    time: { wallMs: () => nowMs, steadyMs: () => nowMs },
    onStep: (_, taken) => steps.push(taken),
  });
  const task = await openTask(manifest, data);
  const { network } = bank.openModel(name, chip);
  bank.start();
  /** Upkeep is told the time, and what it makes is shown. */
  const passTo = async (age: number): Promise<void> => {
    nowMs = begunMs + (1000 * age) / chip.clockRate;
    vi.advanceTimersToNextTimer();
    await until(() => !bank.isAtWork);
  };
  const seen: { asItIs: Numbers; lookedAfter: Numbers; shownSeconds: number }[] = [];
  let now = 0;
  for (const age of ages) {
    while (now < age) {
      now = Math.min(age, now + Math.max(1, step * now));
      await passTo(now);
    }
    const asItIs = task.score(network).numbers;
    bank.requestCare();
    await passTo(age);
    seen.push({ asItIs, lookedAfter: task.score(network).numbers, shownSeconds: bank.health[0]!.ageSeconds });
  }
  await bank.stop();
  expect(failures).toEqual([]);
  return { seen, steps };
};

it.skipIf(dataDir === undefined)(
  "A chip that lives for a year in the agent, without a restart, is worth what `ohmwatch eval --age` says (skipped without ../shared/data)",
  async () => {
    const data = records();
    const { seen, steps } = await live(data);
    // It was calibrated all the time: ln(365 d / 60 s) / ln 1.1, less what one step brings too much.
    expect(steps.filter(({ kind }) => kind === "calibrate").length).toBeGreaterThan(60);
    // The same reads in the same order, at the ages themselves and at those that it shows.
    const said = await evaluated(
      data,
      ages.flatMap((age, a) => [age, seen[a]!.shownSeconds]),
    );
    for (const [a, age] of ages.entries()) {
      const { asItIs, lookedAfter, shownSeconds } = seen[a]!;
      // Shown at the age that it shows and calibrated there: each figure of each class, to the last answer.
      expect(lookedAfter).toEqual(said[2 * a + 1]);
      // What differs by design: it is shown in steps of 2 % of its age, and was calibrated at up to a tenth less.
      expect(shownSeconds).toBeLessThanOrEqual(age);
      expect(shownSeconds).toBeGreaterThan(age / 1.02 - 1);
      expect(Math.abs(asItIs["accuracy"]! - said[2 * a]!["accuracy"]!)).toBeLessThan(0.002);
    }
  },
  120_000,
);
