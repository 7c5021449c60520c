import { z } from "zod";
import { name, setting } from "../setting.ts";

/** How to reach the broker. */
export const mqtt = z.strictObject({
  url: setting(
    z
      .string()
      .regex(/^(mqtts?|tcp|tls|wss?):\/\/.+/)
      .optional(),
    "Broker to connect to. Without it an embedded broker runs on the loopback interface.",
    "mqtt://broker.local:1883",
  ),
  embeddedPort: setting(
    z.int().min(0).max(65535).default(1883),
    "Port of the embedded broker on 127.0.0.1; 0 takes any free one.",
    1883,
  ),
  clientId: setting(name.default("ohmwatch"), "Client identifier, unique at the broker.", "ohmwatch-hall-3"),
  username: setting(z.string().min(1).optional(), "User name at the broker.", "ohmwatch"),
  passwordFile: setting(
    z.string().min(1).optional(),
    "File whose first line is the password at the broker; without it $CREDENTIALS_DIRECTORY/mqtt-password, where it is.",
    "/run/credentials/ohmwatch.service/mqtt",
  ),
  tls: z
    .strictObject({
      caFile: setting(
        z.string().min(1).optional(),
        "Certificates that the broker's is checked by, PEM.",
        "/etc/ohmwatch/ca.pem",
      ),
      certFile: setting(z.string().min(1).optional(), "Our own certificate, PEM.", "/etc/ohmwatch/gateway.pem"),
      keyFile: setting(
        z.string().min(1).optional(),
        "The key of our own certificate, PEM.",
        "/run/credentials/ohmwatch.service/key",
      ),
    })
    .optional(),
  sessionExpirySeconds: setting(
    z.int().min(0).max(0xffffffff).default(86_400),
    "How long the broker keeps messages of QoS 1 for us while we are away; 0: not at all. Before MQTT 5 the broker decides.",
    86_400,
    "s",
  ),
  receiveMaximum: setting(
    z.int().min(1).max(65_535).default(100),
    "Messages of QoS 1 that the broker may have on their way to us; before MQTT 5 the broker decides.",
    100,
    "messages",
  ),
  keepAliveSeconds: setting(
    z.int().min(1).max(65_535).default(30),
    "Silence after which we ask whether the broker lives; after half as much again without an answer it is lost.",
    30,
    "s",
  ),
  eventExpirySeconds: setting(
    z.int().min(1).max(0xffffffff).optional(),
    "How long the broker keeps our events for subscribers that are away, MQTT 5; without it for ever.",
    604_800,
    "s",
  ),
  shareGroup: setting(
    name.optional(),
    "Group whose members share the streams' messages among them (`$share/{group}/…`), for topics with more than one gateway.",
    "hall-3",
  ),
  version: setting(z.enum(["3.1.1", "5"]).default("3.1.1"), "Version of the protocol.", "5"),
  qos: setting(z.literal([0, 1]).default(1), "Quality of service of subscriptions and publications.", 1),
  base: setting(
    z
      .string()
      .regex(/^[^+#\0]{1,200}$/)
      .default("ohmwatch"),
    "First part of our own topics: samples come in under {base}/in/…, events go out on {base}/events.",
    "ohmwatch",
  ),
});
