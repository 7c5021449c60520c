// Loaded into pkg before its own code, to mend two things in what it makes.
import promises from "node:fs/promises";

const { copyFile, mkdtemp } = promises;

// It notes the path of its temporary folder, which has a random name, in the binary. From inside that folder the path is
// ".", whatever its name.
promises.mkdtemp = async (prefix, options) => {
  process.chdir(await mkdtemp(prefix, options));
  return ".";
};

// What it runs before our code asks for the home, and dies where a user has none: for a cache of addons among its files,
// of which we have none.
const home = 'path.join(homedir(), ".cache")';
promises.copyFile = async (from, to, mode) => {
  if (!String(from).endsWith("/sea-bootstrap.bundle.js")) return copyFile(from, to, mode);
  const pieces = (await promises.readFile(from, "utf8")).split(home);
  if (pieces.length !== 3)
    throw new Error(`pkg: expected ${home} twice in its bootstrap, got it ${pieces.length - 1} times`);
  await promises.writeFile(to, pieces.join('"/nonexistent"'));
};
