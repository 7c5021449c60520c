import type { MqttClient } from "mqtt";

/** How long a publication of QoS 1 may stay without its PUBACK; a shorter keep-alive shortens it. */
const longestAcknowledgementMs = 10_000;

/**
 * Let a connection end when the broker is silent, and only then. MQTT.js wants the answer to its ping within half a
 * keep-alive, though that answer may lie behind a backlog of messages: here any packet read since the ping
 * shows that the broker lives.
 */
export const watchKeepAlive = (client: MqttClient): void => {
  let packets = 0;
  let packetsAtPing = 0;
  client.on("packetreceive", () => packets++);
  const ping = client.sendPing.bind(client);
  client.sendPing = () => {
    packetsAtPing = packets;
    ping();
  };
  const giveUp = client.onKeepaliveTimeout.bind(client);
  client.onKeepaliveTimeout = () => {
    if (packets === packetsAtPing) return giveUp();
    client.reschedulePing(true);
    client.sendPing();
  };
};

/** Wait for a PUBACK; where it stays away the link is half open: break it, so that it is made anew. */
export const watchAcknowledgement = async (client: MqttClient, sent: Promise<unknown>): Promise<void> => {
  const limitMs = Math.min(longestAcknowledgementMs, client.keepalive * 1000);
  const timer = setInterval(() => {
    // While there is no connection the message waits for one.
    if (client.connected) client.stream.destroy(new Error(`no PUBACK within ${limitMs} ms`));
  }, limitMs);
  try {
    await sent;
  } finally {
    clearInterval(timer);
  }
};
