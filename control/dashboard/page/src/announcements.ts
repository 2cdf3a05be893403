// What a screen reader is told: changes of a state or a verdict, never of a figure. Pure.
import { isRunning, type Picture } from './picture';

type Said = Map<string, string>; // what each subject says now

function saidIn(picture: Picture): Said {
  const said: Said = new Map();
  for (const service of picture.status.services) {
    said.set(`${service.name}: stable`, `is ${service.stable}`);
    for (const version of service.versions) {
      said.set(`${service.name} ${version.name}`, `is ${version.state}`);
      if (version.verdict === 'worse') said.set(`${service.name} ${version.name}, judge`, 'is worse than stable');
      else if (version.verdict === 'ok') said.set(`${service.name} ${version.name}, judge`, 'is not worse than stable');
    }
  }
  for (const rollout of picture.rollouts ?? []) {
    const step = isRunning(rollout) && rollout.step > 0 ? `, step ${rollout.step} of ${rollout.steps.length}` : '';
    said.set(`rollout of ${rollout.service} ${rollout.version}`, `is ${rollout.state}${step}`);
  }
  return said;
}

/** One sentence for each change, at most four. */
export function changesBetween(before: Picture, after: Picture): string[] {
  const old = saidIn(before);
  const changes: string[] = [];
  for (const [subject, words] of saidIn(after)) {
    const [was, known] = [old.get(subject), old.has(subject)];
    if (was !== words && (known || !words.startsWith('is not'))) changes.push(`${subject} ${words}.`);
  }
  return changes.length > 4 ? [...changes.slice(0, 3), `${changes.length - 3} more changes.`] : changes;
}
