import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { version } from "../../agent/version.ts";
import { type Architecture, architectures, debianName } from "../../tools/package/node-base.ts";
import { hasProgram, packaged, runWords } from "../support/packaged.ts";

const debOf = (architecture: Architecture): string =>
  join(packaged ?? "", `ohmwatch_${version()}_${debianName[architecture]}.deb`);
const field = (name: string, architecture: Architecture): string =>
  execFileSync("dpkg-deb", ["-f", debOf(architecture), name], { encoding: "utf8" }).trim();
const own = process.arch as Architecture;
const folder = mkdtempSync(join(tmpdir(), "ohmwatch-debian-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(packaged === undefined)("The Debian packages (skipped without OHMWATCH_PACKAGED)", () => {
  it.each(architectures)("is for its architecture, and holds no more than 45 MB: %s", (architecture) => {
    expect(field("Architecture", architecture)).toBe(debianName[architecture]);
    expect(field("Version", architecture)).toBe(version());
    expect(readFileSync(debOf(architecture)).length).toBeLessThanOrEqual(45e6);
    const list = execFileSync("dpkg-deb", ["-c", debOf(architecture)], { encoding: "utf8" });
    for (const path of [
      "usr/bin/ohmwatch",
      "etc/ohmwatch/ohmwatch.yaml",
      "usr/lib/systemd/system/ohmwatch.service",
      "usr/lib/sysusers.d/ohmwatch.conf",
      "usr/share/man/man1/ohmwatch.1.gz",
      "usr/share/doc/ohmwatch/copyright",
    ]) {
      expect(list).toMatch(new RegExp(`root/root .* \\./${path}\n`));
    }
  });

  it.skipIf(!hasProgram("lintian", "--version"))(
    "has no error in lintian's eyes (skipped without lintian)",
    async () => {
      const { code, stdout } = await runWords(["lintian", "--fail-on", "error", debOf(own)], {
        PATH: "/usr/bin:/bin",
        LANG: "C.UTF-8",
      });
      expect(stdout.split("\n").filter((line) => line.startsWith("E:"))).toEqual([]);
      expect(code).toBe(0);
    },
  );

  describe("unpacked", () => {
    const at = (path: string): string => join(folder, "tree", path);
    beforeAll(() => void execFileSync("dpkg-deb", ["-x", debOf(own), join(folder, "tree")]));

    it.skipIf(!hasProgram("systemd-analyze", "--version"))(
      "has a unit that systemd understands and finds little exposed",
      async () => {
        mkdirSync(at("etc/systemd/system"), { recursive: true });
        const unit = at("usr/lib/systemd/system/ohmwatch.service");
        const { stdout } = await runWords(["systemd-analyze", "security", "--offline=true", "--no-pager", unit], {
          PATH: "/usr/bin:/bin",
        });
        const exposure = /Overall exposure level for ohmwatch\.service: (\d+\.\d)/.exec(stdout)?.[1];
        expect(Number(exposure)).toBeLessThanOrEqual(3);
        const text = readFileSync(unit, "utf8");
        expect(text).not.toMatch(/^MemoryDenyWriteExecute=/m);
        const [seconds] = /(?<=^WatchdogSec=)\d+/m.exec(text)!;
        expect(Number(seconds)).toBeGreaterThan(0);
      },
    );

    it.skipIf(!hasProgram("systemd-analyze", "--version"))("has a unit without a mistake", async () => {
      const text = readFileSync(at("usr/lib/systemd/system/ohmwatch.service"), "utf8");
      const file = join(folder, "ohmwatch.service");
      writeFileSync(file, text.replaceAll("/usr/bin/ohmwatch", at("usr/bin/ohmwatch")));
      const { code, stderr } = await runWords(["systemd-analyze", "verify", "--man=no", file], {
        PATH: "/usr/bin:/bin",
      });
      expect(stderr.split("\n").filter((line) => line.includes("ohmwatch.service"))).toEqual([]);
      expect(code).toBe(0);
    });

    it("has a configuration that holds", async () => {
      const { code, stderr } = await runWords([
        at("usr/bin/ohmwatch"),
        "config",
        "check",
        at("etc/ohmwatch/ohmwatch.yaml"),
      ]);
      expect(stderr).toMatch(/: no mistake, 1 stream\n$/);
      expect(code).toBe(0);
      expect(readFileSync(at("etc/ohmwatch/ohmwatch.yaml"), "utf8")).toMatch(
        /^ +directory: "\$\{STATE_DIRECTORY:-\/var\/lib\/ohmwatch\}"$/m,
      );
    });

    it.skipIf(!hasProgram("man", "--version"))(
      "has a manual page that man reads without a warning, with each command",
      async () => {
        const { code, stdout, stderr } = await runWords(
          ["man", "--warnings", "-l", at("usr/share/man/man1/ohmwatch.1.gz")],
          { PATH: "/usr/bin:/bin", LANG: "C.UTF-8", MANWIDTH: "100" },
        );
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        for (const command of ["run", "demo", "classify", "anomalies list", "self-test"])
          expect(stdout).toContain(`ohmwatch ${command}`);
      },
    );

    it("completes commands and options in bash", async () => {
      const complete = async (...words: readonly string[]): Promise<string[]> => {
        const script = `source ${at("usr/share/bash-completion/completions/ohmwatch")}
          COMP_WORDS=(ohmwatch ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}
          _ohmwatch; printf '%s\\n' "\${COMPREPLY[@]}"`;
        const { stdout } = await runWords(["bash", "-c", script], { PATH: "/usr/bin:/bin" });
        return stdout.trim().split("\n");
      };
      expect(await complete("cl")).toEqual(["classify"]);
      expect(await complete("anomalies", "")).toEqual(expect.arrayContaining(["list", "show", "export"]));
      expect(await complete("anomalies", "list", "--dat")).toEqual(["--database"]);
      expect(await complete("demo", "--se")).toEqual(["--seconds"]);
    });

    it.each([
      ["zsh", "usr/share/zsh/vendor-completions/_ohmwatch"],
      ["fish", "usr/share/fish/vendor_completions.d/ohmwatch.fish"],
    ])("has completions that %s can read (skipped without it)", (shell, path) => {
      if (!hasProgram(shell, "--version")) return;
      const { status, stderr } = spawnSync(shell, ["-n", at(path)], { encoding: "utf8" });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    });

    it("says the licence of each component", () => {
      const copyright = readFileSync(at("usr/share/doc/ohmwatch/copyright"), "utf8");
      const { components } = JSON.parse(readFileSync(join(packaged!, `ohmwatch-linux-${own}.cdx.json`), "utf8")) as {
        components: { name: string; version: string }[];
      };
      expect(components.length).toBeGreaterThan(40);
      for (const { name, version } of components) expect(copyright).toContain(`\n${name} ${version} (`);
    });
  });

  // In a copy of this machine's own root that is thrown away: dpkg, its scripts and the list of users are the real ones.
  const inCopyOfRoot = (script: string): string[] => [
    ...["unshare", "--mount", "--pid", "--fork", "sh", "-euc"],
    `mount -t tmpfs none ${folder}/copy
     mkdir ${folder}/copy/up ${folder}/copy/work ${folder}/copy/root
     mount -t overlay overlay -o lowerdir=/,upperdir=${folder}/copy/up,workdir=${folder}/copy/work ${folder}/copy/root
     mount -t proc proc ${folder}/copy/root/proc
     mount --bind /dev ${folder}/copy/root/dev
     exec chroot ${folder}/copy/root sh -euc '${script}'`,
  ];
  const canCopy = process.geteuid!() === 0 && hasProgram("unshare", "--mount", "true");

  it.skipIf(!canCopy)(
    "keeps state and configuration through installation, upgrade and removal; a purge leaves nothing (skipped unless root)",
    async () => {
      mkdirSync(join(folder, "copy"));
      const newer = join(folder, "newer.deb");
      execFileSync("sh", [
        "-euc",
        `dpkg-deb -R ${debOf(own)} ${folder}/newer && sed -i "s/^Version: .*/Version: ${version()}+next/" ${folder}/newer/DEBIAN/control && dpkg-deb --root-owner-group -Zgzip -z1 -b ${folder}/newer ${newer} >/dev/null`,
      ]);
      const script = `
      exec 2>&1
      dpkg -i ${debOf(own)} >/dev/null
      getent passwd ohmwatch | cut -d: -f1,6,7
      mkdir -p /var/lib/ohmwatch /var/cache/ohmwatch
      chown ohmwatch:ohmwatch /var/lib/ohmwatch /var/cache/ohmwatch
      chmod 700 /var/cache/ohmwatch
      echo "# of the user" >> /etc/ohmwatch/ohmwatch.yaml
      cd /var/lib/ohmwatch
      as="setpriv --reuid=ohmwatch --regid=ohmwatch --clear-groups env CACHE_DIRECTORY=/var/cache/ohmwatch"
      $as ohmwatch replay ${process.cwd()}/fixtures/ecg/ecg.hea --model ecg-beats --database /var/lib/ohmwatch/ohmwatch.sqlite --json >/dev/null 2>&1
      before=$($as ohmwatch anomalies list --json --database ohmwatch.sqlite | wc -l)
      dpkg -i ${newer} >/dev/null
      dpkg-query -W ohmwatch
      after=$($as ohmwatch anomalies list --json --database ohmwatch.sqlite | wc -l)
      echo "anomalies $before $after"
      dpkg -r ohmwatch >/dev/null
      test ! -e /usr/bin/ohmwatch && ls /var/lib/ohmwatch && tail -n 1 /etc/ohmwatch/ohmwatch.yaml
      test ! -e /var/cache/ohmwatch && echo "no cache"
      dpkg -P ohmwatch >/dev/null 2>&1
      ls -d /var/lib/ohmwatch /etc/ohmwatch 2>/dev/null || echo "nothing left"
    `;
      const { code, stdout, stderr } = await runWords(inCopyOfRoot(script), {
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        LANG: "C.UTF-8",
      });
      const lines = stdout.split("\n").filter((line) => !/^(Creating|Processing)/.test(line));
      expect(code, stdout + stderr).toBe(0);
      expect(lines).toEqual([
        "ohmwatch:/var/lib/ohmwatch:/usr/sbin/nologin",
        `ohmwatch\t${version()}+next`,
        expect.stringMatching(/^anomalies ([1-9]\d*) \1$/),
        "ohmwatch.sqlite",
        "# of the user",
        "no cache",
        "nothing left",
        "",
      ]);
    },
  );
});
