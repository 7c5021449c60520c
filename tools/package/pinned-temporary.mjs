// Loaded into pkg before its own code. It notes the path of its temporary folder, which has a random name, in the binary.
// From inside that folder the path is ".", whatever its name.
import promises from "node:fs/promises";

const { mkdtemp } = promises;
promises.mkdtemp = async (prefix, options) => {
  process.chdir(await mkdtemp(prefix, options));
  return ".";
};
