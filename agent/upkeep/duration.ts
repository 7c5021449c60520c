/** A time that a chip has lived, in the unit that fits: `90 s`, `5.0 h`, `12.3 days`, `3.20 years`. */
export const duration = (seconds: number): string => {
  if (seconds < 7200) return `${Math.round(seconds)} s`;
  if (seconds < 172_800) return `${(seconds / 3600).toFixed(1)} h`;
  const days = seconds / 86_400;
  return days < 730 ? `${days.toFixed(1)} days` : `${(days / 365).toFixed(2)} years`;
};
