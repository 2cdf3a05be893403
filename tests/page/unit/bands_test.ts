import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationBand, errorBand, lineOf, placed, weightBand } from 'page/bands';
import { chartData, shownTime, timeMarks } from 'page/chart_data';
import { pathOf } from 'page/curve';
import { History } from 'page/history';
import { picture, version } from './made';

test('durations: from 1, 2 or 5 to 1, 2 or 5, with marks between', () => {
  const band = durationBand([[9.7, 12, NaN], [38.9, 41]]);
  assert.deepEqual([band.from, band.to, band.marks.map((mark) => mark.text)], [5, 50, ['5', '10', '20', '50']]);
  const wide = durationBand([[0.3, 4000]]);
  assert.deepEqual(wide.marks.map((mark) => mark.text), ['1', '10', '100', '1000']);
  assert.equal(durationBand([[NaN]]).marks.length > 1, true);
});

test('errors: at least one percent, at most a hundred', () => {
  assert.deepEqual(errorBand([[0, 0]]).marks.map((mark) => mark.text), ['0', '0.5', '1']);
  assert.deepEqual(errorBand([[0.0791]]).to, 10);
  assert.deepEqual(errorBand([[1]]).to, 100);
});

test('values are placed within their band', () => {
  const band = weightBand();
  assert.deepEqual([placed(band, 0), placed(band, 100), placed(band, 1000)], [band.low, band.high, band.high]);
  assert.deepEqual(lineOf(band, [NaN, 50]), [null, (band.low + band.high) / 2]);
});

test('the columns of all versions are as long as those of the oldest', () => {
  const history = new History();
  for (let i = 0; i < 10; ++i) {
    const versions = i < 6 ? [version('v1')] : [version('v1'), version('v2', { weight: 5 })];
    history.take(picture(versions, { time_ms: 1000 * (100 + i) }));
  }
  const { columns, figures } = chartData(history, 'shop', ['v1', 'v2']);
  assert.deepEqual(columns.map((column) => column.length), new Array(11).fill(10));
  assert.deepEqual(figures[1].weight.slice(4), [NaN, NaN, 5, 5, 5, 5]);
});

test('the time that is shown, and its marks', () => {
  assert.deepEqual(shownTime([1000, 1010], 900), [890, 1010]);
  assert.deepEqual(shownTime([1000, 5000], 900), [4100, 5000]);
  assert.deepEqual(timeMarks(890, 1010, 4), [900, 930, 960, 990]);
  assert.deepEqual(timeMarks(0, 900, 4), [0, 300, 600, 900]);
});

test('a curve rises from 0', () => {
  assert.equal(pathOf([0, 5, 10], [0, 50, 100], 100, 20), 'M0.0 19.0L50.0 10.0L100.0 1.0');
});
