/**
 * Resolve at the first SIGINT or SIGTERM, or after so many seconds. A second signal ends the process at once:
 * whoever presses Ctrl-C twice does not want to wait.
 */
export const untilStopped = (seconds?: number): Promise<"signal" | "time"> =>
  new Promise((resolve) => {
    const timer = seconds === undefined ? undefined : setTimeout(() => finish("time"), seconds * 1000);
    let isStopping = false;
    const finish = (why: "signal" | "time"): void => {
      isStopping = true;
      clearTimeout(timer);
      resolve(why);
    };
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      process.on(signal, () => {
        if (isStopping) process.exit(code);
        finish("signal");
      });
    }
  });
