// The workers of a service, with the curve of their memory: the last hour as grayd knows it, or until that has come
// what the page has seen.
import { useSignal } from '@preact/signals';
import { ask } from './api';
import { pathOf } from './curve';
import * as format from './format';
import type { Service, Worker } from './picture';
import { usePoll } from './poll';
import { Sign } from './signs';
import { history, rowsSeen } from './store';

interface Memory {
  versions: { service: string; workers: { id: string; samples: { age_s: number; bytes: number }[] }[] }[];
}

interface Samples {
  times: number[];
  bytes: number[];
}

const [width, height] = [96, 18];

function Curve({ samples }: { samples: Samples }) {
  const { times, bytes } = samples;
  if (times.length < 2) return null;
  const [low, high] = [Math.min(...bytes), Math.max(...bytes)];
  const span = times[times.length - 1] - times[0];
  const label = `${format.mebibytes(low)} to ${format.mebibytes(high)} MiB in ${format.elapsed(span)}`;
  return (
    <svg class="curve" viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={label}>
      <title>{label}</title>
      <path d={pathOf(times, bytes, width, height)} />
    </svg>
  );
}

/** Samples of the last hour, and the memory now at the end. */
function samplesOf(worker: Worker, known: Map<string, Samples>): Samples {
  const hour = known.get(worker.id);
  if (hour && hour.times.length > 1) return hour;
  const ring = history.ofWorker(worker.id);
  return ring ? { times: ring.column(0), bytes: ring.column(1) } : { times: [], bytes: [] };
}

function useHour(service: string): Map<string, Samples> {
  const known = useSignal(new Map<string, Samples>());
  usePoll(
    async () => {
      const { body } = await ask<Memory>('memory', { of: 'workers' });
      if (!body) return;
      const next = new Map<string, Samples>();
      for (const version of body.versions.filter((one) => one.service === service)) {
        for (const { id, samples } of version.workers) {
          const rising = [...samples].sort((a, b) => b.age_s - a.age_s);
          next.set(id, { times: rising.map((one) => -one.age_s), bytes: rising.map((one) => one.bytes) });
        }
      }
      known.value = next;
    },
    30_000,
    5_000,
    [service],
  );
  return known.value;
}

function Line({ version, worker, known }: { version: string; worker: Worker; known: Map<string, Samples> }) {
  const memory = Math.max(worker.memory_bytes, worker.rss_bytes);
  return (
    <tr>
      <th scope="row" class="text">{worker.id}</th>
      <td class="text rank3">{version}</td>
      <td class="text">
        <Sign word={worker.state} />
      </td>
      <td>{worker.pid || format.none}</td>
      <td class="text rank3">{worker.address || format.none}</td>
      <td class="text rank3">{worker.ready_by || format.none}</td>
      <td class="rank3">{worker.sockets}</td>
      <td>{format.mebibytes(memory)}</td>
      <td class="text rank2">
        <Curve samples={samplesOf(worker, known)} />
      </td>
      <td>{worker.restarts}</td>
      <td class="rank2">{worker.pid ? format.elapsed(worker.uptime_s) : format.none}</td>
      <td class="text rank2">{worker.last_exit || format.none}</td>
    </tr>
  );
}

const heads: [title: string, unit: string, kind: string][] = [
  ['Worker', '', 'text'], ['Version', '', 'text rank3'], ['State', '', 'text'], ['Pid', '', ''],
  ['Address', '', 'text rank3'], ['Ready', 'reported by', 'text rank3'], ['Sockets', 'open', 'rank3'],
  ['Memory', 'MiB', ''], ['Curve', 'of memory', 'text rank2'], ['Restarts', '\u00a0', ''], ['Up', '', 'rank2'],
  ['Last exit', '', 'text rank2'],
];

export function Workers({ service }: { service: Service }) {
  const known = useHour(service.name);
  void rowsSeen.value; // the rings change with it
  return (
    <section aria-labelledby="workers">
      <h3 id="workers">Workers</h3>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="workers">
        <table class="list">
          <thead>
            <tr>
              {heads.map(([title, unit, kind]) => (
                <th key={title} scope="col" class={kind}>
                  {title}
                  <small>{unit || '\u00a0'}</small>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {service.versions.flatMap((version) =>
              version.workers.map((worker) => (
                <Line key={worker.id} version={version.name} worker={worker} known={known} />
              )),
            )}
          </tbody>
        </table>
      </div>
    </section>
  );
}
