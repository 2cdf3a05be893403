// What the judge says about the version that has users beside stable: both sides with their figures and counts.
import * as format from './format';
import type { Rollout, Service, Side, Version } from './picture';
import { Sign } from './signs';

type Figure = [title: string, text: (side: Side) => string];

const figures: Figure[] = [
  ['requests', (side) => format.grouped(side.requests)],
  ['users', (side) => format.grouped(side.users)],
  ['failed users', (side) => format.grouped(side.failed)],
  ['errors, % of requests', (side) => format.percent(side.error_ratio)],
  ['p50, ms', (side) => format.milliseconds(side.requests ? side.p50_ms : NaN)],
  ['p99, ms', (side) => format.milliseconds(side.requests ? side.p99_ms : NaN)],
];

/** The last minute of both versions, where no rollout counts samples. */
const minute: [string, (version: Version) => string][] = [
  ['requests, last minute', (one) => format.grouped(Math.round(one.last_minute.requests_per_second * 60))],
  ['errors, % of requests', (one) => format.percent(one.last_minute.error_ratio)],
  ['p50, ms', (one) => format.milliseconds(one.last_minute.p50_ms)],
  ['p99, ms', (one) => format.milliseconds(one.last_minute.p99_ms)],
];

function Sides({ names, rows }: { names: [string, string]; rows: [string, string, string][] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col" class="text">Figure</th>
          <th scope="col">{names[0]} stable</th>
          <th scope="col">{names[1]} canary</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([title, stable, canary]) => (
          <tr key={title}>
            <th scope="row" class="text">{title}</th>
            <td>{stable}</td>
            <td>{canary}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function RolloutVerdict({ service, rollout }: { service: Service; rollout: Rollout }) {
  const verdict = rollout.verdict;
  if (!verdict) return <p>Verdict: none yet.</p>;
  const stable = service.stable === rollout.version ? 'before' : service.stable;
  return (
    <>
      <p>
        Verdict: <Sign word={verdict.result} />
        {verdict.metric && ` by ${verdict.metric}`}
        {verdict.text && verdict.text !== rollout.reason && `: ${verdict.text}`}
      </p>
      <Sides
        names={[stable, rollout.version]}
        rows={figures.map(([title, text]) => [title, text(verdict.stable), text(verdict.canary)])}
      />
    </>
  );
}

export function CanaryVerdict({ stable, canary }: { stable: Version; canary: Version }) {
  return (
    <>
      <p>
        Verdict on {canary.name}: <Sign word={canary.verdict} />
        {canary.verdict_text && `: ${canary.verdict_text}`}
      </p>
      <Sides
        names={[stable.name, canary.name]}
        rows={minute.map(([title, text]) => [title, text(stable), text(canary)])}
      />
    </>
  );
}
