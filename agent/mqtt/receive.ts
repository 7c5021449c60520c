import type { IPublishPacket, MqttClient } from "mqtt";
import { Acknowledgements } from "./acknowledgements.ts";
import type { MqttMessage } from "./message.ts";
import type { Sender } from "./message-queue.ts";
import { topicMatches } from "./topics.ts";

/** Takes a message, and tells its sender when the next one may come and when it may be acknowledged. */
export type MessageHandler = (message: MqttMessage, sender: Sender) => void;

/** Takes the messages of some topics, synchronously, beside the streams. */
export interface Listener {
  readonly filters: readonly string[];
  readonly onMessage: (message: MqttMessage) => void;
}

/** Who takes what comes in. */
export interface Receivers {
  /** Takes what no listener takes. */
  readonly onMessage: MessageHandler;
  /** Make safe what was handled; called before acknowledgements go out. */
  readonly commit?: () => void;
  readonly nowNs: () => bigint;
}

/**
 * Hand messages on, and acknowledge those of QoS 1 ourselves, when they are safe.
 * @param listeners those who listen at the moment of a message
 * @returns what stops it: messages that come later are neither handed on nor acknowledged, so that they come again
 */
export const receive = (
  client: MqttClient,
  { onMessage, nowNs, commit = () => {} }: Receivers,
  listeners: readonly Listener[],
): { stop(): void } => {
  let isStopped = false;
  const acknowledgements = new Acknowledgements({ send: acknowledger(client), commit });
  client.on("close", () => acknowledgements.interrupted());
  client.on("connect", ({ sessionPresent }) => {
    if (!sessionPresent) acknowledgements.forgotten();
  });
  const listenersOf = remembering(listeners);
  client.handleMessage = (packet, goOn) => {
    const message = messageOf(packet, nowNs());
    const isAcknowledged = packet.qos === 1;
    // MQTT.js sends no PUBACK where it is given an error, and reads on.
    const readOn = isAcknowledged ? () => goOn(later) : () => goOn();
    if (isStopped) return readOn();
    const handled = isAcknowledged ? acknowledgements.take(message, packet.messageId!, packet.dup) : () => {};
    if (handled === undefined) return readOn();
    const listening = listenersOf(message.topic);
    if (listening.length === 0) return onMessage(message, { goOn: readOn, handled });
    for (const listener of listening) listener.onMessage(message);
    handled();
    readOn();
  };
  return {
    stop: () => {
      isStopped = true;
    },
  };
};

/** Topics whose listeners are remembered; more are looked up anew. */
const topicsRemembered = 10_000;

/** Who listens to a topic: looked up once, as long as nobody joins. */
const remembering = (listeners: readonly Listener[]): ((topic: string) => readonly Listener[]) => {
  const known = new Map<string, readonly Listener[]>();
  let count = 0;
  return (topic) => {
    if (listeners.length !== count || known.size >= topicsRemembered) known.clear();
    count = listeners.length;
    let listening = known.get(topic);
    if (listening === undefined) {
      listening = listeners.filter(({ filters }) => filters.some((filter) => topicMatches(filter, topic)));
      known.set(topic, listening);
    }
    return listening;
  };
};

const later = new Error("acknowledged later");

/** The one place that uses what MQTT.js does not document: its way to send a packet of any kind. */
const acknowledger = (client: MqttClient): ((id: number) => void) => {
  const { _sendPacket: send } = client as unknown as { _sendPacket?: (packet: object) => void };
  if (send === undefined) throw new Error("mqtt: expected a client with _sendPacket, got one without");
  return (messageId) => {
    if (client.connected) send.call(client, { cmd: "puback", messageId, reasonCode: 0 });
  };
};

const messageOf = ({ topic, payload, qos, retain, properties }: IPublishPacket, receivedAtNs: bigint): MqttMessage => {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const message: MqttMessage = { topic, payload: bytes, qos, receivedAtNs };
  if (!retain && properties?.responseTopic === undefined) return message;
  return {
    ...message,
    ...(retain && { isRetained: true }),
    ...(properties?.responseTopic !== undefined && {
      replyTo: { topic: properties.responseTopic, correlationData: properties.correlationData },
    }),
  };
};
