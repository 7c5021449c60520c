import { writeSync } from "node:fs";

/** Say a word, a line, to the process that started this one; waits until it has room for it. */
export const say = (word: string): void => void writeSync(1, `${word}\n`);

/** Say a word whenever a method of a class is called. */
export const saying = <Owner extends object, Name extends keyof Owner>(
  owner: Owner,
  name: Name,
  word: string,
): void => {
  const method = owner[name] as (...rest: unknown[]) => unknown;
  owner[name] = function (this: Owner, ...rest: unknown[]) {
    say(word);
    return method.apply(this, rest);
  } as Owner[Name];
};
