// Reads /v1/live for as long as the page is open, and connects again when the stream is lost. fetch instead of
// EventSource: the page can then say why grayd refuses, and wait longer from attempt to attempt.
import { delayOf } from './backoff';
import { errorOf } from './api';
import type { Picture } from './picture';
import { SseReader } from './sse';
import { announcement, history, link, picture, takePicture } from './store';

const silence = 5_000; // without a picture for so long, the stream counts as lost

let attempt = 0;
let wake: (() => void) | undefined;

/** Tries at once instead of at the end of the wait. */
export function retryNow(): void {
  wake?.();
}

async function readOnce(): Promise<string> {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), 2 * silence);
  try {
    const answer = await fetch('/v1/live', { signal: abort.signal, cache: 'no-store' });
    if (!answer.ok || !answer.body) return await errorOf(answer);
    const [reader, events] = [answer.body.getReader(), new SseReader()];
    const text = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return 'grayd has ended the stream';
      const payloads = events.take(text.decode(value, { stream: true }));
      if (!payloads.length) continue;
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), silence);
      takePicture(JSON.parse(payloads[payloads.length - 1]) as Picture);
      attempt = 0;
      if (link.value.state === 'lost') announcement.value = 'Connected to grayd again.';
      if (link.value.state !== 'live') link.value = { state: 'live' };
    }
  } catch (error) {
    if (abort.signal.aborted) return 'grayd has sent nothing for some seconds';
    return error instanceof TypeError ? 'grayd cannot be reached' : String(error);
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

export async function follow(): Promise<never> {
  for (;;) {
    const why = await readOnce();
    history.interrupt();
    const wait = delayOf(attempt++, Math.random());
    const since = link.value.state === 'lost' ? link.value.since : Date.now();
    if (link.value.state === 'live' && picture.value) announcement.value = `Connection to grayd lost: ${why}.`;
    link.value = { state: 'lost', since, why, retryAt: Date.now() + wait };
    await pause(wait);
  }
}
