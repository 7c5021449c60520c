import type { IClientPublishOptions } from "mqtt";
import type { PublishOptions } from "./message.ts";

/** What MQTT 5 says beside a payload; nothing for MQTT 3.1.1, which has no place for it. */
export const publishProperties = (
  { expirySeconds, userProperties, correlationData, contentType }: PublishOptions,
  protocolVersion: number | undefined,
): Pick<IClientPublishOptions, "properties"> => {
  if (protocolVersion !== 5) return {};
  return {
    properties: {
      ...(expirySeconds !== undefined && { messageExpiryInterval: expirySeconds }),
      ...(userProperties !== undefined && { userProperties: { ...userProperties } }),
      ...(correlationData !== undefined && { correlationData: Buffer.from(correlationData) }),
      ...(contentType !== undefined && { contentType }),
    },
  };
};
