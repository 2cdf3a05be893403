// The chart has three bands over one time axis: durations (a logarithmic scale), errors and users. All lines are drawn
// on one scale from 0 to 1; a band is a part of it. Pure: columns of figures in, lines and marks of the axis out.

export interface Band {
  title: string;
  low: number; // the part of the scale
  high: number;
  from: number; // the values at its ends
  to: number;
  logarithmic: boolean;
  marks: { at: number; text: string }[];
}

const steps = [1, 2, 5];

/** The largest of 1, 2, 5 times a power of ten that is at most `value`; or the smallest that is at least `value`. */
function rounded(value: number, up: boolean): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const all = [...steps.map((step) => step * power), 10 * power];
  if (up) return all.find((one) => one >= value * 0.999999) ?? 10 * power;
  return all.filter((one) => one <= value * 1.000001).pop() ?? power;
}

function text(value: number): string {
  return String(Number(value.toPrecision(3)));
}

export function placed(band: Band, value: number): number {
  const { low, high, from, to } = band;
  const part = band.logarithmic ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
  return low + Math.min(1, Math.max(0, part)) * (high - low);
}

function logarithmicMarks(from: number, to: number): number[] {
  const marks: number[] = [];
  for (let value = from; value <= to * 1.000001; value = rounded(value * 1.01, true)) marks.push(value);
  const tens = marks.filter((value) => Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6));
  return marks.length > 6 && tens.length > 1 ? tens : marks;
}

function extent(columns: readonly number[][]): [number, number] | undefined {
  let [least, most] = [Infinity, -Infinity];
  for (const column of columns) {
    for (const value of column) {
      if (value > 0 && value < least) least = value;
      if (value > most) most = value;
    }
  }
  return most > 0 ? [least, most] : undefined;
}

function withMarks(band: Omit<Band, 'marks'>, values: number[]): Band {
  const full: Band = { ...band, marks: [] };
  full.marks = values.map((value) => ({ at: placed(full, value), text: text(value) }));
  return full;
}

export function durationBand(columns: readonly number[][]): Band {
  const [least, most] = extent(columns) ?? [1, 100];
  const from = rounded(Math.max(least, 0.01), false);
  const to = rounded(Math.max(most * 1.05, from * 2), true);
  const title = 'duration of requests, ms (last minute)';
  return withMarks({ title, low: 0.5, high: 0.95, from, to, logarithmic: true }, logarithmicMarks(from, to));
}

export function errorBand(columns: readonly number[][]): Band {
  const [, most] = extent(columns) ?? [0, 0];
  const to = Math.min(100, rounded(Math.max(100 * most * 1.02, 1), true));
  const title = 'errors, % of requests (last 10 s)';
  return withMarks({ title, low: 0.24, high: 0.42, from: 0, to, logarithmic: false }, [0, to / 2, to]);
}

export function weightBand(): Band {
  return withMarks(
    { title: 'users, % (weight)', low: 0, high: 0.16, from: 0, to: 100, logarithmic: false },
    [0, 50, 100],
  );
}

/** A column as a line of the band; null where there is no figure. */
export function lineOf(band: Band, column: readonly number[], factor = 1): (number | null)[] {
  return column.map((value) => (Number.isNaN(value) ? null : placed(band, value * factor)));
}
