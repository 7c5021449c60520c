import { Arena } from "../crossbar/kernels/arena.ts";
import { floatPointers } from "../crossbar/kernels/float-simd.ts";
import { loopsSimd } from "../crossbar/kernels/loops-simd.ts";
import type { Graph, Node } from "../network/graph.ts";
import { SequentialRandom } from "../random.ts";
import { sizeOf } from "../tensor.ts";
import { buildLayers } from "./build-layers.ts";
import type { Build, Converters, Pass } from "./layer.ts";
import type { Sequence } from "./layers/residual.ts";
import { Parameters } from "./parameters.ts";
import type { NetSpec } from "./specification.ts";

/** A network with room for a batch, its gradients and parameters, in an arena of its own. */
export class TrainableNetwork {
  readonly arena: Arena;
  readonly parameters = new Parameters();
  readonly loops: Build["loops"];
  /** [batch][…input]: fill it, then call `forward`. */
  readonly input: Float32Array;
  /** [batch × outputs]: fill it with the loss's gradient, then call `backward`. */
  readonly outputGradient: Float32Array;
  readonly outputs: number;
  readonly inputs: number;
  readonly #spec: NetSpec;
  readonly #layers: Sequence;

  /**
   * @param batch     samples of a batch, at most
   * @param noisy     whether forward and backward use weights of their own; see `Parameter.used`
   * @param extraFloats room in the arena for others, such as an optimiser
   * @throws RangeError when layers do not fit each other
   */
  constructor(
    spec: NetSpec,
    options: {
      readonly batch: number;
      readonly noisy?: boolean;
      readonly converters?: Converters;
      readonly extraFloats?: (parameterFloats: number) => number;
    },
  ) {
    const { batch, noisy = false, converters = {}, extraFloats = () => 0 } = options;
    this.#spec = spec;
    const count = measureNetwork(spec, { batch, noisy, converters });
    this.arena = new Arena(count.bytes + 4 * extraFloats(count.parameterFloats) + 65536);
    const kernel = floatPointers(this.arena);
    this.loops = loopsSimd(this.arena);
    const build = { arena: this.arena, kernel, loops: this.loops, parameters: this.parameters, batch, converters };
    this.#layers = layersOf(spec, build);
    this.parameters.allocate(this.arena, noisy);
    this.inputs = sizeOf(spec.input);
    this.outputs = sizeOf(this.#layers.outputShape);
    this.input = this.arena.float32(batch * this.inputs);
    this.outputGradient = this.arena.float32(batch * this.outputs);
  }

  /** Draw first weights. */
  initialise(seed: number): void {
    this.#layers.initialise(new SequentialRandom(seed, [0, 0, initialStream]));
  }

  /** Run the batch in `input`; returns [batch × outputs], of which `pass.count` rows are in use. */
  forward(pass: Pass): Float32Array {
    return this.#layers.forward(this.input, pass);
  }

  /** Add the gradients of the batch last run forward; changes `outputGradient`. */
  backward(pass: Pass): void {
    this.#layers.backward(this.outputGradient, pass);
  }

  /** The network as it is now, with its clean values; batch normalisation stands as nodes of its own. */
  toGraph({ softmax }: { readonly softmax: boolean }): Graph {
    const input = { name: "input", shape: this.#spec.input };
    const nodes: Node[] = [];
    let output = this.#layers.emit(input, nodes);
    if (softmax) {
      const given = output.name;
      output = { name: "probabilities", shape: output.shape };
      nodes.push({ kind: "softmax", name: "softmax", inputs: [given], output });
    }
    return { name: this.#spec.name, input, output, nodes, metadata: {} };
  }
}

const initialStream = 0x1217;

const layersOf = (spec: NetSpec, build: Build): Sequence =>
  buildLayers(spec.layers, spec.input, { prefix: "", needsInputGradient: false }, build);

/**
 * Sizes of a network for a batch: bytes of its arena, floats of its blocks, numbers it gives. Builds it over an
 * arena that only counts. @throws RangeError as `TrainableNetwork`
 */
export const measureNetwork = (
  spec: NetSpec,
  { batch, noisy, converters }: { batch: number; noisy: boolean; converters: Converters },
): { bytes: number; parameterFloats: number; statisticsFloats: number; outputs: number } => {
  let bytes = 0;
  const room = (length: number): void => {
    bytes += Math.ceil(length / 16) * 64;
  };
  const arena: Build["arena"] = {
    float32: (length) => {
      room(length);
      return new Float32Array();
    },
    int32: (length) => {
      room(length);
      return new Int32Array();
    },
  };
  const parameters = new Parameters();
  // The kernels are not called while layers are built.
  const unused = new Arena(262144);
  const build = { arena, kernel: floatPointers(unused), loops: loopsSimd(unused), parameters, batch, converters };
  const layers = layersOf(spec, build);
  parameters.allocate(arena, noisy);
  const outputs = sizeOf(layers.outputShape);
  room(batch * sizeOf(spec.input));
  room(batch * outputs);
  room(65536); // packing of the products
  return { bytes, parameterFloats: parameters.length, statisticsFloats: parameters.statisticsLength, outputs };
};
