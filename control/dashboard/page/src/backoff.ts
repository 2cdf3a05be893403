// How long to wait before the next attempt to connect: 0.5 s, doubled up to 15 s, and varied by a fifth, so that the
// pages of many people do not come back at the same moment. Pure.

const first = 500;
const most = 15_000;

/** Milliseconds before attempt number `attempt`, which counts from 0 after each success; `chance` is from 0 to 1. */
export function delayOf(attempt: number, chance: number): number {
  const plain = Math.min(most, first * 2 ** Math.min(attempt, 10));
  return Math.round(plain * (0.8 + 0.4 * chance));
}
