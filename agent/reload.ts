import type { Agent, Reconfigured } from "./compose.ts";
import type { Config } from "./config/schema.ts";
import { sentenceOf } from "./stream-runner.ts";

/** Why the configuration is read again. */
export type ReloadCause = "SIGHUP" | "a file changed";

/**
 * How an agent takes another configuration: read and checked whole first, and where it does not hold, or one of its
 * streams cannot run, the one before stays and an event says why. Asked again meanwhile, it reads again afterwards.
 *
 * @param read    gives the configuration. @throws ConfigError
 * @param applied told when another configuration runs
 */
export const reloaderOf = (
  agent: Agent,
  read: () => Config,
  applied: (config: Config) => void,
): ((cause: ReloadCause) => Promise<void>) => {
  const { emit } = agent.telemetry;
  const reload = async (cause: ReloadCause): Promise<void> => {
    try {
      const changes = await agent.reconfigure(read());
      applied(agent.config);
      emit({ name: "ConfigReloaded", detail: `The configuration was read again (${cause}): ${inWords(changes)}.` });
    } catch (error) {
      const detail = `The configuration was read again (${cause}) and does not hold; the one before stays.\n${sentenceOf(error)}`;
      emit({ name: "ConfigRejected", detail });
    }
  };
  let last = Promise.resolve();
  return (cause) => {
    last = last.then(() => reload(cause));
    return last;
  };
};

const inWords = ({ added, changed, removed, unchanged, needRestart }: Reconfigured): string => {
  const streams = [
    ["added", added],
    ["changed", changed],
    ["removed", removed],
  ] as const;
  const said = streams.flatMap(([verb, names]) => (names.length === 0 ? [] : [`${names.join(", ")} ${verb}`]));
  const same = `${unchanged.length} stream${unchanged.length === 1 ? "" : "s"} as before`;
  const later = needRestart.length === 0 ? [] : [`${needRestart.join(", ")} only after a restart`];
  return [...said, same, ...later].join("; ");
};
