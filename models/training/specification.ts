import type { Shape } from "../tensor.ts";

/**
 * A network to be trained, as plain data: what a recipe holds. Activations are channels last,
 * `[height, width, channels]`; a signal in time has height 1.
 */
export interface NetSpec {
  readonly name: string;
  /** `[height, width, channels]`, or `[features]`. */
  readonly input: Shape;
  readonly layers: readonly LayerSpec[];
}

/** Height and width. */
export type Pair = readonly [height: number, width: number];

/** `same`: as many outputs as inputs (by the stride fewer), zeros around, the odd one after; `valid`: no zeros. */
export type Padding = "same" | "valid";

export type LayerSpec =
  | {
      readonly kind: "conv";
      readonly channels: number;
      readonly kernel: Pair;
      readonly stride?: Pair;
      readonly padding?: Padding;
      /** Left out: a bias, unless batch normalisation comes next. */
      readonly bias?: boolean;
    }
  | {
      readonly kind: "depthwise";
      readonly kernel: Pair;
      readonly stride?: Pair;
      readonly padding?: Padding;
      readonly bias?: boolean;
    }
  | { readonly kind: "dense"; readonly outputs: number; readonly bias?: boolean }
  | { readonly kind: "batch-norm"; readonly epsilon?: number }
  | { readonly kind: "relu" | "sigmoid" | "tanh" }
  /** Gated recurrent unit over `[1, steps, features]`. Left out: gives its last state. */
  | { readonly kind: "gru"; readonly hidden: number; readonly gives?: "last" | "all" }
  | {
      readonly kind: "max-pool" | "average-pool";
      readonly kernel: Pair;
      /** Left out: the kernel. */
      readonly stride?: Pair;
      readonly padding?: Padding;
    }
  | { readonly kind: "global-average-pool" }
  | { readonly kind: "flatten" }
  /** `layers(x) + shortcut(x)`; without a shortcut `layers(x) + x`. Put a relu after it. */
  | { readonly kind: "residual"; readonly layers: readonly LayerSpec[]; readonly shortcut?: readonly LayerSpec[] }
  /** In training, zeros a part `rate` of the elements and scales the rest; else passes all. */
  | { readonly kind: "dropout"; readonly rate: number };

export type LayerKind = LayerSpec["kind"];
