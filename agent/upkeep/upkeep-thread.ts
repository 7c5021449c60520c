import { Worker } from "node:worker_threads";
import type { Config } from "../config/schema.ts";
import type { FromUpkeep, LeftOut, Shown, Stepped, TickMessage, ToUpkeep, UpkeepStart } from "./messages.ts";

export interface UpkeepListeners {
  readonly onShown: (message: Shown) => void;
  readonly onStepped: (message: Stepped) => void;
  readonly onLeftOut: (message: LeftOut) => void;
  /** The thread has ended by an error. */
  readonly onFailed: (error: unknown) => void;
}

/** What is large lies outside of this heap; small room for young objects keeps 13 MB free and costs no time. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

/** The thread of upkeep as the main thread sees it. It does not keep the process alive. */
export class UpkeepThread {
  readonly #worker: Worker;
  #isBusy = false;

  constructor(file: string, { onShown, onStepped, onLeftOut, onFailed }: UpkeepListeners) {
    const start: UpkeepStart = { file };
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: start, resourceLimits });
    this.#worker.unref();
    this.#worker.on("message", (message: FromUpkeep) => {
      if (message.kind === "shown") onShown(message);
      else if (message.kind === "stepped") onStepped(message);
      else if (message.kind === "left-out") onLeftOut(message);
      else this.#isBusy = false;
    });
    this.#worker.on("error", onFailed);
  }

  /** Whether the last tick is still being worked off. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  adopt(key: string, bytes: Uint8Array, chip: Config["chip"]): void {
    this.#send({ kind: "adopt", key, bytes, chip });
  }

  tick(tick: TickMessage): void {
    this.#isBusy = true;
    this.#send(tick);
  }

  /** End it when what it does is done. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#worker.once("exit", resolve));
    this.#worker.ref();
    this.#worker.postMessage({ kind: "stop" });
    await ended;
  }

  #send(message: ToUpkeep): void {
    this.#worker.postMessage(message);
  }
}
