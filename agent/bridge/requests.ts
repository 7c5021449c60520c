import type { Connection } from "../mqtt/connection.ts";
import type { MqttMessage, ReplyAddress } from "../mqtt/message.ts";
import { Arguments, RequestError } from "./arguments.ts";

/** Does what a request asks for; what it returns is the data of the response. @throws RequestError where it cannot */
export type Command = (given: Arguments) => unknown;

/** What a request got: data, or a sentence why not. `transaction` is what the asker sent along. */
interface Response {
  readonly status: "ok" | "error";
  readonly data?: unknown;
  readonly error?: string;
  readonly transaction?: unknown;
}

/** Requests longer than this are none of ours; the longest bring a model. */
const maxRequestBytes = 16 * 2 ** 20;

/**
 * Answer `{base}/bridge/request/{command}`: a JSON object of arguments, or nothing. The answer goes to the response
 * topic with the correlation data [MQTT 5, 4.10], or else to `{base}/bridge/response/{command}`; `transaction` is echoed.
 */
export const answerRequests = (
  connection: Pick<Connection, "listen" | "publish">,
  base: string,
  commands: ReadonlyMap<string, Command>,
): void => {
  const prefix = `${base}/bridge/request/`;
  const answer = async ({ topic, payload, replyTo }: MqttMessage): Promise<void> => {
    const name = topic.slice(prefix.length);
    const response = await run(commands, name, payload);
    const to = isSafe(replyTo, prefix) ? replyTo : { topic: `${base}/bridge/response/${name}` };
    await connection.publish(to.topic, JSON.stringify(response), {
      qos: 1,
      contentType: "application/json",
      correlationData: to.correlationData,
    });
  };
  connection.listen({
    filters: [`${prefix}#`],
    onMessage: (message) => {
      // An answer that cannot be sent is one that nobody waits for: the connection is closing.
      if (message.isRetained !== true) answer(message).catch(() => {});
    },
  });
};

/** A response topic that is a name, and no request that we would answer again. */
const isSafe = (replyTo: ReplyAddress | undefined, prefix: string): replyTo is ReplyAddress =>
  replyTo !== undefined && replyTo.topic !== "" && !/[+#\0]/.test(replyTo.topic) && !replyTo.topic.startsWith(prefix);

const run = async (commands: ReadonlyMap<string, Command>, name: string, payload: Uint8Array): Promise<Response> => {
  let transaction: { readonly transaction?: unknown } = {};
  try {
    const fields = fieldsOf(payload);
    if (fields["transaction"] !== undefined) transaction = { transaction: fields["transaction"] };
    const command = commands.get(name);
    if (command === undefined) {
      throw new RequestError(`request: expected one of ${[...commands.keys()].join(", ")}, got ${name}`);
    }
    return { status: "ok", data: (await command(new Arguments(fields))) ?? {}, ...transaction };
  } catch (error) {
    return { status: "error", error: error instanceof Error ? error.message : String(error), ...transaction };
  }
};

const fieldsOf = (payload: Uint8Array): Readonly<Record<string, unknown>> => {
  if (payload.length === 0) return {};
  if (payload.length > maxRequestBytes) {
    throw new RequestError(`payload: expected at most ${maxRequestBytes} bytes, got ${payload.length}`);
  }
  let fields: unknown;
  try {
    fields = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    throw new RequestError(`payload: expected a JSON object or nothing, got ${payload.length} bytes that are none`);
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    throw new RequestError(`payload: expected a JSON object or nothing, got ${JSON.stringify(fields).slice(0, 40)}`);
  }
  return fields as Readonly<Record<string, unknown>>;
};
