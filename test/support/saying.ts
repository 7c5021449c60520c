/** Say a word, a line, to the process that started this one. */
export const say = (word: string): void => void process.stdout.write(`${word}\n`);

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
