import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { type Job, parts, type Task } from "./job.ts";
import type { Runner } from "./runner.ts";

/** Runs a task of all parts to its end. */
export interface Team {
  run(task: Task): void;
  close(): Promise<void>;
}

/** What a second thread is started with. */
export interface WorkerStart {
  readonly job: Job;
  readonly part: number;
  readonly control: Control;
}

/** Int32 words that two threads wait on: `[tasks given, tasks done, failed, kind, epoch, step, from, count]`. */
export type Control = Int32Array;

/** One thread does the parts one after the other. */
export const alone = (runner: Runner): Team => ({
  run: (task) => {
    for (let part = 0; part < parts; part++) runner.run(task, part);
  },
  close: async () => {},
});

/**
 * This thread does part 0 and a second one part 1, at once. Both wait on shared memory, which costs microseconds;
 * the second ends with `close` or with the process.
 */
export const together = async (runner: Runner, job: Job): Promise<Team> => {
  const control: Control = new Int32Array(new SharedArrayBuffer(32));
  const start: WorkerStart = { job, part: 1, control };
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: start });
  await once(worker, "message"); // its runner is built; an error while building rejects here
  let given = 0;
  return {
    run: (task) => {
      writeTask(control, task);
      Atomics.store(control, 0, ++given);
      Atomics.notify(control, 0);
      runner.run(task, 0);
      while (Atomics.load(control, 1) !== given) Atomics.wait(control, 1, given - 1, 60_000);
      if (Atomics.load(control, 2) !== 0) {
        throw new Error(
          "training: expected the second thread to do its part, got an error; train on one thread to see it",
        );
      }
    },
    close: async () => {
      await worker.terminate();
    },
  };
};

/** Serve tasks for ever, in a second thread. */
export const serve = ({ part, control }: WorkerStart, runner: Runner): never => {
  for (let done = 0; ; done++) {
    Atomics.wait(control, 0, done);
    try {
      runner.run(readTask(control), part);
    } catch {
      Atomics.store(control, 2, 1);
    }
    Atomics.store(control, 1, done + 1);
    Atomics.notify(control, 1);
  }
};

const writeTask = (control: Control, task: Task): void => {
  control[3] = task.kind === "step" ? 1 : 2;
  if (task.kind === "step") control.set([task.epoch, task.step, task.from, task.count], 4);
};

const readTask = (control: Control): Task => {
  if (control[3] === 2) return { kind: "evaluate" };
  const [epoch, step, from, count] = control.subarray(4) as unknown as [number, number, number, number];
  return { kind: "step", epoch, step, from, count };
};
