/** Exit codes of `sysexits.h`, as peers use them. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  badData: 65,
  noInput: 66,
  brokerAway: 69,
  internal: 70,
  cannotCreate: 73,
  cannotWrite: 74,
  permission: 77,
  config: 78,
  interrupted: 130,
} as const;

/** An error that a command ends with: one full sentence for the user and the exit code. */
export class ExitError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super(message, options);
    this.name = "ExitError";
    this.exitCode = exitCode;
  }
}

/** The exit code an error asks for (`exitCode` property), or 70: a defect of ours. */
export const exitCodeOf = (error: unknown): number => {
  const code = (error as { exitCode?: unknown } | null)?.exitCode;
  return typeof code === "number" ? code : exitCodes.internal;
};
