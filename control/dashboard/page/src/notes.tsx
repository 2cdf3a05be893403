// What is special about the versions of a service: a cause of a failure, a restart, a former stable version.
import * as format from './format';
import type { Service, Version } from './picture';

function notesOf(version: Version): string[] {
  const notes: string[] = [];
  const { restart, former } = version;
  if (restart && restart.state !== 'done') {
    notes.push(`rolling restart ${restart.state}: ${restart.replaced} of ${restart.of} workers replaced`);
  }
  if (version.removing) notes.push('will be removed when its requests are answered');
  else if (version.deployed) notes.push('was deployed; it is not in the file');
  if (former) {
    const until = former.warm_until ? `, runs until ${format.moment(former.warm_until).slice(0, 14)} UTC` : '';
    notes.push(`was stable${until}; undo goes back to it`);
  }
  return notes;
}

export function Notes({ service }: { service: Service }) {
  const notes = service.versions.flatMap((version) => notesOf(version).map((note) => `${version.name}: ${note}`));
  if (service.stable !== service.configured_stable) {
    notes.unshift(`stable is ${service.stable}; the file says ${service.configured_stable}`);
  }
  if (service.undo && service.undo.state !== 'done') {
    notes.unshift(`undo to ${service.undo.to}: ${[service.undo.state, service.undo.text].filter(Boolean).join(', ')}`);
  }
  if (!notes.length) return null;
  return (
    <ul class="notes">
      {notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}
