import type { Agent } from "./agent.ts";
import { startBridge } from "./bridge/bridge.ts";
import { startSparkplug } from "./sparkplug/sparkplug.ts";

/** Something that speaks for the agent to the outside until it is stopped. */
export interface Service {
  stop(): void | Promise<void>;
}

/** Start all that speaks for a running agent beside its events: what it is asked over MQTT and what it tells there. */
export const startServices = (agent: Agent): Service => {
  const { sparkplug } = agent.config;
  const services: Service[] = [startBridge(agent)];
  if (sparkplug !== undefined) services.push(startSparkplug(agent, sparkplug));
  return {
    stop: async () => {
      for (const service of services) await service.stop();
    },
  };
};
