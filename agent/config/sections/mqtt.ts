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
    "File whose first line is the password at the broker.",
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
