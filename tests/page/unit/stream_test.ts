import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delayOf } from 'page/backoff';
import { SseReader } from 'page/sse';

const text = ': hello\nid: 1\ndata: {"a":1}\n\nid: 2\r\ndata:{"b":\r\ndata: 2}\r\n\r\nevent: x\n\ndata: last\n';

test('payloads, in pieces of any size', () => {
  for (let size = 1; size <= text.length; ++size) {
    const reader = new SseReader();
    const payloads: string[] = [];
    for (let at = 0; at < text.length; at += size) payloads.push(...reader.take(text.slice(at, at + size)));
    assert.deepEqual(payloads, ['{"a":1}', '{"b":\n2}'], `pieces of ${size}`);
    assert.deepEqual(reader.take('\n'), ['last']);
  }
});

test('an event without an end is refused', () => {
  const reader = new SseReader();
  assert.throws(() => {
    for (let i = 0; i < 40; ++i) reader.take('x'.repeat(1024 * 1024));
  }, /too long/);
});

test('waits double up to 15 s, and vary by a fifth', () => {
  const waits = [0, 1, 2, 5, 6, 1000].map((attempt) => delayOf(attempt, 0.5));
  assert.deepEqual(waits, [500, 1000, 2000, 15000, 15000, 15000]);
  assert.deepEqual([delayOf(1, 0), delayOf(1, 1)], [800, 1200]);
});
