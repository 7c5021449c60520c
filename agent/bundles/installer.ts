import { readFileSync } from "node:fs";
import type { Config } from "../config/schema.ts";
import type { StreamSet } from "../stream-set.ts";
import type { OpenModel } from "../streams.ts";
import type { Emit } from "../telemetry/events.ts";
import { type Bundle, readBundle, verifyBundle } from "./bundle.ts";
import type { Library } from "./library.ts";
import { Rollout, type RolloutReport } from "./rollout.ts";
import { selfTest } from "./self-test.ts";

/** What became of a bundle at once; a rollout goes on for many frames. */
export interface Accepted {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** The key that signed it. */
  readonly key: string;
  /** Test vectors that hold. */
  readonly vectors: number;
  /** Streams in which it runs along; none: it counts from the next start. */
  readonly streams: readonly string[];
}

/** What the installer needs of the agent around it. */
export interface InstallerParts {
  readonly library: Library;
  readonly settings: () => Config;
  readonly streamSet: StreamSet;
  readonly openModel: OpenModel;
  readonly emit: Emit;
}

/** Verify a bundle by the keys that a configuration trusts and run its self-test. @throws BundleError */
export const checkBundle = (
  bytes: Uint8Array,
  { trustedKeys }: Config["bundles"],
): Bundle & Pick<Accepted, "key" | "vectors"> => {
  const bundle = readBundle(bytes);
  const key = verifyBundle(
    bundle,
    trustedKeys.map((file) => readFileSync(file, "utf8")),
  );
  return { ...bundle, key, ...selfTest(bundle.model) };
};

/**
 * Installs models while the agent runs: verify → self-test → run along → take over between two frames → watch. A model
 * counts for the next start only after all of it; whatever goes wrong, a crash too, leaves the one before.
 */
export class Installer {
  readonly #parts: InstallerParts;
  #rollout: { readonly bundle: Bundle; readonly rollout: Rollout; readonly file: string } | undefined;

  constructor(parts: InstallerParts) {
    this.#parts = parts;
  }

  /** Begin to install a bundle. One that is still on its way makes room. @throws BundleError; what a model throws that does not fit */
  install(bytes: Uint8Array): Accepted {
    const { library, settings, streamSet, openModel, emit } = this.#parts;
    const config = settings();
    const { key, vectors, ...bundle } = checkBundle(bytes, config.bundles);
    this.#makeRoom();
    const { name, version, sha256 } = bundle;
    const runners = streamSet.runnersOf(name);
    const file = library.add(bundle);
    const accepted = { name, version, sha256, key, vectors, streams: [...runners.keys()] };
    try {
      if (runners.size === 0) {
        library.use(name, file);
        emit({ name: "ModelInstalled", detail: `${name} ${version} counts from the next start; no stream uses it.` });
        return accepted;
      }
      const rollout = new Rollout(runners, openModel(file, config.chip), config.bundles, (report) =>
        this.#reached(report, bundle, file),
      );
      this.#rollout = { bundle, rollout, file };
    } catch (error) {
      library.drop(name, file);
      throw error;
    }
    const { shadowFrames } = config.bundles;
    emit({
      name: "ModelInstalling",
      detail: `${name} ${version}, signed by ${key}, runs along in ${accepted.streams.join(", ")} for ${shadowFrames} frames.`,
    });
    return accepted;
  }

  /** The rollout that is on its way, or was last. */
  get report(): (RolloutReport & { readonly name: string; readonly version: string }) | undefined {
    if (this.#rollout === undefined) return undefined;
    const { bundle, rollout } = this.#rollout;
    return { name: bundle.name, version: bundle.version, ...rollout.report() };
  }

  /** Install no more: what has not come through is dropped. */
  stop(): void {
    this.#makeRoom();
  }

  #makeRoom(): void {
    if (this.#rollout === undefined) return;
    const { rollout, bundle, file } = this.#rollout;
    if (rollout.phase !== "shadow" && rollout.phase !== "watch") return;
    rollout.cancel();
    this.#parts.library.drop(bundle.name, file);
    const detail = `${bundle.name} ${bundle.version} was still in its ${rollout.phase}; it is not installed.`;
    this.#parts.emit({ name: "ModelRolledBack", detail });
  }

  #reached({ phase, reason, agreement }: RolloutReport, { name, version }: Bundle, file: string): void {
    const { library, emit, settings } = this.#parts;
    const share = `${(100 * agreement).toFixed(1)} % of labels as before`;
    if (phase === "watch") {
      const { watchFrames } = settings().bundles;
      emit({
        name: "ModelSwapped",
        detail: `${name} ${version} counts now (${share}); it is watched for ${watchFrames} frames.`,
      });
    } else if (phase === "done") {
      library.use(name, file);
      emit({ name: "ModelInstalled", detail: `${name} ${version} is installed (${share}).` });
    } else if (phase === "failed") {
      library.drop(name, file);
      emit({
        name: "ModelRolledBack",
        detail: `${name} ${version} is not installed: ${reason}. The one before counts.`,
      });
    }
  }
}
