import { rmSync, statSync, writeFileSync } from "node:fs";

/** Room that is kept: a little more than the log may hold (`largestLogPages`), so that a checkpoint always succeeds. */
export const reserveBytes = 5 * 2 ** 20;

/**
 * A file that keeps room on the disk. Deleting from a database, and bringing its log back into it, take room first; on a
 * full disk the file gives it, and takes it back when there is some again.
 */
export class Reserve {
  readonly #file: string | undefined;

  /** @param databaseFile beside which it lies; `:memory:` has none */
  constructor(databaseFile: string) {
    this.#file = databaseFile === ":memory:" ? undefined : `${databaseFile}.reserve`;
  }

  /** Take room, unless it is held already or there is none. */
  take(): void {
    if (this.#file === undefined || sizeOf(this.#file) === reserveBytes) return;
    try {
      writeFileSync(this.#file, Buffer.alloc(reserveBytes, 0x6f));
    } catch {
      this.give();
    }
  }

  /** Give the room up. */
  give(): void {
    if (this.#file === undefined) return;
    try {
      rmSync(this.#file, { force: true });
    } catch {
      // On a disk that takes no writes there is nothing to be gained from it.
    }
  }
}

const sizeOf = (file: string): number | undefined => statSync(file, { throwIfNoEntry: false })?.size;
