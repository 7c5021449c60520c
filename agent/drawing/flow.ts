export interface Placed<T> {
  readonly item: T;
  readonly x: number;
  readonly y: number;
}

interface Line {
  readonly y: number;
  used: number;
  height: number;
}

/**
 * Put boxes in lines from left to right, in order. One that is too wide for what is left of its line goes to the end of
 * the line before, if it fits there without making that higher, else to a new line.
 *
 * @returns where each stands, in the order given, and the height of all lines
 */
export const flow = <T>(
  items: readonly { readonly item: T; readonly width: number; readonly height: number }[],
  lineWidth: number,
  gap: { readonly x: number; readonly y: number },
): { readonly placed: readonly Placed<T>[]; readonly height: number } => {
  const placed: Placed<T>[] = [];
  let before: Line | undefined;
  let current: Line = { y: 0, used: 0, height: 0 };
  for (const { item, width, height } of items) {
    const hasRoom = (line: Line) => line.used === 0 || line.used + gap.x + width <= lineWidth;
    let line = current;
    if (!hasRoom(current)) {
      if (before && height <= before.height && hasRoom(before)) line = before;
      else {
        before = current;
        current = { y: current.y + current.height + gap.y, used: 0, height: 0 };
        line = current;
      }
    }
    const x = line.used === 0 ? 0 : line.used + gap.x;
    placed.push({ item, x, y: line.y });
    line.used = x + width;
    line.height = Math.max(line.height, height);
  }
  return { placed, height: current.y + current.height };
};
