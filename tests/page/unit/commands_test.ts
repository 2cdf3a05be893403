import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionsOf, bodyOf, quoted, socketCommand } from 'page/commands';
import type { Rollout, Service } from 'page/picture';
import { version } from './made';

const service = (change: Partial<Service>): Service => ({
  name: 'shop', stable: 'v1', configured_stable: 'v1', undo_to: null, versions: [version('v1', { weight: 100 })],
  ...change,
});
const rollout = (state: string): Rollout => ({
  service: 'shop', version: 'v2', state, step: 1, steps: [5, 100], weight: 5, since: '', actor: 'grayd', reason: '',
  hold_s: 1, verdict: null,
});
const commands = (its: Service, of?: Rollout) => actionsOf(its, of).map((action) => action.command);

test('one version: nothing to do', () => {
  assert.deepEqual(commands(service({})), []);
});

test('a version without users can get some; one that has failed cannot', () => {
  const failed = version('v3', { state: 'failed' });
  const versions = [version('v1', { weight: 100 }), version('v2', { state: 'dark' }), failed];
  assert.deepEqual(commands(service({ versions })), ['grayctl promote shop v2', 'grayctl shift shop v2 PERCENT']);
});

test('while one version has users, no other can get some; a failed one can lose them', () => {
  const versions = [version('v1', { weight: 90 }), version('v2', { state: 'failed', weight: 10 }), version('v3')];
  assert.deepEqual(commands(service({ versions })), ['grayctl shift shop v2 PERCENT', 'grayctl promote shop v3']);
});

test('a rollout by its state; one that was promoted offers nothing', () => {
  const its = service({ versions: [version('v1', { weight: 95 }), version('v2', { weight: 5 })] });
  const [promote, abort] = ['grayctl promote shop v2', 'grayctl rollout abort shop'];
  assert.deepEqual(commands(its, rollout('holding')), ['grayctl rollout pause shop', abort, promote]);
  assert.deepEqual(commands(its, rollout('paused')), ['grayctl rollout resume shop', abort, promote]);
  assert.deepEqual(commands(its, rollout('promoted')), [promote, 'grayctl shift shop v2 PERCENT']);
});

test('a rollout that was aborted or failed can be tried again, if its version can have users', () => {
  const retry = 'grayctl rollout retry shop';
  const its = (change: object, ...others: ReturnType<typeof version>[]) =>
    service({ versions: [version('v1', { weight: 95 }), version('v2', change), ...others] });
  for (const state of ['aborted', 'failed']) {
    const [action] = actionsOf(its({ weight: 0 }), rollout(state));
    assert.deepEqual([action.label, action.verb, action.body, action.typed, action.command],
      ['Retry rollout', 'rollout-retry', { service: 'shop' }, 'v2', retry]);
    assert.match(action.effect, /v2 gets 5 % of the users/);
  }
  const offered = (of: Service, state = 'aborted') => commands(of, rollout(state)).includes(retry);
  assert.ok(offered(its({ weight: 0, state: 'failed' })));
  assert.ok(!offered(its({ weight: 0, state: 'stopped' })));
  assert.ok(!offered(its({ weight: 0 }, version('v3', { weight: 5 }))));
  assert.ok(!offered(service({ versions: [version('v1', { weight: 100 })] })), 'the version was removed');
  assert.ok(!offered(service({ stable: 'v2', versions: [version('v1'), version('v2', { weight: 100 })] })));
  assert.ok(!offered(its({ weight: 0 }), 'promoted'));
});

test('undo types the version that becomes stable', () => {
  const [undo] = actionsOf(service({ undo_to: 'v0' }), undefined);
  assert.deepEqual([undo.verb, undo.typed, undo.body], ['undo', 'v0', { service: 'shop' }]);
});

test('words for the shell', () => {
  assert.deepEqual(['v1', 'a b', "it's", ''].map(quoted), ['v1', "'a b'", "'it'\\''s'", "''"]);
});

test('where grayctl does not find the socket, its path comes first', () => {
  assert.deepEqual([undefined, '', '/run/grayd/grayd.sock'].map(socketCommand), ['', '', '']);
  assert.equal(socketCommand('/srv/web/run/grayd.sock'), 'export GRAYCTL_SOCKET=/srv/web/run/grayd.sock');
});

test('the body of a shift', () => {
  const versions = [version('v1', { weight: 100 }), version('v2')];
  const shift = actionsOf(service({ versions }), undefined).find((action) => action.verb === 'shift')!;
  const both = { service: 'shop', version: 'v2' };
  assert.deepEqual(bodyOf(shift, '2.5', false), { ...both, percent: 2.5 });
  assert.deepEqual(bodyOf(shift, '0', true), { ...both, percent: 0, yes: true });
  for (const wrong of ['', '-1', '101', 'five', 'NaN']) assert.equal(bodyOf(shift, wrong, false), undefined, wrong);
});
