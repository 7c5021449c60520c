import type { Command, Option } from "commander";

/*
 * The manual page and the completions of shells, from the command line itself: an option that is added is in all of them.
 */

/** The manual page, as groff reads it. */
export const manualPage = (program: Command, version: string, date: string): string => {
  const heads = [
    `.TH OHMWATCH 1 ${quoted(date)} ${quoted(`Ohmwatch ${version}`)} "User Commands"`,
    ".SH NAME",
    "ohmwatch \\- classify sensor streams with neural networks on a simulated memristive crossbar",
    ".SH SYNOPSIS",
    ".B ohmwatch",
    ".I command",
    ".RI [ options ]",
    ".SH DESCRIPTION",
    plain(program.description()),
    ".SH COMMANDS",
  ];
  const commands = leaves(program).flatMap(({ words, command }) => [
    `.SS ${quoted(`ohmwatch ${words.join(" ")} ${command.usage()}`)}`,
    plain(`${sentence(command.description())}.`),
    ...optionsOf(command).flatMap((option) => [".TP", `.B ${plain(option.flags)}`, plain(sentence(describe(option)))]),
  ]);
  return `${[...heads, ...commands, ...tails].join("\n")}\n`;
};

const tails = [
  ".SH EXIT STATUS",
  ...[
    [0, "done"],
    [1, "a check failed"],
    [2, "wrong use"],
    [65, "bad data or model"],
    [66, "input or model not found"],
    [69, "broker or port not to be had"],
    [70, "a defect of ours"],
    [73, "a file or folder cannot be made"],
    [74, "a file cannot be read or written"],
    [78, "the configuration does not hold"],
    [130, "interrupted"],
  ].flatMap(([code, meaning]) => [".TP", `.B ${code}`, String(meaning)]),
  ".SH FILES",
  ...[
    ["/etc/ohmwatch/ohmwatch.yaml", "configuration of the service"],
    ["/var/lib/ohmwatch/ohmwatch.sqlite", "state of the service: anomalies, outbox"],
    ["/var/cache/ohmwatch", "the SQLite addon, unpacked; may be deleted while the service is stopped"],
  ].flatMap(([file, meaning]) => [".TP", `.I ${file}`, String(meaning)]),
  ".SH ENVIRONMENT",
  ...[
    ["OHMWATCH_CACHE", "folder for the SQLite addon, and no other; it must be private to the user and allow execution"],
    ["OHMWATCH_ZOO", "folder of models in the place of those that come with the program"],
    ["OHMWATCH__SECTION__KEY", "overrides a setting of the configuration"],
    ["NO_COLOR", "no colours"],
  ].flatMap(([name, meaning]) => [".TP", `.B ${name}`, String(meaning)]),
  ".SH SEE ALSO",
  ".BR mosquitto (8),",
  ".BR systemd.service (5)",
];

/** Completions for bash. */
export const bashCompletions = (program: Command): string => {
  const cases = leaves(program).map(
    ({ words, command }) => `    ${quoted(words.join(" "))}) options=${quoted(flagsOf(command).join(" "))} ;;`,
  );
  const groups = program.commands
    .filter(({ commands }) => commands.length > 0)
    .map((group) => `    ${group.name()}) words=${quoted(group.commands.map((c) => c.name()).join(" "))} ;;`);
  return `# Completions of ohmwatch for bash.
_ohmwatch() {
  local current=\${COMP_WORDS[COMP_CWORD]} options= words=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quoted(`${program.commands.map((c) => c.name()).join(" ")} --help --version`)} -- "$current"))
    return
  fi
  case \${COMP_WORDS[1]} in
${groups.join("\n")}
  esac
  if [ -n "$words" ] && [ "$COMP_CWORD" -eq 2 ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}\${words:+ \${COMP_WORDS[2]}}" in
${cases.join("\n")}
  esac
  if [[ $current == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$current"))
  else compopt -o default; fi
}
complete -F _ohmwatch ohmwatch
`;
};

/** Completions for zsh. */
export const zshCompletions = (program: Command): string => {
  const described = (commands: readonly Command[]): string =>
    commands.map((c) => `    ${single(`${c.name()}:${c.description()}`)}`).join("\n");
  const cases = leaves(program).map(({ words, command }) => {
    const options = optionsOf(command).map(
      (option) =>
        `      ${single(`${option.long}[${describe(option).replace(/[[\]]/g, "")}]${takesValue(option) ? ":value:_files" : ""}`)}`,
    );
    return `    ${quoted(words.join(" "))}) _arguments \\\n${[...options, "      '*:file:_files'"].join(" \\\n")} ;;`;
  });
  const groups = program.commands.filter(({ commands }) => commands.length > 0);
  return `#compdef ohmwatch
# Completions of ohmwatch for zsh.
_ohmwatch() {
  local -a commands
  if (( CURRENT == 2 )); then
    commands=(
${described(program.commands)}
    )
    _describe command commands
    return
  fi
  local path=$words[2]
  case $words[2] in
${groups.map((group) => `    ${group.name()}) path="$words[2] $words[3]"; if (( CURRENT == 3 )); then commands=(\n${described(group.commands)}\n    ); _describe command commands; return; fi ;;`).join("\n")}
  esac
  case $path in
${cases.join("\n")}
  esac
}
_ohmwatch "$@"
`;
};

/** Completions for fish. */
export const fishCompletions = (program: Command): string => {
  const lines = program.commands.flatMap((command) => [
    `complete -c ohmwatch -n __fish_use_subcommand -a ${command.name()} -d ${single(command.description())}`,
    ...command.commands.map((inner) => {
      const names = command.commands.map((c) => c.name()).join(" ");
      const when = single(
        `__fish_seen_subcommand_from ${command.name()}; and not __fish_seen_subcommand_from ${names}`,
      );
      return `complete -c ohmwatch -f -n ${when} -a ${inner.name()} -d ${single(inner.description())}`;
    }),
  ]);
  const options = leaves(program).flatMap(({ words, command }) =>
    optionsOf(command).map((option) => {
      const when = words.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
      const long = option.long!.replace(/^--/, "");
      return `complete -c ohmwatch -n ${single(when)} -l ${long} ${takesValue(option) ? "-r " : ""}-d ${single(describe(option))}`;
    }),
  );
  return `# Completions of ohmwatch for fish.\n${[...lines, ...options].join("\n")}\n`;
};

interface Leaf {
  readonly words: readonly string[];
  readonly command: Command;
}

/** Commands that do something, with the words that call them. */
const leaves = (program: Command): readonly Leaf[] =>
  program.commands.flatMap((command) =>
    command.commands.length === 0
      ? [{ words: [command.name()], command }]
      : command.commands.map((inner) => ({ words: [command.name(), inner.name()], command: inner })),
  );

const optionsOf = (command: Command): readonly Option[] =>
  command.options.filter(({ hidden, long }) => !hidden && long);
const flagsOf = (command: Command): readonly string[] => [...optionsOf(command).map(({ long }) => long!), "--help"];
const takesValue = ({ required, optional }: Option): boolean => required || optional;
const describe = ({ description, defaultValue, defaultValueDescription }: Option): string => {
  const text = defaultValueDescription ?? (isNothing(defaultValue) ? undefined : JSON.stringify(defaultValue));
  return text === undefined ? description : `${description} (default ${text})`;
};

const isNothing = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.length === 0);

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const quoted = (text: string): string => `"${text.replaceAll('"', "")}"`;
const single = (text: string): string => `'${text.replaceAll("'", "’")}'`;

/** Text in which groff sees no request and no escape. */
const plain = (text: string): string =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1")
    .replaceAll("\n", " ");
