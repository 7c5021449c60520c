/** Left out at address 0, so that no valid array has a null pointer: kernels keep constants there. */
const reserved = 128;

/**
 * A piece of WebAssembly memory from which typed arrays are cut, one after the other. All kernels share it:
 * an array is its own pointer (`byteOffset`), so that a call copies nothing. It never grows, because growing
 * would detach every view; `release` gives back all that was cut since a `mark`.
 */
export class Arena {
  readonly memory: WebAssembly.Memory;
  #top = reserved;

  /** @param bytes capacity, rounded up to pages of 64 KiB; untouched pages cost no physical memory */
  constructor(bytes: number) {
    if (!(Number.isSafeInteger(bytes) && bytes > 0 && bytes <= 2 ** 32 - 65536)) {
      throw new RangeError(`bytes: expected an integer in 1 … 4294901760, got ${bytes}`);
    }
    const pages = Math.ceil((bytes + reserved) / 65536);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  }

  float64(length: number): Float64Array {
    return new Float64Array(this.memory.buffer, this.#take(length * 8), length);
  }
  float32(length: number): Float32Array {
    return new Float32Array(this.memory.buffer, this.#take(length * 4), length);
  }
  int32(length: number): Int32Array {
    return new Int32Array(this.memory.buffer, this.#take(length * 4), length);
  }
  int16(length: number): Int16Array {
    return new Int16Array(this.memory.buffer, this.#take(length * 2), length);
  }
  uint8(length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, this.#take(length), length);
  }
  int8(length: number): Int8Array {
    return new Int8Array(this.memory.buffer, this.#take(length), length);
  }

  mark(): number {
    return this.#top;
  }
  release(mark: number): void {
    this.#top = mark;
  }

  /** Zeroed, aligned to 64 bytes. @throws RangeError when the arena is full */
  #take(bytes: number): number {
    const at = this.#top;
    const end = Math.ceil((at + bytes) / 64) * 64;
    if (end > this.memory.buffer.byteLength) {
      throw new RangeError(`arena: expected room for ${bytes} bytes, got ${this.memory.buffer.byteLength - at}`);
    }
    new Uint8Array(this.memory.buffer, at, bytes).fill(0);
    this.#top = end;
    return at;
  }
}
