import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matches, nextOrder, rowsOf, sorted } from 'page/rows';
import { picture, version, worker } from './made';

const figures = {
  service: 'shop', version: 'v2', requests_per_second: 20, error_ratio: 0.08, p50_ms: 1, p99_ms: 2, memory_bytes: 0,
  up: 1, bad: true, reason: '8% of the requests of the last 10 s failed; worse than stable',
};
const workers = [worker('shop@v1#0'), worker('shop@v1#1', 'unhealthy', 2048)];
const rows = rowsOf(
  picture(
    [
      version('v1', { weight: 80, workers, instances: 2 }),
      version('v2', { weight: 20, verdict: 'worse', verdict_text: '8% against 0% (57 users)' }),
      version('v10', { state: 'failed', cause: 'exec:ENOENT' }),
    ],
    { figures: { versions: [figures] } },
  ),
);

test('rates are those of the last 10 s, or of the last minute', () => {
  assert.deepEqual(rows.map((row) => row.rate), [10, 20, 10]);
  assert.deepEqual(rows.map((row) => row.errorRatio), [0, 0.08, 0]);
});

test('workers that are up, and the memory of all', () => {
  assert.deepEqual([rows[0].up, rows[0].instances, rows[0].memory], [1, 2, 3072]);
});

test('why a version is bad, with the words of the judge', () => {
  const reason = 'worse than stable: 8% against 0% (57 users); 8% of the requests of the last 10 s failed';
  assert.deepEqual(rows.map((row) => [row.bad, row.reason]), [[false, ''], [true, reason], [true, 'exec:ENOENT']]);
});

test('every word of a filter counts', () => {
  const found = (filter: string) => rows.filter((row) => matches(row, filter)).map((row) => row.name);
  assert.deepEqual(found(''), ['v1', 'v2', 'v10']);
  assert.deepEqual(found('bad'), ['v2', 'v10']);
  assert.deepEqual(found('SHOP ok'), ['v1']);
  assert.deepEqual(found('stable'), ['v1', 'v2']);
  assert.deepEqual(found('enoent'), ['v10']);
});

test('the order of a column', () => {
  const names = (order: string) => sorted(rows, order).map((row) => row.name);
  assert.deepEqual(names('-weight'), ['v1', 'v2', 'v10']);
  assert.deepEqual(names('name'), ['v1', 'v2', 'v10']);
  assert.deepEqual(names('-name'), ['v10', 'v2', 'v1']);
  assert.deepEqual(names('nothing'), ['v1', 'v2', 'v10']);
});

test('presses on a head: figures fall first, texts rise first, the third press ends it', () => {
  assert.deepEqual(['', '-rate', 'rate'].map((order) => nextOrder(order, 'rate', false)), ['-rate', 'rate', '']);
  assert.deepEqual(['', 'name', '-name'].map((order) => nextOrder(order, 'name', true)), ['name', '-name', '']);
  assert.equal(nextOrder('-rate', 'name', true), 'name');
});
