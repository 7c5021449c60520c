/** A request that asks for what there is not. */
export class RequestError extends Error {}

/** The arguments of a request, checked as they are read. */
export class Arguments {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(fields: Readonly<Record<string, unknown>>) {
    this.#fields = fields;
  }

  /** A text that must be there. @throws RequestError */
  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined) throw new RequestError(`${name}: expected a text, got nothing`);
    return value;
  }

  /** A text, or undefined where there is none. @throws RequestError */
  optionalText(name: string): string | undefined {
    const value = this.#fields[name] ?? undefined;
    if (value === undefined || (typeof value === "string" && value.length >= 1 && value.length <= 256)) return value;
    throw new RequestError(`${name}: expected a text of 1 … 256 letters, got ${shown(value)}`);
  }

  /** Bytes in base64 that must be there. @throws RequestError */
  base64(name: string): Uint8Array {
    const value = this.#fields[name];
    if (typeof value === "string" && value.length > 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
      return new Uint8Array(Buffer.from(value, "base64"));
    }
    throw new RequestError(`${name}: expected bytes in base64, got ${shown(value).slice(0, 20)}`);
  }

  /** One of some words, or undefined where there is none. @throws RequestError */
  oneOf<const Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const value = this.optionalText(name);
    if (value === undefined) return undefined;
    const word = words.find((w) => w === value);
    if (word === undefined) throw new RequestError(`${name}: expected one of ${words.join(", ")}, got ${shown(value)}`);
    return word;
  }

  /** A number in a range, or undefined where there is none. @throws RequestError */
  number(name: string, { min, max }: { readonly min: number; readonly max: number }): number | undefined {
    const value = this.#fields[name] ?? undefined;
    if (value === undefined || (typeof value === "number" && value >= min && value <= max)) return value;
    throw new RequestError(`${name}: expected a number ${min} … ${max}, got ${shown(value)}`);
  }

  /** A time as ns since 1970 from ISO 8601, or undefined where there is none. @throws RequestError */
  timeNs(name: string): bigint | undefined {
    const text = this.optionalText(name);
    if (text === undefined) return undefined;
    const ms = Date.parse(text);
    if (Number.isNaN(ms)) throw new RequestError(`${name}: expected a time of ISO 8601, got ${shown(text)}`);
    return BigInt(ms) * 1_000_000n;
  }
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? "nothing").slice(0, 60);
