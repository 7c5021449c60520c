import { describe, expect, it } from "vitest";
import { deviceByName } from "../../../models/crossbar/devices/registry.ts";
import { AnalogNetwork } from "../../../models/network/analog.ts";
import { calibrateRanges } from "../../../models/network/calibrate-ranges.ts";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import type { Network } from "../../../models/network/network.ts";
import { streamingForm } from "../../../models/network/streaming.ts";
import { GraphBuilder } from "./random-graphs.ts";

const steps = 30;
const builder = new GraphBuilder([1, steps, 3], 21).gru(7, "all");
const before = builder.last;
const graph = builder
  .gru(7, "all")
  .addTo(before)
  .plain("tanh")
  .conv(2, { kernel: [1, 1] })
  .build();
const x = builder.gaussians(steps * 3);

const wholeOf = (network: Network): Float32Array => {
  const y = new Float32Array(steps * 2);
  network.infer(x, y);
  return y;
};
const stepByStep = (network: Network): Float32Array => {
  const y = new Float32Array(steps * 2);
  for (let t = 0; t < steps; t++) network.infer(x.subarray(3 * t, 3 * t + 3), y.subarray(2 * t, 2 * t + 2));
  return y;
};

describe("streamingForm", () => {
  it("gives step by step what the net gives for all steps at once, bit for bit by the reference kernel", () => {
    const run = (kernel: "simd" | "reference") => stepByStep(new DigitalNetwork(streamingForm(graph), { kernel }));
    const whole = wholeOf(new DigitalNetwork(graph, { kernel: "reference" }));
    expect(run("reference")).toEqual(whole);
    // The SIMD kernel adds up one row in another order than many.
    run("simd").forEach((y, i) => {
      expect(Math.abs(y - whole[i]!)).toBeLessThan(1e-6);
    });
  });

  it("and so on tiles, whose converters see one step at a time", () => {
    const sizes = { dacBits: 8, adcBits: 8, tileInputs: 8, tileOutputs: 8 };
    const mapping = calibrateRanges(graph, [x], sizes);
    const options = { device: deviceByName("ideal"), seed: 1, mapping, kernel: "simd" } as const;
    expect(stepByStep(new AnalogNetwork(streamingForm(graph), options))).toEqual(
      wholeOf(new AnalogNetwork(graph, options)),
    );
  });

  it("goes on from where it was, and begins anew with states of zeros", () => {
    const streaming = new DigitalNetwork(streamingForm(graph));
    const first = stepByStep(streaming);
    const second = stepByStep(streaming);
    expect(second).not.toEqual(first);
    expect(streaming.states.map((state) => state.length)).toEqual([7, 7]);
    for (const state of streaming.states) state.fill(0);
    expect(stepByStep(streaming)).toEqual(first);
  });

  it("refuses layers that look at other steps, and results that are not one a step", () => {
    const wide = new GraphBuilder([1, 9, 2], 1).conv(2, { kernel: [1, 3], padding: [0, 1, 0, 1] }).build();
    expect(() => streamingForm(wide)).toThrow("node 0-conv: expected a layer that looks at one step alone, got conv");
    const last = new GraphBuilder([1, 9, 2], 1).gru(4, "last").build();
    expect(() => streamingForm(last)).toThrow("node 0-gru: expected a result for each of 9 steps, got [4]");
  });
});
