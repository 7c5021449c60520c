import type { Manifest } from "./manifest.ts";
import type { Graph } from "./network/graph.ts";
import { streamingForm } from "./network/streaming.ts";

/** The graph as it runs in the agent: a forecaster step by step, all others as they are. */
export const runningForm = (graph: Graph, { task }: Pick<Manifest, "task">): Graph =>
  task === "forecaster" ? streamingForm(graph) : graph;
