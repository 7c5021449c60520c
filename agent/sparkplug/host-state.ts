/** What a primary host said last of itself. */
export interface HostState {
  readonly isOnline: boolean;
  readonly timestampMs: number;
}

/** The topic of a host's state. tck-id-host-topic-phid-birth-topic */
export const hostStateTopic = (host: string): string => `spBv1.0/STATE/${host}`;

/**
 * What a host says of itself, `{"online": …, "timestamp": …}`, if it is news: what is older than what it said before is
 * left out (tck-id-message-flow-phid-sparkplug-state-timestamp). Undefined where it is none or no news.
 */
export const readHostState = (payload: Uint8Array, before: HostState | undefined): HostState | undefined => {
  let state: unknown;
  try {
    state = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return undefined;
  }
  if (typeof state !== "object" || state === null) return undefined;
  const { online, timestamp } = state as { online?: unknown; timestamp?: unknown };
  if (typeof online !== "boolean" || typeof timestamp !== "number") return undefined;
  if (before !== undefined && timestamp < before.timestampMs) return undefined;
  return { isOnline: online, timestampMs: timestamp };
};
