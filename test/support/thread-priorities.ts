import { readdirSync, readFileSync } from "node:fs";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { stepBack } from "../../agent/upkeep/step-back.ts";

/** A program: one thread of it steps back. Prints name, niceness and cores of each of its threads. */
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  worker.once("message", () => {
    const folder = "/proc/self/task";
    const threads = readdirSync(folder).map((thread) => {
      const stat = readFileSync(`${folder}/${thread}/stat`, "utf8");
      const end = stat.lastIndexOf(")");
      const cores = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync(`${folder}/${thread}/status`, "utf8"))![1];
      return {
        ...{ name: stat.slice(stat.indexOf("(") + 1, end), cores },
        niceness: Number(stat.slice(end + 2).split(" ")[16]),
      };
    });
    process.stdout.write(JSON.stringify(threads));
    process.exit();
  });
} else {
  stepBack();
  parentPort!.postMessage("done");
  setInterval(() => {}, 1000);
}
