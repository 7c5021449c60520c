/** Benchmarks of speed, one after the other: ratios within one run. `npm run bench -- crossbar` runs one. */
const speed = ["crossbar", "ds-cnn", "float-kernel", "keywords-stream", "programming", "training", "wires"];
/** Of accuracy: they train for minutes, on recordings, and run when they are asked for. */
const accuracy = ["hardware-aware", "hardware-aware-zoo", "in-situ"];
/** Beside other programs, on a broker, and what a day writes: minutes, and a machine that is quiet. */
const besides = ["load", "writes", "upkeep-latency"];
const asked = process.argv.slice(2);
for (const name of asked.length > 0 ? asked : speed) {
  const names = [...speed, ...accuracy, ...besides];
  if (!names.includes(name)) throw new RangeError(`bench: expected one of ${names.join(", ")}, got ${name}`);
  process.stdout.write(`\n${name}\n`);
  const { run } = (await import(`./${name}.ts`)) as { run(): void | Promise<void> };
  await run();
}
