import { readFileSync } from "node:fs";
import { join } from "node:path";
import { oracleDir } from "./data.ts";

/** Whether the reference numbers of other simulators lie on this machine. */
export const hasOracles = oracleDir !== undefined;

/** One file of the reference numbers, parsed. Only where `hasOracles`. */
export const oracle = <T>(name: string): T => JSON.parse(readFileSync(join(oracleDir ?? "", name), "utf8")) as T;
