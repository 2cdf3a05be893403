// The table of all versions of all services.
import { useRef } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import * as format from './format';
import { matches, nextOrder, rowsOf, sorted, type Row } from './rows';
import { hashOf } from './place';
import { picture, place, setPlace, shownName } from './store';
import { Sign } from './signs';

interface Column {
  key: keyof Row;
  title: string;
  unit: string;
  rank: 1 | 2 | 3; // 3 is left out first on a narrow screen
  isText?: boolean;
  cell: (row: Row) => ComponentChildren;
}

const quiet = (row: Row, text: string) => (row.minuteRate === 0 ? format.none : text);

const columns: Column[] = [
  { key: 'name', title: 'Version', unit: '', rank: 1, isText: true, cell: (row) => <VersionName row={row} /> },
  { key: 'state', title: 'State', unit: '', rank: 1, isText: true, cell: (row) => <Sign word={row.state} /> },
  { key: 'up', title: 'Workers', unit: 'up / all', rank: 2, cell: (row) => `${row.up} / ${row.instances}` },
  { key: 'weight', title: 'Users', unit: '%', rank: 1, cell: (row) => format.share(row.weight) },
  { key: 'rate', title: 'Requests', unit: 'per second', rank: 2, cell: (row) => format.number(row.rate) },
  {
    key: 'errorRatio',
    title: 'Errors',
    unit: '% in 10 s',
    rank: 1,
    cell: (row) => (row.rate === 0 ? format.none : format.percent(row.errorRatio)),
  },
  { key: 'p50', title: 'p50', unit: 'ms', rank: 3, cell: (row) => quiet(row, format.milliseconds(row.p50)) },
  { key: 'p95', title: 'p95', unit: 'ms', rank: 3, cell: (row) => quiet(row, format.milliseconds(row.p95)) },
  { key: 'p99', title: 'p99', unit: 'ms', rank: 1, cell: (row) => quiet(row, format.milliseconds(row.p99)) },
  { key: 'inFlight', title: 'In flight', unit: 'requests', rank: 3, cell: (row) => format.grouped(row.inFlight) },
  { key: 'waiting', title: 'Waiting', unit: 'requests', rank: 3, cell: (row) => format.grouped(row.waiting) },
  { key: 'sockets', title: 'Sockets', unit: 'to workers', rank: 3, cell: (row) => format.grouped(row.sockets) },
  { key: 'memory', title: 'Memory', unit: 'MiB', rank: 2, cell: (row) => format.mebibytes(row.memory) },
  {
    key: 'verdict',
    title: 'Verdict',
    unit: 'of the judge',
    rank: 2,
    isText: true,
    cell: (row) => (row.verdict === 'none' ? <span class="faint">{format.none}</span> : <Sign word={row.verdict} />),
  },
];

function VersionName({ row }: { row: Row }) {
  return (
    <>
      <b>{row.name}</b> {row.stable && <small class="faint">stable</small>}
    </>
  );
}

function Head({ column }: { column: Pick<Column, 'key' | 'title' | 'unit' | 'isText' | 'rank'> }) {
  const order = place.value.order;
  const sort = order === column.key ? 'ascending' : order === `-${column.key}` ? 'descending' : undefined;
  const press = () => setPlace({ order: nextOrder(order, column.key, column.isText === true) }, true);
  return (
    <th scope="col" class={`rank${column.rank} ${column.isText ? 'text' : ''}`} aria-sort={sort}>
      <button type="button" onClick={press}>
        {column.title}
        <span class="arrow" aria-hidden="true">{sort === 'ascending' ? ' ↑' : sort ? ' ↓' : ''}</span>
        <small>{column.unit || '\u00a0'}</small>
      </button>
    </th>
  );
}

function Line({ row, shownColumns }: { row: Row; shownColumns: Column[] }) {
  const selected = row.service === shownName.value;
  const reason = row.bad ? row.reason || 'bad' : '';
  return (
    <>
      <tr class={`${row.bad ? 'bad' : ''} ${selected ? 'selected' : ''}`}>
        <th scope="row" class="text">
          <a href={hashOf({ ...place.value, service: row.service })} aria-current={selected ? 'true' : undefined}>
            {row.service}
          </a>
        </th>
        {shownColumns.map((column) => (
          <td key={column.key} class={`rank${column.rank} ${column.isText ? 'text' : ''}`}>
            {column.cell(row)}
          </td>
        ))}
      </tr>
      {reason && (
        <tr class={`reason ${selected ? 'selected' : ''}`}>
          <td colSpan={shownColumns.length + 1}>
            <span class="sign bad">bad: {reason}</span>
          </td>
        </tr>
      )}
    </>
  );
}

function Filter({ found, all }: { found: number; all: number }) {
  const box = useRef<HTMLInputElement>(null);
  const filter = place.value.filter;
  return (
    <div class="filter">
      <label for="filter">Filter</label>
      <input
        id="filter"
        ref={box}
        type="search"
        value={filter}
        autocomplete="off"
        placeholder="name, state, bad, stable"
        onInput={(event) => setPlace({ filter: event.currentTarget.value }, true)}
        onKeyDown={(event) => event.key === 'Escape' && setPlace({ filter: '' }, true)}
      />
      <span class="faint">
        {filter ? `${found} of ${format.plural(all, 'version')}` : format.plural(all, 'version')}
      </span>
    </div>
  );
}

export function Overview() {
  const all = rowsOf(picture.value!);
  const { filter, order } = place.value;
  const rows = sorted(all.filter((row) => matches(row, filter)), order);
  const shownColumns = columns.filter((column) => column.key !== 'p95' || all.some((row) => row.p95 !== undefined));
  return (
    <section aria-labelledby="versions">
      <div class="title">
        <h2 id="versions">Versions</h2>
        <Filter found={rows.length} all={all.length} />
      </div>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="versions">
        <table class="overview">
          <thead>
            <tr>
              <Head column={{ key: 'service', title: 'Service', unit: '', isText: true, rank: 1 }} />
              {shownColumns.map((column) => (
                <Head key={column.key} column={column} />
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Line key={`${row.service}\n${row.name}`} row={row} shownColumns={shownColumns} />
            ))}
          </tbody>
        </table>
        {!rows.length && <Nothing all={all.length} />}
      </div>
    </section>
  );
}

function Nothing({ all }: { all: number }) {
  if (all) {
    return (
      <p>
        No version matches the filter.{' '}
        <button type="button" class="small" onClick={() => setPlace({ filter: '' }, true)}>
          Show all
        </button>
      </p>
    );
  }
  return (
    <p>
      No service is configured. Add one to <code>{picture.value!.status.config_file}</code>, then{' '}
      <code>grayctl reload</code>.
    </p>
  );
}
