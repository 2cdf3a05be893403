import assert from 'node:assert/strict';
import { test } from 'node:test';
import { field, History, spanSeconds } from 'page/history';
import { Ring } from 'page/ring';
import { picture, version, worker } from './made';

test('a ring keeps its newest rows', () => {
  const ring = new Ring(2, 3);
  assert.ok(Number.isNaN(ring.last(0)));
  for (let i = 1; i <= 5; ++i) ring.push([i, 10 * i]);
  assert.deepEqual([ring.length, ring.column(0), ring.column(1), ring.last(1)], [3, [3, 4, 5], [30, 40, 50], 50]);
});

function fed(history: History, from: number, seconds: number, versions = [version('v1')]): void {
  for (let i = 0; i < 2 * seconds; ++i) history.take(picture(versions, { time_ms: 1000 * from + 500 * i }));
}

test('one row a second, at most those of 15 minutes', () => {
  const history = new History();
  fed(history, 1000, 10);
  assert.equal(history.of('shop', 'v1')!.length, 10);
  fed(history, 1010, 2000);
  const ring = history.of('shop', 'v1')!;
  assert.equal(ring.length, spanSeconds);
  assert.equal(ring.last(field.time) - ring.at(field.time, 0), spanSeconds - 1);
});

test('a version that is gone is forgotten, and so are workers', () => {
  const history = new History();
  fed(history, 1000, 6, [version('v1', { workers: [worker('shop@v1#0')] }), version('v2')]);
  assert.equal(history.ofWorker('shop@v1#0')!.length, 2);
  fed(history, 1006, 6, [version('v1')]);
  assert.equal(history.of('shop', 'v2'), undefined);
  assert.equal(history.ofWorker('shop@v1#0'), undefined);
});

test('no line is drawn across a lost stream', () => {
  const history = new History();
  fed(history, 1000, 2);
  history.interrupt();
  fed(history, 1030, 2);
  const ring = history.of('shop', 'v1')!;
  assert.deepEqual(ring.column(field.time), [1000, 1001, 1001.5, 1030, 1031]);
  assert.deepEqual(ring.column(field.weight).map(Number.isNaN), [false, false, true, false, false]);
});

test('a clock that goes back begins anew', () => {
  const history = new History();
  fed(history, 1000, 5);
  fed(history, 500, 3);
  assert.deepEqual(history.of('shop', 'v1')!.column(field.time), [500, 501, 502]);
});

test('a version without requests has no errors and no durations', () => {
  const history = new History();
  const minute = { requests_per_second: 0, error_ratio: 0, p50_ms: 0, p99_ms: 0 };
  fed(history, 1000, 1, [version('v1', { last_minute: minute, weight: 3 })]);
  const ring = history.of('shop', 'v1')!;
  assert.deepEqual([ring.last(field.weight), ring.last(field.errors), ring.last(field.p50)], [3, NaN, NaN]);
});
