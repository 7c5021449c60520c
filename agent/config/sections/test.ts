import { z } from "zod";
import { name, setting } from "../setting.ts";

const seconds = z.number().min(0).max(1e9);

const expected = z.strictObject({
  kind: setting(z.string().min(1), "Kind of the anomaly: a label of the model.", "inner-race"),
  severity: setting(z.enum(["critical", "major", "minor", "warning"]).optional(), "Its severity; any.", "major"),
  fromSeconds: setting(seconds.optional(), "When it begins, from the start of the recording; any time.", 20, "s"),
  toSeconds: setting(seconds.optional(), "When it ends, from the start of the recording; any time.", 30, "s"),
});

/** A test of a stream: a recording and the anomalies that it must give, run by `config test`. */
export const test = z.strictObject({
  name: setting(z.string().min(1).max(200), "What is tested.", "an inner race that breaks"),
  stream: setting(name, "The stream whose pipeline, model and decisions are tested.", "bearing"),
  input: setting(
    z.string().min(1),
    "Recording (WAV, WFDB, CSV), relative to this file.",
    "fixtures/vibration/bearing.wav",
  ),
  withinSeconds: setting(seconds.default(1), "How far onset and end may be off.", 1, "s"),
  expect: setting(
    z.array(expected).max(1000),
    "The anomalies that must be raised, in order of onset, and no others; an empty list: none.",
    [{ kind: "inner-race", fromSeconds: 20 }],
  ),
});
