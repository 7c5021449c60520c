import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { ModelError } from "../../models/network/model-error.ts";
import type { Fold } from "../datasets/recipe.ts";
import type { Figures } from "./figures.ts";
import type { ChipJob } from "./lifetime.ts";

/** What each thread begins with. */
export interface ChipSetup {
  /** An ONNX file of ours. */
  readonly model: Uint8Array;
  /** Folder of the recordings. */
  readonly data: string;
  /** See `openTask`. */
  readonly fold: Fold | undefined;
  /** So many of the samples at most; left out: all. */
  readonly most?: number | undefined;
}

export interface ChipRequest {
  readonly id: number;
  readonly job: ChipJob;
}

type Numbers = Figures["numbers"];
type Reply =
  | { readonly scored: number }
  | { readonly id: number; readonly numbers: Numbers[] }
  | { readonly id: number; readonly failed: { readonly name: string; readonly message: string } };

interface Waiting {
  readonly resolve: (numbers: Numbers[]) => void;
  readonly reject: (error: Error) => void;
}

/** Threads that measure chips beside each other, as many as the machine has cores and there are chips. */
export class ChipThreads {
  readonly #workers: readonly Worker[];
  readonly #waiting = new Map<number, Waiting>();
  #jobs = 0;

  /** @param onScore after each age and compensation of a chip */
  constructor(setup: ChipSetup, chips: number, onScore: () => void = () => {}) {
    this.#workers = Array.from({ length: Math.min(chips, availableParallelism()) }, () => {
      const worker = new Worker(new URL("./chip-worker.ts", import.meta.url), { workerData: setup });
      worker.on("message", (reply: Reply) => {
        if ("scored" in reply) return onScore();
        const waiting = this.#waiting.get(reply.id);
        if ("failed" in reply) waiting?.reject(errorOf(reply.failed));
        else waiting?.resolve(reply.numbers);
        this.#waiting.delete(reply.id);
      });
      worker.on("error", (error) => {
        for (const { reject } of this.#waiting.values()) reject(error as Error);
      });
      return worker;
    });
  }

  /** The figures of a chip; chips are dealt out in turn. Rejects with the error of a thread. */
  readonly measure = (job: ChipJob): Promise<Numbers[]> => {
    const id = this.#jobs++;
    const request: ChipRequest = { id, job };
    this.#workers[id % this.#workers.length]!.postMessage(request);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  };

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

const errorOf = ({ name, message }: { readonly name: string; readonly message: string }): Error => {
  if (name === "ModelError") return new ModelError(message);
  return name === "RangeError" ? new RangeError(message) : new Error(message);
};
