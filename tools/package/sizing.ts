import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRecording } from "../../agent/recordings/open.ts";
import { root } from "../bundle.ts";

/*
 * The table of streams a core in docs/operations.md: `node tools/package/sizing.ts [PROGRAM]`. A recording is replayed once
 * and many times, straight into a database; the difference in processor time, over the signal between, is what a second of
 * that stream costs. Processor time, not wall clock: what else the machine does hardly matters. Each figure is the best of
 * three.
 */
const packed = join(root, `out/ohmwatch-linux-${process.arch}`);
const program =
  process.argv[2] !== undefined
    ? [process.argv[2]]
    : existsSync(packed)
      ? [packed]
      : [process.execPath, join(root, "agent/main.ts")];

const streams = [
  { model: "keywords-12", file: "fixtures/audio/scene.wav", what: "sound, 16 kHz", times: 12 },
  { model: "ecg-beats", file: "fixtures/ecg/ecg.hea", what: "ECG, two leads", times: 24 },
  { model: "bearing-faults", file: "fixtures/vibration/bearing.wav", what: "vibration, 12 kHz", times: 24 },
  { model: "pump-anomaly", file: "fixtures/sensor/pump.csv", what: "eight sensors, one row a second", times: 24 },
];

const folder = mkdtempSync(join(tmpdir(), "ohmwatch-sizing-"));

const processorSeconds = (model: string, file: string, times: number): number => {
  const database = join(folder, "sizing.sqlite");
  const files = Array.from({ length: times }, () => join(root, file));
  const words = [...program.slice(1), "replay", ...files, "--model", model, "--database", database];
  // bash's own clock of its children: user and system seconds.
  const script = `TIMEFORMAT='%U %S'; time "$0" "$@" >/dev/null 2>&1`;
  const { stderr, status } = spawnSync("bash", ["-c", script, program[0]!, ...words], {
    env: { ...process.env, CACHE_DIRECTORY: folder },
    encoding: "utf8",
  });
  for (const more of ["", "-wal", "-shm"]) rmSync(`${database}${more}`, { force: true });
  const [user, system] = stderr.trim().split("\n").at(-1)!.split(" ").map(Number);
  if (status !== 0 || !(user! >= 0)) throw new Error(`${model}: expected a replay that ends with 0, got ${status}`);
  return user! + system!;
};

process.stdout.write(
  "| stream | model | processor ms a second | streams a core, half of it left |\n|---|---|--:|--:|\n",
);
for (const { model, file, what, times } of streams) {
  const recording = await openRecording(join(root, file));
  const seconds = recording.segments.reduce(
    (sum, { samples }) => sum + samples.length / recording.channels.length / recording.sampleRateHz,
    0,
  );
  const costs = [1, 2, 3].map(
    () => (processorSeconds(model, file, times) - processorSeconds(model, file, 1)) / ((times - 1) * seconds),
  );
  const cost = Math.min(...costs);
  process.stdout.write(`| ${what} | ${model} | ${(1000 * cost).toPrecision(2)} | ${Math.floor(0.5 / cost)} |\n`);
}
rmSync(folder, { recursive: true });
