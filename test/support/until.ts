/** Wait for something that is bound to come, giving way to input and output meanwhile. */
export const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};
