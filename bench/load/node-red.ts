import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Write a folder of Node-RED's: MQTT in → function → MQTT out, headless. The function reads the payload and sends a part on. */
export const writeNodeRedFolder = (folder: string, port: number, qos: 0 | 1, out: string): void => {
  const flow = [
    { id: "tab", type: "tab", label: "load" },
    {
      id: "broker",
      type: "mqtt-broker",
      name: "",
      broker: "127.0.0.1",
      port: String(port),
      clientid: `node-red-${process.pid}-${qos}`,
      autoConnect: true,
      usetls: false,
      protocolVersion: "4",
      keepalive: "60",
      cleansession: true,
    },
    {
      id: "in",
      type: "mqtt in",
      z: "tab",
      topic: "load",
      qos: String(qos),
      datatype: "buffer",
      broker: "broker",
      nl: false,
      rap: true,
      rh: 0,
      inputs: 0,
      wires: [["f"]],
    },
    {
      id: "f",
      type: "function",
      z: "tab",
      func: "msg.payload = msg.payload.subarray(0, 8); msg.topic = undefined; return msg;",
      outputs: 1,
      wires: [["out"]],
    },
    {
      id: "out",
      type: "mqtt out",
      z: "tab",
      topic: out,
      qos: String(qos),
      retain: "false",
      broker: "broker",
      wires: [],
    },
  ];
  writeFileSync(join(folder, "flows.json"), JSON.stringify(flow));
  writeFileSync(
    join(folder, "settings.js"),
    `module.exports = { flowFile: "flows.json", httpAdminRoot: false, httpNodeRoot: false, uiHost: "127.0.0.1", uiPort: 0, telemetry: { enabled: false, updateNotification: false }, editorTheme: { tours: false }, logging: { console: { level: "info" } } };\n`,
  );
};
