/** A message as it came in, hop 1. */
export interface MqttMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  /** Nanoseconds since 1970 of this machine's clock. */
  readonly receivedAtNs: bigint;
  /** The broker had kept it: it is older than the subscription. */
  readonly isRetained?: boolean;
  /** MQTT 5: where the sender awaits an answer. */
  readonly replyTo?: ReplyAddress;
}

/** Where an answer goes, and what it carries so that the asker knows it. MQTT 5, 4.10. */
export interface ReplyAddress {
  readonly topic: string;
  readonly correlationData?: Uint8Array | undefined;
}

/** What a message is published with beside topic and payload. All but the first two need MQTT 5 and are else left out. */
export interface PublishOptions {
  readonly qos?: 0 | 1;
  readonly retain?: boolean;
  /** The broker forgets it when nobody took it in this time. */
  readonly expirySeconds?: number;
  readonly userProperties?: Readonly<Record<string, string>>;
  readonly correlationData?: Uint8Array | undefined;
  /** Media type of the payload. */
  readonly contentType?: string;
}
