/** All benchmarks, one after the other: ratios within one run. `npm run bench -- crossbar` runs one. */
const names = ["crossbar", "ds-cnn", "float-kernel", "hardware-aware", "in-situ", "training", "wires"];
const asked = process.argv.slice(2);
for (const name of asked.length > 0 ? asked : names) {
  if (!names.includes(name)) throw new RangeError(`bench: expected one of ${names.join(", ")}, got ${name}`);
  process.stdout.write(`\n${name}\n`);
  const { run } = (await import(`./${name}.ts`)) as { run(): void | Promise<void> };
  await run();
}
