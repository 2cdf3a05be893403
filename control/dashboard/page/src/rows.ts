// The table of all versions: rows from a picture, and their filter and order. Pure.
import type { Figures, Picture, Service, Version } from './picture';

export interface Row {
  service: string;
  name: string;
  stable: boolean;
  state: string;
  up: number;
  instances: number;
  weight: number; // percent of the users
  configured: number; // the same in the file
  rate: number; // requests per second, last 10 s
  minuteRate: number;
  errorRatio: number; // last 10 s
  p50: number;
  p95: number | undefined;
  p99: number;
  inFlight: number;
  sockets: number;
  waiting: number;
  memory: number;
  verdict: string;
  bad: boolean;
  reason: string; // why it is bad, or what the judge says
}

const upStates = ['ready', 'healthy'];

function rowOf(service: Service, version: Version, figures: Figures | undefined): Row {
  const minute = version.last_minute;
  const up = version.workers.filter((worker) => upStates.includes(worker.state)).length;
  return {
    service: service.name,
    name: version.name,
    stable: version.name === service.stable,
    state: version.state,
    up,
    instances: Math.max(version.instances, up),
    weight: version.weight,
    configured: version.configured_weight,
    rate: figures?.requests_per_second ?? minute.requests_per_second,
    minuteRate: minute.requests_per_second,
    errorRatio: figures?.error_ratio ?? minute.error_ratio,
    p50: minute.p50_ms,
    p95: minute.p95_ms,
    p99: minute.p99_ms,
    inFlight: version.in_flight,
    sockets: version.sockets,
    waiting: version.queue.waiting,
    memory: version.workers.reduce((sum, worker) => sum + Math.max(worker.memory_bytes, worker.rss_bytes), 0),
    verdict: version.verdict,
    bad: figures?.bad ?? version.state === 'failed',
    reason: reasonOf(version, figures),
  };
}

function reasonOf(version: Version, figures: Figures | undefined): string {
  const reason = figures?.reason ?? version.cause;
  if (version.verdict !== 'worse' || !version.verdict_text) return reason;
  const others = reason.split('; ').filter((one) => one !== 'worse than stable');
  return [`worse than stable: ${version.verdict_text}`, ...others].filter(Boolean).join('; ');
}

export function rowsOf(picture: Picture): Row[] {
  const figures = new Map<string, Figures>();
  for (const one of picture.figures?.versions ?? []) figures.set(`${one.service}\n${one.version}`, one);
  return picture.status.services.flatMap((service) =>
    service.versions.map((version) => rowOf(service, version, figures.get(`${service.name}\n${version.name}`))),
  );
}

/** Every word of the filter is somewhere in the row. "bad" finds the rows that are bad, "ok" the others. */
export function matches(row: Row, filter: string): boolean {
  const text = [row.service, row.name, row.state, row.stable ? 'stable' : '', row.verdict, row.bad ? 'bad' : 'ok'];
  const all = [...text, row.reason].join(' ').toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => (word === 'ok' ? !row.bad : word === 'bad' ? row.bad : all.includes(word)));
}

/** The rows in the order of a column; "-" before its name is falling. Without one: as grayd has them. */
export function sorted(rows: Row[], order: string): Row[] {
  const falling = order.startsWith('-');
  const column = (falling ? order.slice(1) : order) as keyof Row;
  if (!rows.length || !(column in rows[0])) return rows;
  const compare = (a: Row, b: Row) => {
    const [one, other] = [a[column] ?? 0, b[column] ?? 0];
    const less = typeof one === 'string' ? one.localeCompare(String(other), 'en', { numeric: true }) : +one - +other;
    return falling ? -less : less;
  };
  return [...rows].sort(compare);
}

/** The order after a press on the head of a column: falling, rising, as grayd has them. Text rises first. */
export function nextOrder(order: string, column: string, isText: boolean): string {
  const turns = isText ? [column, `-${column}`, ''] : [`-${column}`, column, ''];
  const at = turns.indexOf(order);
  return turns[at < 0 ? 0 : (at + 1) % turns.length];
}
