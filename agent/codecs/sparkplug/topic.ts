/** Kinds of messages of edge nodes and devices; Sparkplug B 3.0, 4.2.3. */
const kinds = ["NBIRTH", "NDEATH", "NDATA", "NCMD", "DBIRTH", "DDEATH", "DDATA", "DCMD"] as const;
export type SparkplugKind = (typeof kinds)[number];

/** What a topic of Sparkplug says. */
export interface SparkplugTopic {
  readonly group: string;
  readonly kind: SparkplugKind;
  readonly edgeNode: string;
  readonly device: string | undefined;
}

/** Read `spBv1.0/{group}/{kind}/{edge node}[/{device}]`. Undefined where it is none. */
export const parseTopic = (topic: string): SparkplugTopic | undefined => {
  const [namespace, group, kind, edgeNode, device, ...rest] = topic.split("/");
  const known = kinds.find((k) => k === kind);
  if (namespace !== "spBv1.0" || !group || known === undefined || !edgeNode || rest.length > 0) return undefined;
  if (known.startsWith("D") !== (device !== undefined)) return undefined;
  return { group, kind: known, edgeNode, device };
};

/** Write a topic. */
export const topicOf = ({ group, kind, edgeNode, device }: SparkplugTopic): string =>
  `spBv1.0/${group}/${kind}/${edgeNode}${device === undefined ? "" : `/${device}`}`;
