import { describe, expect, it } from "vitest";
import { emptyCells, type ProgrammedCells } from "../../../../models/crossbar/devices/device.ts";
import {
  meanNu,
  pcmNandakumar2019 as pcm,
  programmingSigmaSiemens,
  readNoise,
  sigmaNu,
} from "../../../../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { CounterRandom } from "../../../../models/random.ts";
import { deviates } from "../../../support/deviates.ts";
import { compareWith, deviceRows } from "../../../support/device-statistics.ts";
import { hasOracles, oracle } from "../../../support/oracle.ts";

const programmed = (targetSiemens: number, devices: number, seed: number): ProgrammedCells => {
  const cells = emptyCells(devices);
  pcm.program(new Float32Array(devices).fill(targetSiemens), deviates(devices, seed), cells);
  return cells;
};

describe("pcm-nandakumar-2019 follows its equations", () => {
  it("σ_prog is 0.2635 µS at zero, 0.9527 µS at half and 1.0554 µS at full conductance", () => {
    expect(programmingSigmaSiemens(0) * 1e6).toBeCloseTo(0.26348, 10);
    expect(programmingSigmaSiemens(0.5) * 1e6).toBeCloseTo(0.952705, 10);
    expect(programmingSigmaSiemens(1) * 1e6).toBeCloseTo(1.05538, 10);
  });
  it("log g falls on a line in log t whose slope is −ν", () => {
    const cells = programmed(15e-6, 10, 1);
    const [early, late] = [new Float32Array(10), new Float32Array(10)];
    pcm.conductances(cells, 180, early); // (t + t₀) / t₀ = 10
    pcm.conductances(cells, 19_980, late); // 1000
    for (let d = 0; d < 10; d++) {
      // Single precision of g: 6e-8 relative, over a factor of 100 in time.
      expect(Math.log(early[d]! / late[d]!) / Math.log(100)).toBeCloseTo(cells.drift[d]!, 6);
    }
  });

  interface Row {
    g_rel: number;
    sigma_prog_uS: number;
    nu_mean: number;
    nu_std: number;
    Q_s: number;
    at: Record<string, { t: number; drift_factor_at_mean_nu: number; read_sigma_rel: number }>;
  }
  it.skipIf(!hasOracles)("every closed form is that of the reference numbers (skipped where they are not)", () => {
    for (const row of oracle<{ rows: Row[] }>("pcm_closed_form.json").rows) {
      const r = row.g_rel;
      expect(programmingSigmaSiemens(r) * 1e6).toBeCloseTo(row.sigma_prog_uS, 12);
      expect(meanNu(r)).toBeCloseTo(row.nu_mean, 12);
      expect(sigmaNu(r)).toBeCloseTo(row.nu_std, 12);
      expect(readNoise(r)).toBeCloseTo(row.Q_s, 12);
      for (const { t, drift_factor_at_mean_nu, read_sigma_rel } of Object.values(row.at)) {
        const cells = {
          g0Siemens: Float32Array.of(1e-5),
          drift: Float32Array.of(row.nu_mean),
          noise: Float32Array.of(row.Q_s),
        };
        const [g, v] = [new Float32Array(1), new Float32Array(1)];
        pcm.conductances(cells, t, g);
        pcm.readVariances(cells, t, v);
        // Single precision of ν enters times ln 1.6e6 = 14, so 1e-6 relative.
        expect(g[0]! / 1e-5 / drift_factor_at_mean_nu).toBeCloseTo(1, 6);
        expect(Math.sqrt(v[0]!) / g[0]! / read_sigma_rel).toBeCloseTo(1, 6);
      }
    }
  });
});

describe.skipIf(!hasOracles)(
  "pcm-nandakumar-2019 has the statistics of aihwkit's million devices (skipped without them)",
  () => {
    const devices = 120_000;
    it("as programmed, in ν and at six ages, without read noise", () => {
      for (const row of deviceRows("PCMLikeNoiseModel g_max=25, read_noise_scale=0")) {
        const cells = programmed(row.g_target_uS * 1e-6, devices, 17);
        compareWith(
          cells.g0Siemens.map((g) => g * 1e6),
          row.programmed,
          25,
        );
        compareWith(cells.drift, row.nu!, 0.2);
        const g = new Float32Array(devices);
        for (const theirs of Object.values(row.at)) {
          pcm.conductances(cells, theirs.t_inference_s, g);
          compareWith(
            g.map((s) => s * 1e6),
            theirs,
            25,
          );
        }
      }
    });
    it("at one hour and one year with read noise, where its Q is of the programmed conductance and clipped at zero", () => {
      for (const row of deviceRows("PCMLikeNoiseModel g_max=25")) {
        const cells = programmed(row.g_target_uS * 1e-6, devices, 18);
        // aihwkit takes Q of the conductance reached, the paper (and our model) of the target.
        cells.noise.set(cells.g0Siemens.map((g) => readNoise(g / 25e-6)));
        const [g, v, xi] = [new Float32Array(devices), new Float32Array(devices), new Float32Array(devices)];
        new CounterRandom(19).fillGaussian(xi);
        for (const age of ["1 hour", "1 year"]) {
          const theirs = row.at[age]!;
          pcm.conductances(cells, theirs.t_inference_s, g);
          pcm.readVariances(cells, theirs.t_inference_s, v);
          compareWith(
            g.map((mean, d) => Math.max(mean + Math.sqrt(v[d]!) * xi[d]!, 0) * 1e6),
            theirs,
            25,
          );
        }
      }
    });
  },
);
