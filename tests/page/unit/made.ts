// Pictures for the tests: one service with versions of given figures.
import type { Picture, Version } from 'page/picture';

export function version(name: string, change: Partial<Version> = {}): Version {
  return {
    name, weight: 0, configured_weight: 0, state: 'serving', cause: '', instances: 1, requests: 0, errors: 0,
    in_flight: 0, sockets: 0, queue: { waiting: 0, limit: 256 }, verdict: 'none', verdict_text: '', deployed: false,
    removing: false,
    last_minute: { requests_per_second: 10, error_ratio: 0, p50_ms: 5, p99_ms: 20 },
    former: null, restart: null, workers: [], ...change,
  };
}

export function picture(versions: Version[], change: Partial<Picture> = {}): Picture {
  return {
    schema_version: 1, time_ms: 1_000_000, writable: false, events: [], rollouts: [], figures: { versions: [] },
    status: {
      version: '0.1.0', pid: 1, state: 'serving', uptime_s: 1, config_file: 'grayd.toml', config_changed: false,
      table: 1, listen: [], warnings: [], routers: [],
      services: [{ name: 'shop', stable: 'v1', configured_stable: 'v1', undo_to: null, versions }],
    },
    ...change,
  };
}

export function worker(id: string, state = 'healthy', memory = 1024) {
  return {
    id, pid: 7, state, address: '', ready_by: 'ipc', status: '', restarts: 0, last_exit: '', rss_bytes: memory,
    memory_bytes: memory, uptime_s: 1, sockets: 0,
  };
}
