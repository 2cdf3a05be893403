// The newest lines that the workers of a service wrote, at most 200. It stays at the end unless the person scrolls up.
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { ask } from './api';
import * as format from './format';
import { usePoll } from './poll';

interface Line {
  sequence: number;
  time: string;
  worker: string;
  stream: string;
  text: string;
  cut: boolean;
}

const most = 200;

export function Log({ service }: { service: string }) {
  const lines = useSignal<Line[]>([]);
  const error = useSignal('');
  const last = useRef(0);
  const view = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  usePoll(
    async () => {
      const after: Record<string, string> = last.current ? { after: String(last.current) } : {};
      const answer = await ask<{ lines: Line[]; last: number }>('logs', { service, count: String(most), ...after });
      error.value = answer.error ?? '';
      if (!answer.body) return;
      if (answer.body.last < last.current) lines.value = []; // grayd was started again
      last.current = answer.body.last;
      if (answer.body.lines.length) lines.value = [...lines.value, ...answer.body.lines].slice(-most);
    },
    3000,
    0,
    [service],
  );
  const all = lines.value;
  useLayoutEffect(() => {
    if (view.current && atEnd.current) view.current.scrollTop = view.current.scrollHeight;
  }, [all]);
  const scrolled = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }: { currentTarget: HTMLElement }) =>
    (atEnd.current = scrollTop + clientHeight > scrollHeight - 8);
  return (
    <section aria-labelledby="log">
      <h3 id="log">Output of the workers</h3>
      {error.value && <p class="error">{error.value}</p>}
      <div class="scroll tall log" ref={view} tabIndex={0} role="group" aria-labelledby="log" onScroll={scrolled}>
        {all.map((line) => (
          <div key={line.sequence}>
            <span class="faint">
              {format.moment(line.time).slice(6)} {line.worker}
            </span>{' '}
            {line.stream === 'stderr' ? <b class="err">err</b> : <span class="faint">out</span>} {line.text}
            {line.cut && '…'}
          </div>
        ))}
        {!all.length && !error.value && <p>No lines yet.</p>}
      </div>
    </section>
  );
}
