import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { constants, gzipSync } from "node:zlib";
import { program } from "../../agent/cli/program.ts";
import { exampleConfig } from "../../agent/config/example.ts";
import { root } from "../bundle.ts";
import { bashCompletions, fishCompletions, manualPage, zshCompletions } from "./manual.ts";
import { type Architecture, debianName } from "./node-base.ts";

/** What a Debian package is made of. */
export interface DebJob {
  readonly architecture: Architecture;
  readonly version: string;
  /** The program as one file. */
  readonly binary: string;
  /** Text of all licences. */
  readonly licences: string;
  /** Seconds since 1970: the commit's time, which all files get. */
  readonly epochSeconds: number;
  /** Folder of the package, and of what is in between. */
  readonly out: string;
}

/** The configuration that the package brings: the example, with its state where the service may write. */
export const packagedConfig = (): string => {
  const example = exampleConfig();
  const config = example.replace(/^(\s*)# (directory: .*\/var\/lib\/ohmwatch.*)$/m, "$1$2");
  if (config === example) throw new Error("example: expected the setting state.directory, got none");
  return config;
};

/** A Debian package, by dpkg-deb. @returns its file */
export const debPackage = async (job: DebJob): Promise<string> => {
  const { architecture, version, binary, licences, epochSeconds, out } = job;
  const tree = join(out, `.deb-${architecture}`);
  rmSync(tree, { recursive: true, force: true });
  const put = (path: string, content: string | Buffer, mode = 0o644): void => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), content);
    chmodSync(join(tree, path), mode);
  };
  const own = join(root, "tools/package/debian");
  const copy = (from: string, to: string, mode = 0o644): void => {
    mkdirSync(dirname(join(tree, to)), { recursive: true });
    copyFileSync(from, join(tree, to));
    chmodSync(join(tree, to), mode);
  };
  const date = new Date(epochSeconds * 1000);
  const commandLine = await program(undefined);

  copy(binary, "usr/bin/ohmwatch", 0o755);
  copy(join(own, "ohmwatch.service"), "usr/lib/systemd/system/ohmwatch.service");
  copy(join(own, "ohmwatch.sysusers"), "usr/lib/sysusers.d/ohmwatch.conf");
  put("etc/ohmwatch/ohmwatch.yaml", packagedConfig());
  put("usr/share/man/man1/ohmwatch.1.gz", gzip(manualPage(commandLine, version, date.toISOString().slice(0, 10))));
  put("usr/share/bash-completion/completions/ohmwatch", bashCompletions(commandLine));
  put("usr/share/zsh/vendor-completions/_ohmwatch", zshCompletions(commandLine));
  put("usr/share/fish/vendor_completions.d/ohmwatch.fish", fishCompletions(commandLine));
  put("usr/share/doc/ohmwatch/copyright", forDebian(licences));
  copy(join(own, "lintian-overrides"), "usr/share/lintian/overrides/ohmwatch");
  put("usr/share/doc/ohmwatch/changelog.gz", gzip(changelog(version, date)));
  const sizeKib = Math.ceil(bytesBelow(tree) / 1024);
  put("DEBIAN/control", control(architecture, version, sizeKib));
  put("DEBIAN/conffiles", "/etc/ohmwatch/ohmwatch.yaml\n");
  for (const script of ["postinst", "prerm", "postrm"]) copy(join(own, script), `DEBIAN/${script}`, 0o755);

  const file = join(out, `ohmwatch_${version}_${debianName[architecture]}.deb`);
  const settings = ["--root-owner-group", "-Zxz", "-z1", "--threads-max=2"];
  execFileSync("dpkg-deb", [...settings, "--build", tree, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epochSeconds) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  rmSync(tree, { recursive: true });
  return file;
};

const maintainer = "The Ohmwatch authors <ohmwatch@lists.invalid>";

/** libc6 2.28, libstdc++6 8 are what the builds of Node want [nodejs/node BUILDING.md]. */
const control = (architecture: Architecture, version: string, sizeKib: number): string => `Package: ohmwatch
Version: ${version}
Architecture: ${debianName[architecture]}
Maintainer: ${maintainer}
Installed-Size: ${sizeKib}
Depends: libc6 (>= 2.28), libgcc-s1 | libgcc1, libstdc++6 (>= 8), systemd | systemd-standalone-sysusers
Suggests: mosquitto
Section: net
Priority: optional
Description: edge agent with neural networks on a simulated memristive crossbar
 Ohmwatch listens to sensor, ECG and audio streams on MQTT, classifies them with
 neural networks on a simulated memristive crossbar, and logs anomalies in a
 local database. It needs no network but the broker's.
`;

const changelog = (version: string, date: Date): string => `ohmwatch (${version}) unstable; urgency=medium

  * Built from the source tree; see its history.

 -- ${maintainer}  ${date.toUTCString().replace("GMT", "+0000")}
`;

/**
 * Licences as Debian wants them [Debian Policy 12.5]: what every system has in /usr/share/common-licenses is named, not
 * repeated.
 */
const forDebian = (licences: string): string =>
  `${licences.replace(
    / *Apache License\s+Version 2\.0, January 2004[\s\S]*?END OF TERMS AND CONDITIONS/g,
    "Apache License 2.0: /usr/share/common-licenses/Apache-2.0 on Debian systems.",
  )}
${"-".repeat(78)}
The GNU General Public License, where a text above names it as a choice, is in /usr/share/common-licenses/GPL-2 and
/usr/share/common-licenses/GPL-3 on Debian systems.
`;

const gzip = (text: string): Buffer => gzipSync(text, { level: constants.Z_BEST_COMPRESSION });

const bytesBelow = (folder: string): number =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, status) => sum + (status.isFile() ? status.size : 0), 0);
