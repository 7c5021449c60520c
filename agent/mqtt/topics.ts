/** Whether an MQTT topic matches a filter with `+` and `#`. `$SYS` and the like match no leading wildcard [MQTT-4.7.2-1]. */
export const topicMatches = (filter: string, topic: string): boolean => {
  if (topic.startsWith("$") && (filter.startsWith("+") || filter.startsWith("#"))) return false;
  // Every message is compared with every filter: the usual ones without making lists of levels.
  if (!filter.includes("+")) {
    if (!filter.includes("#")) return filter === topic;
    if (filter.endsWith("/#")) {
      const stemLetters = filter.length - 2;
      if (!topic.startsWith(filter.slice(0, stemLetters))) return false;
      return topic.length === stemLetters || topic[stemLetters] === "/"; // also the parent level itself [MQTT-4.7.1-2]
    }
  }
  return levelsCover(filter.split("/"), topic.split("/"));
};

/** Whether every topic that matches `inner` also matches `outer`. */
export const filterCovers = (outer: string, inner: string): boolean => levelsCover(outer.split("/"), inner.split("/"));

const levelsCover = (outer: readonly string[], inner: readonly string[]): boolean => {
  for (let i = 0; i < outer.length; i++) {
    if (outer[i] === "#") return true; // also the parent level itself [MQTT-4.7.1-2]
    if (i >= inner.length || inner[i] === "#") return false;
    if (outer[i] !== "+" && outer[i] !== inner[i]) return false;
  }
  return outer.length === inner.length;
};

/** The filters without those that another one covers: a broker may deliver once for each filter that matches. */
export const withoutCovered = (filters: readonly string[]): readonly string[] => {
  const unique = [...new Set(filters)];
  return unique.filter((filter) => !unique.some((other) => other !== filter && filterCovers(other, filter)));
};

/** A filter as a shared subscription, where there is a group: each message goes to one of its members. MQTT 5, 4.8.2. */
export const sharedFilter = (filter: string, group: string | undefined): string =>
  group === undefined ? filter : `$share/${group}/${filter}`;
