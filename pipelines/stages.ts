import { connect, merge, type Observable, type OperatorFunction, tap } from "rxjs";
import type { AnomalyChange, Classification, Features, Frame, QuantisedFeatures, SampleBlock } from "./signal.ts";

/** What comes out of the stages of a pipeline, by their names. */
export interface StageOutputs {
  readonly reorder: SampleBlock;
  readonly sanitise: SampleBlock;
  readonly resample: SampleBlock;
  readonly mfcc: SampleBlock;
  readonly bandpass: SampleBlock;
  readonly standardise: SampleBlock;
  readonly frame: Frame;
  readonly normalise: Features;
  readonly quantise: QuantisedFeatures;
  readonly classify: Classification;
  readonly decide: AnomalyChange;
}

export type StageName = keyof StageOutputs;

/** Told of each value as it leaves a stage. */
export type Probe = <Name extends StageName>(stage: Name, value: StageOutputs[Name]) => void;

/** A chain of named stages from blocks of samples to anomalies. Subscriptions share no state but the model's. */
export interface Pipeline {
  /** In the order of the signal. */
  readonly stageNames: readonly StageName[];
  /** All stages. */
  run(blocks: Observable<SampleBlock>): Observable<AnomalyChange>;
  /** The stages up to and with the one of a name. @throws RangeError when this pipeline has none of it */
  upTo<Name extends StageName>(name: Name): OperatorFunction<SampleBlock, StageOutputs[Name]>;
  /** The same pipeline with an eye behind each stage. */
  watched(probe: Probe): Pipeline;
}

interface Stage {
  readonly name: StageName;
  readonly operator: OperatorFunction<unknown, unknown>;
}

/** A pipeline while it is being put together: each stage takes what the one before gives. */
export class Stages<Out> {
  readonly #stages: readonly Stage[];

  constructor(stages: readonly Stage[]) {
    this.#stages = stages;
  }

  /** Add a stage behind the last. */
  stage<Name extends StageName>(
    name: Name,
    operator: OperatorFunction<Out, StageOutputs[Name]>,
  ): Stages<StageOutputs[Name]> {
    return new Stages([...this.#stages, { name, operator: operator as OperatorFunction<unknown, unknown> }]);
  }

  /**
   * The finished pipeline; its last stage must decide.
   * @param beside what else makes changes of the blocks of the first stage
   */
  end(this: Stages<AnomalyChange>, beside?: OperatorFunction<SampleBlock, AnomalyChange>): Pipeline {
    return pipelineOf(this.#stages, beside);
  }
}

/** Begin a pipeline with its first stage. */
export const begin = <Name extends StageName>(
  name: Name,
  operator: OperatorFunction<SampleBlock, StageOutputs[Name]>,
): Stages<StageOutputs[Name]> => new Stages<SampleBlock>([]).stage(name, operator);

const pipelineOf = (stages: readonly Stage[], beside?: OperatorFunction<SampleBlock, AnomalyChange>): Pipeline => {
  const through = (some: readonly Stage[]) => (blocks: Observable<unknown>) =>
    some.reduce((signal, { operator }) => signal.pipe(operator), blocks);
  const decided = (blocks: Observable<SampleBlock>): Observable<AnomalyChange> => {
    if (beside === undefined) return through(stages)(blocks) as Observable<AnomalyChange>;
    const arrived = through(stages.slice(0, 1))(blocks) as Observable<SampleBlock>;
    const rest = through(stages.slice(1)) as OperatorFunction<SampleBlock, AnomalyChange>;
    return arrived.pipe(connect((shared) => merge(shared.pipe(beside), shared.pipe(rest))));
  };
  return {
    stageNames: stages.map(({ name }) => name),
    run: decided,
    upTo: <Name extends StageName>(name: Name) => {
      const last = stages.findIndex((stage) => stage.name === name);
      if (last < 0) {
        throw new RangeError(`name: expected a stage out of ${stages.map((s) => s.name).join(", ")}, got ${name}`);
      }
      return through(stages.slice(0, last + 1)) as OperatorFunction<SampleBlock, StageOutputs[Name]>;
    },
    watched: (probe) =>
      pipelineOf(
        stages.map(({ name, operator }) => ({
          name,
          operator: (signal) =>
            signal.pipe(
              operator,
              tap((value) => probe(name, value as StageOutputs[typeof name])),
            ),
        })),
        beside,
      ),
  };
};
