// The columns of the chart of one service: time, then the five lines of each version, and the figures behind the lines.
// All rings get their rows at the same moments, so they are aligned at their ends. Pure.
import { durationBand, errorBand, lineOf, weightBand, type Band } from './bands';
import { field, type History } from './history';
import type { Ring } from './ring';

export const lineFields = ['p50', 'p95', 'p99', 'errors', 'weight'] as const;
export type LineField = (typeof lineFields)[number];

export interface ChartData {
  bands: Band[];
  columns: (number | null)[][]; // for uPlot: times, then lineFields of each version
  figures: Record<LineField, number[]>[]; // of each version, by row
}

function aligned(ring: Ring | undefined, column: number, rows: number): number[] {
  const values = ring ? ring.column(column) : [];
  return [...new Array<number>(rows - values.length).fill(NaN), ...values];
}

export function chartData(history: History, service: string, versions: readonly string[]): ChartData {
  const rings = versions.map((version) => history.of(service, version));
  const longest = rings.reduce<Ring | undefined>((a, b) => ((b?.length ?? 0) > (a?.length ?? 0) ? b : a), undefined);
  const rows = longest?.length ?? 0;
  const figures = rings.map((ring) => {
    const one = {} as Record<LineField, number[]>;
    for (const name of lineFields) one[name] = aligned(ring, field[name], rows);
    return one;
  });
  const durations = durationBand(figures.flatMap((one) => [one.p50, one.p95, one.p99]));
  const errors = errorBand(figures.map((one) => one.errors));
  const weights = weightBand();
  const columns: (number | null)[][] = [longest ? longest.column(field.time) : []];
  for (const one of figures) {
    for (const name of ['p50', 'p95', 'p99'] as const) columns.push(lineOf(durations, one[name]));
    columns.push(lineOf(errors, one.errors, 100), lineOf(weights, one.weight));
  }
  return { bands: [durations, errors, weights], columns, figures };
}

/** The part of time that is shown: the last 15 minutes, or since the first row, at least two minutes. */
export function shownTime(times: readonly (number | null)[], span: number): [number, number] {
  const last = times.at(-1) ?? 0;
  const first = times[0] ?? 0;
  return [Math.max(last - span, Math.min(first, last - 120)), last];
}

const timeSteps = [10, 15, 30, 60, 120, 300];

/** Full minutes or parts of them, at most `most`. */
export function timeMarks(from: number, to: number, most: number): number[] {
  const step = timeSteps.find((one) => (to - from) / one <= most) ?? 300;
  const marks: number[] = [];
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) marks.push(time);
  return marks;
}
