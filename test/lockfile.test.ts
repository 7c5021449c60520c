import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface Locked {
  readonly version?: string;
  /** Lies inside another package, which brings all that it needs. */
  readonly inBundle?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

test("the lockfile names every platform package, so that npm ci works on a machine of any kind", () => {
  // npm drops an optional package that a registry mirror lacks from the lockfile, and `npm ci` then refuses the whole.
  const url = new URL("../package-lock.json", import.meta.url);
  const packages = (JSON.parse(readFileSync(url, "utf8")) as { packages: Record<string, Locked> }).packages;
  const missing = Object.values(packages)
    .filter(({ inBundle }) => !inBundle)
    .flatMap((one) => Object.keys(one.optionalDependencies ?? {}))
    .filter((name) => packages[`node_modules/${name}`]?.version === undefined);
  expect(missing).toEqual([]);
});
