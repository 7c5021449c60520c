import { connect, createServer, type Socket } from "node:net";

/** A TCP relay that can fall silent: no FIN, no RST, no data, as when a cable is pulled behind a switch. */
export interface HalfOpenProxy {
  readonly port: number;
  /** From now on nothing passes over the connections there are; new ones are relayed. */
  cut(): void;
  close(): Promise<void>;
}

/** Relay a free port of the loopback interface to another; what comes back is held for so many milliseconds. */
export const startHalfOpenProxy = (target: number, delayMs = 0): Promise<HalfOpenProxy> => {
  let sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    const pair = [near, far] as const;
    sockets.push(...pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      const isAnswer = from === far;
      from.on("data", (bytes) => {
        if (isAnswer && delayMs > 0) setTimeout(() => to.write(bytes), delayMs);
        else to.write(bytes);
      });
      from.on("error", () => {});
      from.on("close", () => to.destroy());
    }
  });
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () =>
      resolve({
        port: (server.address() as { port: number }).port,
        cut: () => {
          for (const socket of sockets) {
            socket.removeAllListeners("data");
            socket.removeAllListeners("close");
            socket.pause();
          }
        },
        close: () => {
          for (const socket of sockets.splice(0)) socket.destroy();
          sockets = [];
          return new Promise((closed) => server.close(() => closed()));
        },
      }),
    ),
  );
};
