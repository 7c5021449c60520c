import { spawn } from "node:child_process";

/** What the agent tells the service manager that started it. */
export interface ServiceManager {
  /** It runs; `status` is what `systemctl status` shows. */
  ready(status: string): void;
  /**
   * Keep telling, twice in each watchdog time, that the agent lives, as long as `isAlive` holds; without a watchdog do
   * nothing. The timer shares the loop with all streams: what blocks them blocks it.
   */
  watch(isAlive: () => boolean): void;
  /** It has begun to stop. */
  stopping(): void;
}

/**
 * systemd [sd_notify(3), Type=notify, WatchdogSec=], where it started us; undefined elsewhere. Node cannot open the socket of
 * datagrams that systemd listens at, so each message is a run of its tool `systemd-notify`. The unit needs
 * `NotifyAccess=all`, since the tool is another process.
 *
 * @param environment NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID
 * @param onFailure told in a sentence, once, when the tool cannot be run
 */
export const serviceManager = (
  environment: Readonly<Record<string, string | undefined>>,
  onFailure: (sentence: string) => void,
): ServiceManager | undefined => {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID } = environment;
  if (!NOTIFY_SOCKET) return undefined;
  let hasFailed = false;
  const failed = (why: string): void => {
    if (!hasFailed) onFailure(`systemd-notify: expected it to pass a message on, got ${why}`);
    hasFailed = true;
  };
  const tell = (...messages: string[]): void => {
    const child = spawn("systemd-notify", messages, { env: environment as NodeJS.ProcessEnv, stdio: "ignore" });
    child.once("error", (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
    child.once("exit", (code) => code !== 0 && failed(`exit code ${code}`));
    child.unref();
  };
  const watchdogMs =
    WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid ? Number(WATCHDOG_USEC) / 1000 : 0;
  return {
    ready: (status) => tell("READY=1", `STATUS=${status}`),
    watch: (isAlive) => {
      if (!(watchdogMs > 0)) return;
      setInterval(() => isAlive() && tell("WATCHDOG=1"), watchdogMs / 2).unref();
    },
    stopping: () => tell("STOPPING=1"),
  };
};

/** Counts of one stream, as far as being alive goes. */
export interface StreamProgress {
  readonly name: string;
  /** Messages that wait. */
  readonly waiting: number;
  /** Messages that were worked off or lost so far. */
  readonly done: number;
}

/**
 * A check, to be called from time to time, whether streams move: none had messages that waited both at the last call and at
 * this one while it worked off none.
 */
export const progressCheck = (progress: () => readonly StreamProgress[]): (() => boolean) => {
  let before = new Map<string, StreamProgress>();
  return () => {
    const now = progress();
    const isStuck = ({ name, waiting, done }: StreamProgress): boolean =>
      waiting > 0 && (before.get(name)?.waiting ?? 0) > 0 && before.get(name)!.done === done;
    const stuck = now.some(isStuck);
    before = new Map(now.map((one) => [one.name, one]));
    return !stuck;
  };
};
