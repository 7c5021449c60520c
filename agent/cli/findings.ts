import { exitCodes } from "./exit.ts";

/** What a check found; `values` are for programs. */
export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly values?: Readonly<Record<string, unknown>>;
  /** Of a check that failed: what the command exits with. */
  readonly exitCode?: number;
}

/** A check: what it found as a sentence, perhaps with values for programs. Throws, with a sentence, where it fails. */
export type Check = () => Found | Promise<Found>;
type Found = string | Required<Pick<Finding, "detail" | "values">>;

/** Run checks one by one, print a line each or one JSON object, and ask for the exit code of the first that fails. */
export const report = async (
  checks: Readonly<Record<string, Check>>,
  { json }: { readonly json?: boolean },
): Promise<void> => {
  const findings: Finding[] = [];
  for (const [check, run] of Object.entries(checks)) findings.push(await examine(check, run));
  const ok = findings.every((finding) => finding.ok);
  if (json) process.stdout.write(`${JSON.stringify({ ok, findings })}\n`);
  else
    for (const finding of findings)
      process.stdout.write(`${finding.ok ? "ok  " : "FAIL"} ${finding.check.padEnd(9)} ${finding.detail}\n`);
  const failed = findings.find((finding) => !finding.ok);
  if (failed !== undefined) process.exitCode = failed.exitCode ?? exitCodes.failed;
};

const examine = async (check: string, run: Check): Promise<Finding> => {
  try {
    const found = await run();
    return { check, ok: true, ...(typeof found === "string" ? { detail: found } : found) };
  } catch (error) {
    const { exitCode = exitCodes.failed } = error as { exitCode?: number };
    return { check, ok: false, detail: error instanceof Error ? error.message : String(error), exitCode };
  }
};
