// The newest events, at most 50, the newest first.
import { useSignal } from '@preact/signals';
import * as format from './format';
import type { Event } from './picture';
import { picture, shownName } from './store';

const bad = [
  'worker-exited', 'worker-unhealthy', 'version-failed', 'version-crashing', 'version-rolled-back', 'router-died',
  'reload-refused', 'upgrade-failed', 'access-log-failed', 'events-lost',
];

function subjectOf(event: Event): string {
  if (event.worker) return event.worker;
  return [event.service, event.version].filter(Boolean).join(' ') || 'grayd';
}

export function Events() {
  const everything = useSignal(false);
  const service = shownName.value;
  const all = picture.value!.events;
  const some = everything.value ? all : all.filter((event) => !event.service || event.service === service);
  return (
    <section aria-labelledby="events">
      <div class="title">
        <h3 id="events">Events</h3>
        <label>
          <input
            type="checkbox"
            checked={everything.value}
            onChange={(event) => (everything.value = event.currentTarget.checked)}
          />
          of all services
        </label>
      </div>
      <div class="scroll tall" tabIndex={0} role="group" aria-labelledby="events">
        <ol class="events">
          {[...some].reverse().map((event) => (
            <li key={event.sequence} class={bad.includes(event.kind) ? 'bad' : ''}>
              <span>{format.moment(event.time)}</span> <b>{event.kind}</b> <span>{subjectOf(event)}</span>{' '}
              <span>{event.text}</span>
            </li>
          ))}
        </ol>
        {!some.length && <p>No events.</p>}
      </div>
    </section>
  );
}
