import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../bundle.ts";

/** A piece of software that is inside the binary. */
export interface Component {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly licence: string;
  /** Text of its licence and notices, as it ships them. */
  readonly text: string;
  /** package-url.github.io */
  readonly purl: string;
}

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string; readonly email?: string };
}

/**
 * All that is inside a binary beside our own code.
 * @param packages folders of the npm packages whose code was bundled, from the root
 * @throws where one says no licence
 */
export const componentsOf = (packages: readonly string[], nodeVersion: string): readonly Component[] => [
  {
    name: "node",
    version: nodeVersion,
    licence: "MIT",
    text: readFileSync(join(root, `node_modules/node-linux-${process.arch}/LICENSE`), "utf8"),
    purl: `pkg:generic/node@${nodeVersion}`,
  },
  ...[...packages, ...alwaysInside].map(npmComponent),
  sqlite(),
];

/** What `pkg` puts into a binary that it makes, and what the addon was compiled with. */
const alwaysInside = ["node_modules/@yao-pkg/pkg", "node_modules/@roberts_lando/vfs", "node_modules/node-addon-api"];

const npmComponent = (folder: string): Component => {
  const json = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as PackageJson;
  const { name, version, license: licence } = json;
  if (licence === undefined) throw new Error(`${folder}: expected a licence in its package.json, got none`);
  const files = readdirSync(join(root, folder)).filter((file) => /^(licen[cs]e|copying|notice)(\.|$)/i.test(file));
  const texts = files.sort().map((file) => readFileSync(join(root, folder, file), "utf8").trim());
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  return { name, version, licence, text: texts.join("\n\n") || textFor(json), purl };
};

/** A package that ships no licence text: the text of the licence that its `package.json` names, with its author. */
const textFor = ({ name, author, license }: PackageJson): string => {
  const holder = typeof author === "string" ? author : author && `${author.name} <${author.email}>`;
  if (license !== "MIT" || holder === undefined) {
    throw new Error(`${name}: expected a licence text, or MIT and an author, got ${license} and ${holder}`);
  }
  const [, terms] = readFileSync(join(root, "LICENSE"), "utf8").split(/^Copyright .*$/m);
  return `The MIT License\n\nCopyright ${holder}${terms!.trimEnd()}`;
};

const sqlite = (): Component => {
  const header = readFileSync(join(root, "node_modules/better-sqlite3/deps/sqlite3/sqlite3.h"), "utf8");
  const version = /^#define SQLITE_VERSION +"([\d.]+)"$/m.exec(header)?.[1];
  if (version === undefined) throw new Error("better-sqlite3: expected SQLite's version in its sqlite3.h, got none");
  return {
    name: "sqlite",
    version,
    licence: "blessing",
    text: `The author disclaims copyright to this source code. In place of a legal notice, here is a blessing:

   May you do good and not evil.
   May you find forgiveness for yourself and forgive others.
   May you share freely, never taking more than you give.`,
    purl: `pkg:generic/sqlite@${version}`,
  };
};

/** Every licence in one text: ours, then the components'; packages with the same text share it. */
export const licencesText = (components: readonly Component[]): string => {
  const byText = new Map<string, Component[]>();
  for (const component of components) byText.set(component.text, [...(byText.get(component.text) ?? []), component]);
  const parts = [...byText].map(([text, [...same]]) => {
    const heads = same.map(({ name, version, licence }) => `${name} ${version} (${licence})`);
    return `${"-".repeat(78)}\n${heads.join("\n")}\n\n${text}\n`;
  });
  return `Ohmwatch\n\n${readFileSync(join(root, "LICENSE"), "utf8")}\n${parts.join("\n")}`;
};
