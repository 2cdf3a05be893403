// What the page remembers: for each version its figures of the last 15 minutes, one row a second, and for each worker
// its memory, one row each 5 s. Names that a picture no longer has are forgotten, so memory is bounded by what grayd
// runs. A row of NaN stands where the stream was lost, so that no line is drawn across. Pure: time is that of pictures.
import type { Picture, Version } from './picture';
import { Ring } from './ring';
import { rowsOf, type Row } from './rows';

export const spanSeconds = 900;
const workerEvery = 5;

export const field = { time: 0, weight: 1, errors: 2, p50: 3, p95: 4, p99: 5 } as const;
const width = 6;

function rowOf(time: number, row: Row): number[] {
  const { p50, p95, p99 } = row;
  const silent = row.minuteRate === 0;
  const ms = (value: number | undefined) => (silent || value === undefined ? NaN : value);
  return [time, row.weight, silent && row.rate === 0 ? NaN : row.errorRatio, ms(p50), ms(p95), ms(p99)];
}

export function versionKey(service: string, version: string): string {
  return `${service}\n${version}`;
}

export class History {
  private readonly versions = new Map<string, Ring>();
  private readonly workers = new Map<string, Ring>();
  private last = -Infinity; // seconds of the last row
  private lastWorkers = -Infinity;
  private broken = false;

  /** True if the picture gave new rows. */
  take(picture: Picture): boolean {
    const time = picture.time_ms / 1000;
    if (time < this.last) this.clear(); // the clock of grayd went back
    if (time - this.last < 0.95) return false;
    const gap = this.broken && this.last > 0;
    const rows = rowsOf(picture);
    const names = new Set(rows.map((row) => versionKey(row.service, row.name)));
    for (const name of this.versions.keys()) if (!names.has(name)) this.versions.delete(name);
    for (const row of rows) {
      const ring = this.ringOf(this.versions, versionKey(row.service, row.name), width, spanSeconds);
      if (gap && ring.length) ring.push([this.last + 0.5, NaN, NaN, NaN, NaN, NaN]);
      ring.push(rowOf(time, row));
    }
    this.last = time;
    this.broken = false;
    if (time - this.lastWorkers >= workerEvery - 0.05) this.takeWorkers(picture, time);
    return true;
  }

  /** The stream was lost: the next row begins a new line. */
  interrupt(): void {
    this.broken = true;
  }

  of(service: string, version: string): Ring | undefined {
    return this.versions.get(versionKey(service, version));
  }

  /** Memory of a worker: columns time and bytes. */
  ofWorker(id: string): Ring | undefined {
    return this.workers.get(id);
  }

  private takeWorkers(picture: Picture, time: number): void {
    const all = picture.status.services.flatMap((service) => service.versions.flatMap((one: Version) => one.workers));
    const ids = new Set(all.map((worker) => worker.id));
    for (const id of this.workers.keys()) if (!ids.has(id)) this.workers.delete(id);
    for (const worker of all) {
      this.ringOf(this.workers, worker.id, 2, spanSeconds / workerEvery).push([
        time,
        Math.max(worker.memory_bytes, worker.rss_bytes),
      ]);
    }
    this.lastWorkers = time;
  }

  private ringOf(rings: Map<string, Ring>, name: string, columns: number, capacity: number): Ring {
    const found = rings.get(name) ?? new Ring(columns, capacity);
    rings.set(name, found);
    return found;
  }

  private clear(): void {
    this.versions.clear();
    this.workers.clear();
    this.last = this.lastWorkers = -Infinity;
  }
}
