import type { Agent } from "../compose.ts";

/** Why an agent is not ready; none: it is. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/**
 * Whether data flow and inference keeps up: the broker is there, each stream runs, its queue is not full, and its last
 * message is young.
 *
 * @param staleSeconds how old the last message of a stream may be; undefined: any age, also none yet
 */
export const readinessOf = (agent: Agent, staleSeconds: number | undefined, nowSeconds: number): Readiness => {
  const reasons: string[] = [];
  if (!agent.connection.isConnected()) reasons.push("broker: expected a connection, got none");
  for (const { name, stopped, lastMessageAtSeconds, queueLimit } of agent.streams) {
    if (stopped !== undefined) reasons.push(`${name}: expected a stream that runs, got ${stopped}`);
    const waiting = agent.waiting(name);
    if (waiting >= queueLimit)
      reasons.push(`${name}: expected fewer than ${queueLimit} waiting messages, got ${waiting}`);
    if (staleSeconds === undefined) continue;
    const age = lastMessageAtSeconds === undefined ? undefined : nowSeconds - lastMessageAtSeconds;
    if (age === undefined || age > staleSeconds) {
      const got = age === undefined ? "none yet" : `one of ${Math.round(age)} s`;
      reasons.push(`${name}: expected a message younger than ${staleSeconds} s, got ${got}`);
    }
  }
  return { ready: reasons.length === 0, reasons };
};
