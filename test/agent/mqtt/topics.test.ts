import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { filterCovers, topicMatches, withoutCovered } from "../../../agent/mqtt/topics.ts";

// The cases of MQTT 3.1.1, section 4.7.1.
const cases: [filter: string, topic: string, matches: boolean][] = [
  ["sport/tennis/player1/#", "sport/tennis/player1", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true],
  ["#", "sport", true],
  ["sport/tennis/+", "sport/tennis/player1", true],
  ["sport/tennis/+", "sport/tennis/player1/ranking", false],
  ["sport/+", "sport", false],
  ["sport/+", "sport/", true],
  ["+/+", "/finance", true],
  ["/+", "/finance", true],
  ["+", "/finance", false],
  ["#", "$SYS/uptime", false],
  ["$SYS/#", "$SYS/uptime", true],
];

describe("A topic filter", () => {
  it.each(cases)("%s and %s: %s", (filter, topic, matches) => {
    expect(topicMatches(filter, topic)).toBe(matches);
  });

  it("matches, by its short cuts, what the comparison level by level says", () => {
    const level = fc.constantFrom("a", "b", "ab", "", "a b");
    const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));
    const filter = fc
      .tuple(fc.array(fc.oneof(level, fc.constant("+")), { maxLength: 4 }), fc.boolean())
      .map(([levels, isOpen]) => [...levels, ...(isOpen || levels.length === 0 ? ["#"] : [])].join("/"));
    fc.assert(
      fc.property(filter, topic, (f, t) => topicMatches(f, t) === filterCovers(f, t)),
      { numRuns: 5000, seed: 1 },
    );
  });

  it("covers another when every topic of that one matches", () => {
    expect(filterCovers("a/#", "a/+/b")).toBe(true);
    expect(filterCovers("a/+", "a/#")).toBe(false);
    expect(filterCovers("a/+", "a/+")).toBe(true);
    expect(filterCovers("a/b", "a/+")).toBe(false);
  });

  it("is subscribed to once, and not at all when another covers it", () => {
    expect(withoutCovered(["in/#", "in/x", "ward/+/ecg", "ward/7/ecg", "in/#"])).toEqual(["in/#", "ward/+/ecg"]);
  });
});
