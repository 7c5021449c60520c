import { readFileSync } from "node:fs";
import type { IClientOptions } from "mqtt";
import type { Config } from "../config/schema.ts";

/** Messages of QoS 1 that the broker may have on their way to us, MQTT 5. */
const receiveMaximum = 100;

/**
 * Options of MQTT.js for a configuration: session, will, TLS and credentials, which come from files alone.
 *
 * @throws Error with exit code 78 where a file cannot be read
 */
export const clientOptions = (settings: Config["mqtt"], stateTopic: string): IClientOptions => {
  const { version, qos, sessionExpirySeconds, username, passwordFile, tls } = settings;
  const keepsSession = qos === 1 && sessionExpirySeconds > 0;
  return {
    clientId: settings.clientId,
    clean: !keepsSession,
    protocolVersion: version === "5" ? 5 : 4,
    keepalive: 30,
    reconnectPeriod: 500,
    connectTimeout: 10_000,
    resubscribe: false,
    queueQoSZero: false,
    will: { topic: stateTopic, payload: Buffer.from('{"state":"offline"}'), qos: 1, retain: true },
    ...(version === "5" && {
      properties: { receiveMaximum, sessionExpiryInterval: keepsSession ? sessionExpirySeconds : 0 },
    }),
    ...(username !== undefined && { username }),
    ...(passwordFile !== undefined && { password: firstLine(readSetting("mqtt.passwordFile", passwordFile)) }),
    ...(tls?.caFile !== undefined && { ca: readSetting("mqtt.tls.caFile", tls.caFile) }),
    ...(tls?.certFile !== undefined && { cert: readSetting("mqtt.tls.certFile", tls.certFile) }),
    ...(tls?.keyFile !== undefined && { key: readSetting("mqtt.tls.keyFile", tls.keyFile) }),
  };
};

const firstLine = (text: Buffer): string => text.toString("utf8").split(/\r?\n/, 1)[0]!;

const readSetting = (key: string, file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const message = `${key}: expected a readable file, got ${code} for ${file}`;
    throw Object.assign(new Error(message, { cause }), { exitCode: 78 });
  }
};
