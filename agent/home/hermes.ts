import type { Agent } from "../agent.ts";
import { isTold } from "../store/anomaly-event.ts";

/** Topic of the sound of a Hermes site: a WAV a message, codec `wav`. */
const audioFrame = /^hermes\/audioServer\/([^/]+)\/audioFrame$/;

/**
 * Speak Hermes for the streams that take its sound (`hermes/audioServer/{siteId}/audioFrame`): a keyword is told on
 * `hermes/hotword/{keyword}/detected`, unless `hermes/hotword/toggleOff` silenced the site. A site that was silenced for
 * several reasons speaks when each was taken back by `toggleOn`.
 */
export const startHermes = (agent: Agent): { stop(): void } => {
  const { connection, observers, store } = agent;
  const silenced = new Map<string, Set<string>>();
  const siteOf = (stream: string): string | undefined => {
    const [, site] = audioFrame.exec(agent.config.streams.find(({ name }) => name === stream)?.topic ?? "") ?? [];
    return site === "+" ? stream : site;
  };
  let isListening = false;
  const listen = (): void => {
    if (isListening || !agent.streams.some(({ name }) => siteOf(name) !== undefined)) return;
    isListening = true;
    connection.listen({
      filters: ["hermes/hotword/toggleOn", "hermes/hotword/toggleOff"],
      onMessage: ({ topic, payload }) => {
        const { site, reason } = toggleOf(payload);
        if (!agent.streams.some(({ name }) => siteOf(name) === site)) return;
        const reasons = silenced.get(site) ?? new Set();
        if (topic.endsWith("toggleOff")) silenced.set(site, reasons.add(reason));
        else if (reasons.delete(reason) && reasons.size === 0) silenced.delete(site);
      },
    });
  };
  listen();
  observers.onStreams(listen);
  observers.onChange(({ type, anomaly: { id, stream, kind, model } }) => {
    const siteId = siteOf(stream);
    if (type !== "new" || siteId === undefined || silenced.has(siteId)) return;
    const row = store.get(id);
    if (row !== undefined && !isTold(row)) return;
    const currentSensitivity = agent.streamSet.of(stream)?.alarms.find((alarm) => alarm.kind === kind)?.enter;
    const detected = {
      modelId: kind,
      modelVersion: model,
      modelType: "universal",
      currentSensitivity,
      siteId,
      sessionId: null,
    };
    connection.publish(`hermes/hotword/${levelOf(kind)}/detected`, JSON.stringify(detected)).catch(() => {});
  });
  return { stop: () => {} };
};

const toggleOf = (payload: Uint8Array): { readonly site: string; readonly reason: string } => {
  let fields: { readonly siteId?: unknown; readonly reason?: unknown } = {};
  try {
    fields = (JSON.parse(new TextDecoder().decode(payload)) ?? {}) as typeof fields;
  } catch {
    // An empty toggle is for the site that Hermes calls default.
  }
  const text = (value: unknown, otherwise: string): string => (typeof value === "string" ? value : otherwise);
  return { site: text(fields.siteId, "default"), reason: text(fields.reason, "") };
};

/** A label as one level of a topic. */
const levelOf = (label: string): string => label.replace(/[+#/\0]/g, "_");
