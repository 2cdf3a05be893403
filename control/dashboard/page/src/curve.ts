// A small curve as the path of an SVG, from 0 at the bottom. Pure.

/** Points in a box; the largest value is at its top. */
export function pathOf(times: readonly number[], values: readonly number[], width: number, height: number): string {
  const [first, last] = [times[0], times[times.length - 1]];
  const most = Math.max(...values, 1);
  const span = last - first || 1;
  return values
    .map((value, i) => {
      const x = ((times[i] - first) / span) * width;
      const y = height - 1 - (value / most) * (height - 2);
      return `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}
