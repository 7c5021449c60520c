/** How many devices there are, and the pulses that they have had: mean, and the one with most. */
export interface Wear {
  readonly devices: number;
  readonly pulses: { readonly mean: number; readonly most: number };
}

/** The wear of the devices of some tiles, from the pulses that each device has had. */
export const wearOf = (tiles: readonly Uint32Array[]): Wear => {
  let [devices, pulses, most] = [0, 0, 0];
  for (const writes of tiles) {
    for (let d = 0; d < writes.length; d++) {
      const count = writes[d]!;
      if (count > 0) devices++;
      pulses += count;
      most = Math.max(most, count);
    }
  }
  return { devices, pulses: { mean: pulses / Math.max(1, devices), most } };
};
