import { connect, createServer, type Server, type Socket } from "node:net";

/** A link to a server that can be cut, slowed and made again, while the server stays as it is. */
export interface TcpProxy {
  readonly port: number;
  /** Cut all connections and take no new ones. */
  down(): Promise<void>;
  /** Take connections again, on the same port. */
  up(): Promise<void>;
  /** Let so many bytes a second through to the server, on each connection made from now on; undefined: all. */
  limit(bytesPerSecond: number | undefined): void;
  close(): Promise<void>;
}

const sliceMs = 20;

/** Start a proxy on a free port of the loopback interface, in front of another port. */
export const startProxy = async (target: number): Promise<TcpProxy> => {
  const sockets = new Set<Socket>();
  let limit: number | undefined;
  const server: Server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
    far.pipe(near);
    if (limit === undefined) near.pipe(far);
    else trickle(near, far, limit);
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => {
      server.listen(port, "127.0.0.1", resolve);
    });
  await listen(0);
  const { port } = server.address() as { port: number };
  const down = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return {
    port,
    down,
    up: () => listen(port),
    limit: (bytesPerSecond) => {
      limit = bytesPerSecond;
    },
    close: () => (server.listening ? down() : Promise.resolve()),
  };
};

/** Pass on a slice at a time; what is not read fills the sender's buffers, as behind a slow radio. */
const trickle = (from: Socket, to: Socket, bytesPerSecond: number): void => {
  const slice = Math.max(1, Math.round((bytesPerSecond * sliceMs) / 1000));
  from.pause();
  const timer = setInterval(() => {
    const bytes: Buffer | null = from.read(Math.min(slice, from.readableLength));
    if (bytes !== null && from.readableLength >= 0) to.write(bytes);
  }, sliceMs);
  from.on("readable", () => {});
  from.on("close", () => clearInterval(timer));
};
