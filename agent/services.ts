import type { Agent } from "./agent.ts";
import { startBridge } from "./bridge/bridge.ts";
import { startHermes } from "./home/hermes.ts";
import { startHome } from "./home/home.ts";
import { startSparkplug } from "./sparkplug/sparkplug.ts";
import { startWyoming } from "./wyoming/server.ts";

/** Something that speaks for the agent to the outside until it is stopped. */
export interface Service {
  stop(): void | Promise<void>;
}

/**
 * Start all that speaks for a running agent beside its events: what it is asked over MQTT and what it tells there.
 * @throws what a service throws that cannot start; then none runs
 */
export const startServices = async (agent: Agent): Promise<Service> => {
  const { home, sparkplug, wyoming } = agent.config;
  const services: Service[] = [startBridge(agent), startHermes(agent)];
  const stop = async (): Promise<void> => {
    for (const service of services) await service.stop();
  };
  try {
    if (home !== undefined) services.push(startHome(agent, home));
    if (sparkplug !== undefined) services.push(startSparkplug(agent, sparkplug));
    if (wyoming !== undefined) services.push(await startWyoming(agent, wyoming));
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
};
