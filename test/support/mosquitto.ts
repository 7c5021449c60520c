import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

/** Where mosquitto lies on this machine, or undefined: such tests skip and say so. */
export const mosquitto: string | undefined = ["mosquitto", "/usr/sbin/mosquitto"].find(
  (program) => spawnSync(program, ["-h"]).error === undefined,
);

/** A TCP port of the loopback interface that was free just now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** A broker that is not ours. */
export interface Mosquitto {
  /** Kill it as a power cut would. */
  kill(): Promise<void>;
}

/** Start mosquitto on a port, with further lines of its configuration; resolves when it takes connections. */
export const startMosquitto = async (port: number, settings: readonly string[] = []): Promise<Mosquitto> => {
  const folder = mkdtempSync(join(tmpdir(), "ohmwatch-mosquitto-"));
  const file = join(folder, "mosquitto.conf");
  const lines = [
    `listener ${port} 127.0.0.1`,
    `user ${userInfo().username}`,
    "persistence false",
    "set_tcp_nodelay true",
    "allow_anonymous true",
  ];
  writeFileSync(file, [...lines, ...settings, ""].join("\n"));
  const child: ChildProcess = spawn(mosquitto!, ["-c", file], { stdio: "ignore" });
  while (!(await takes(port))) {
    if (child.exitCode !== null) throw new Error(`mosquitto: expected it to run, got exit code ${child.exitCode}`);
  }
  return {
    kill: () =>
      new Promise((resolve) => {
        child.once("exit", () => {
          rmSync(folder, { recursive: true });
          resolve();
        });
        child.kill("SIGKILL");
      }),
  };
};

const takes = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => socket.destroy(undefined) && resolve(true));
    socket.once("error", () => setImmediate(resolve, false));
  });
