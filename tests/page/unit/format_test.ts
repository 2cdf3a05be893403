import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as format from 'page/format';

test('numbers have three digits', () => {
  const texts = ['0', '0.25', '3.40', '42.1', '120', '12\u202f345'];
  assert.deepEqual([0, 0.254, 3.4, 42.06, 120.4, 12345].map(format.number), texts);
  assert.equal(format.number(NaN), format.none);
});

test('percent lines up; a share is as it was given', () => {
  assert.deepEqual([0, 0.0791, 1, NaN].map(format.percent), ['0.00', '7.91', '100.00', format.none]);
  assert.deepEqual([5, 0.5, 33.333333, 100].map(format.share), ['5', '0.5', '33.333', '100']);
});

test('milliseconds and mebibytes', () => {
  assert.deepEqual([0.25, 9.727, 99.96, 1234].map(format.milliseconds), ['0.3', '9.7', '100.0', '1\u202f234']);
  assert.equal(format.milliseconds(undefined), format.none);
  assert.deepEqual([0, 52563968].map(format.mebibytes), [format.none, '50.1']);
});

test('times', () => {
  assert.deepEqual([8.9, 312, 7260, 273_600].map(format.elapsed), ['8 s', '5 min 12 s', '2 h 1 min', '3 d 4 h']);
  assert.equal(format.elapsed(-3), '0 s');
  assert.equal(format.clock(Date.parse('2026-11-30T22:14:03.4Z')), '22:14:03');
  assert.equal(format.moment('2026-11-30T22:14:03.123Z'), '11-30 22:14:03.123');
});

test('plurals', () => {
  assert.deepEqual([format.plural(1, 'version'), format.plural(2, 'version')], ['1 version', '2 versions']);
});
