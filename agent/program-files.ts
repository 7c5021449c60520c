import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/*
 * The files that come with the program, by their path from the project's root, as they lie in a checkout and, after
 * `npm run build`, in `dist/`. The single binary holds them inside: `agent/packaged/program-files.ts`.
 */

/** Content of a file that comes with the program. @throws where there is none */
export const programBytes = (path: string): Buffer => readFileSync(onDisk(path));

/** Names of the files and folders in a folder that comes with the program, in order; none where there is no such folder. */
export const programNames = (folder: string): readonly string[] =>
  existsSync(onDisk(folder)) ? readdirSync(onDisk(folder)).sort() : [];

const onDisk = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Which files are not what they were when packed, and how many were: none in a checkout, where nothing is packed. */
export const damagedFiles = (): { readonly damaged: readonly string[]; readonly count: number } => ({
  damaged: [],
  count: 0,
});
