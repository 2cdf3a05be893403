import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesBetween } from 'page/announcements';
import { hashOf, placeIn } from 'page/place';
import { picture, version } from './made';

test('the address holds service, filter and order', () => {
  const place = { service: 'a b&c', filter: 'bad shop', order: '-errorRatio' };
  assert.deepEqual(placeIn(hashOf(place)), place);
  assert.deepEqual(placeIn(''), { service: '', filter: '', order: '' });
  assert.equal(hashOf(placeIn('#x=1')), '#');
  assert.equal(placeIn(`#filter=${'x'.repeat(1000)}`).filter.length, 200);
});

test('changes of states and verdicts are announced, figures are not', () => {
  const before = picture([version('v1'), version('v2', { weight: 5 })]);
  const same = picture([version('v1', { requests: 9 }), version('v2', { weight: 25, errors: 3 })]);
  assert.deepEqual(changesBetween(before, same), []);
  const worse = picture([version('v1'), version('v2', { verdict: 'worse' })]);
  assert.deepEqual(changesBetween(before, worse), ['shop v2, judge is worse than stable.']);
  const failed = picture([version('v1'), version('v2', { state: 'failed' })]);
  assert.deepEqual(changesBetween(before, failed), ['shop v2 is failed.']);
});

test('many changes at once are counted', () => {
  const all = (state: string) => picture(Array.from({ length: 9 }, (_, i) => version(`v${i}`, { state })));
  const said = changesBetween(all('serving'), all('failed'));
  assert.deepEqual([said.length, said.at(-1)], [4, '6 more changes.']);
});
