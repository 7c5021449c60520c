import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { IClientOptions } from "mqtt";
import type { Config } from "../config/schema.ts";

/** Topics that the broker may give a number on their way to us, MQTT 5. */
const topicAliasMaximum = 100;

/**
 * Options of MQTT.js for a configuration: session, will, TLS and credentials, which come from files alone.
 *
 * @throws Error with exit code 78 where a file cannot be read
 */
export const clientOptions = (settings: Config["mqtt"], stateTopic: string): IClientOptions => {
  const { version, qos, sessionExpirySeconds, receiveMaximum, keepAliveSeconds, username, tls } = settings;
  const passwordFile = settings.passwordFile ?? credential("mqtt-password");
  const keepsSession = qos === 1 && sessionExpirySeconds > 0;
  return {
    clientId: settings.clientId,
    clean: !keepsSession,
    protocolVersion: version === "5" ? 5 : 4,
    keepalive: keepAliveSeconds,
    // A ping at each keep-alive, even while we send: what we send into a half-open link is answered by nobody.
    reschedulePings: false,
    writeCache: false, // else it keeps 65536 buffers, one for each number of two bytes: 10 MB
    reconnectPeriod: 500,
    reconnectOnConnackError: true,
    connectTimeout: 10_000,
    resubscribe: false,
    queueQoSZero: false,
    will: { topic: stateTopic, payload: Buffer.from('{"state":"offline"}'), qos: 1, retain: true },
    ...(version === "5" && {
      autoAssignTopicAlias: true,
      properties: {
        receiveMaximum,
        topicAliasMaximum,
        sessionExpiryInterval: keepsSession ? sessionExpirySeconds : 0,
      },
    }),
    ...(username !== undefined && { username }),
    ...(passwordFile !== undefined && { password: firstLine(readSetting("mqtt.passwordFile", passwordFile)) }),
    ...(tls?.caFile !== undefined && { ca: readSetting("mqtt.tls.caFile", tls.caFile) }),
    ...(tls?.certFile !== undefined && { cert: readSetting("mqtt.tls.certFile", tls.certFile) }),
    ...(tls?.keyFile !== undefined && { key: readSetting("mqtt.tls.keyFile", tls.keyFile) }),
  };
};

/** A credential that systemd holds for us [systemd.exec(5), LoadCredential=], where it does. */
const credential = (name: string): string | undefined => {
  const folder = process.env["CREDENTIALS_DIRECTORY"];
  const file = folder === undefined ? undefined : join(folder, name);
  return file !== undefined && existsSync(file) ? file : undefined;
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
