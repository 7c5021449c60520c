import { readFileSync } from "node:fs";

/** An address that cannot be served. Exit code 78 where the configuration is wrong, 69 where it is taken. */
export class HttpError extends Error {
  readonly exitCode: 69 | 78;

  constructor(message: string, exitCode: 69 | 78) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Host and port of `http.listen`: `127.0.0.1:9475`, `[::1]:9475`. */
export const addressOf = (listen: string): { readonly host: string; readonly port: number } => {
  const [, host = "", port = ""] = /^(?:\[(?=.*\]))?([^\]]+)\]?:(\d+)$/.exec(listen) ?? [];
  return { host, port: Number(port) };
};

/** Whether an address is of the loopback interface. */
export const isLoopback = (host: string): boolean => ["127.0.0.1", "::1", "localhost"].includes(host);

/** The token in the first line of a file. @throws HttpError where it cannot be read or is short */
export const readToken = (file: string): Buffer => {
  try {
    const line = readFileSync(file, "utf8").split("\n")[0]!.trim();
    if (line.length >= 16) return Buffer.from(line);
    throw new Error(`expected a first line of at least 16 letters, got ${line.length}`);
  } catch (error) {
    throw new HttpError(`http.tokenFile: ${file}: ${error instanceof Error ? error.message : error}`, 78);
  }
};
