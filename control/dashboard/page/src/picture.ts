// The JSON of /v1/live, as grayd sends it. Fields that the page does not use are left out.

export interface Worker {
  id: string;
  pid: number;
  state: string;
  address: string;
  ready_by: string;
  status: string;
  restarts: number;
  last_exit: string;
  rss_bytes: number;
  memory_bytes: number;
  uptime_s: number;
  sockets: number;
}

export interface Minute {
  requests_per_second: number;
  error_ratio: number;
  p50_ms: number;
  p95_ms?: number;
  p99_ms: number;
}

export interface Version {
  name: string;
  weight: number;
  configured_weight: number;
  state: string;
  cause: string;
  instances: number;
  requests: number;
  errors: number;
  in_flight: number;
  sockets: number;
  queue: { waiting: number; limit: number };
  last_minute: Minute;
  verdict: string;
  verdict_text: string;
  deployed: boolean;
  removing: boolean;
  former: { since: string; warm_until: string | null } | null;
  restart: { state: string; replaced: number; of: number; reason: string } | null;
  workers: Worker[];
}

export interface Service {
  name: string;
  stable: string;
  configured_stable: string;
  undo_to: string | null;
  undo?: { to: string; state: string; text: string } | null; // the last one
  versions: Version[];
}

export interface Warning {
  service: string;
  version: string;
  text: string;
}

export interface Status {
  version: string;
  pid: number;
  admin?: string; // path of the admin socket
  state: string;
  uptime_s: number;
  config_file: string;
  config_changed: boolean;
  table: number;
  listen: string[];
  warnings: Warning[];
  routers: { pid: number; slot: number; state: string; table: number }[];
  services: Service[];
}

/** One version as `grayctl top -o json` has it: rate and errors of the last 10 s, durations of the last minute. */
export interface Figures {
  service: string;
  version: string;
  requests_per_second: number;
  error_ratio: number;
  p50_ms: number;
  p95_ms?: number;
  p99_ms: number;
  memory_bytes: number;
  up: number;
  bad: boolean;
  reason: string;
}

export interface Side {
  requests: number;
  users: number;
  failed: number;
  error_ratio: number;
  p50_ms: number;
  p99_ms: number;
}

export interface Rollout {
  service: string;
  version: string;
  state: string;
  step: number;
  steps: number[];
  weight: number;
  since: string;
  actor: string;
  reason: string;
  hold_s: number;
  verdict: { result: string; metric: string | null; text: string; stable: Side; canary: Side } | null;
}

export interface Event {
  sequence: number;
  time: string;
  kind: string;
  service?: string;
  version?: string;
  worker?: string;
  cause: string;
  text: string;
}

export interface Picture {
  schema_version: number;
  time_ms: number;
  writable: boolean;
  status: Status;
  figures: { versions: Figures[] };
  events: Event[];
  rollouts?: Rollout[]; // absent from older ones: the page then asks for the rollout of the service it shows
}

const running = ['starting', 'stepping', 'holding', 'paused', 'promoting'];

export function isRunning(rollout: Rollout): boolean {
  return running.includes(rollout.state);
}
