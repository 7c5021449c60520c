import mqtt from "mqtt";
import { busyMs } from "./setting.ts";

/**
 * A subscriber that does nothing with what comes: the ceiling of any that uses MQTT.js. Writes how many came, when,
 * and the processor time used, every 50 ms. `node bare-subscriber.ts PORT TOPIC QOS`.
 */
const [port, topic, qos] = process.argv.slice(2) as [string, string, string];
const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: `bare-${process.pid}` });
let received = 0;
client.on("message", () => {
  received++;
});
await client.subscribeAsync(topic, { qos: Number(qos) as 0 | 1 });
process.stdout.on("error", () => process.exit(1)); // who started it is gone
process.stdout.write("ready\n");
setInterval(() => process.stdout.write(`${received} ${performance.timeOrigin + performance.now()} ${busyMs()}\n`), 50);
