// What a person can do with a service now, as a verb of grayd and as a command of grayctl. An action that grayd would
// refuse in this state is not offered. Pure.
import { isRunning, type Rollout, type Service } from './picture';

export interface Action {
  label: string;
  verb: string; // VERB of /v1/VERB
  body: Record<string, string | number>;
  command: string;
  typed: string; // the name that the person types to confirm
  effect: string; // what it does
  needsPercent?: boolean; // the person gives a share, which goes into body.percent and replaces PERCENT
}

/** A word of a command line, quoted if the shell would change it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** What to type first where grayctl does not find the admin socket by itself; empty: it does. */
export function socketCommand(admin: string | undefined): string {
  return admin && admin !== '/run/grayd/grayd.sock' ? `export GRAYCTL_SOCKET=${quoted(admin)}` : '';
}

/** Ended without success, and the version can have users: it was not stopped, and no other one has some. */
function canBeTriedAgain(service: Service, rollout: Rollout): boolean {
  if (rollout.state !== 'aborted' && rollout.state !== 'failed') return false;
  const others = service.versions.filter((one) => one.name !== service.stable);
  const its = others.find((one) => one.name === rollout.version);
  return its !== undefined && its.state !== 'stopped' && !others.some((one) => one !== its && one.weight > 0);
}

function ofRollout(its: Service, rollout: Rollout): Action[] {
  const service = its.name;
  const action = (label: string, effect: string): Action => ({
    label: `${label} rollout`,
    verb: `rollout-${label.toLowerCase()}`,
    body: { service },
    command: `grayctl rollout ${label.toLowerCase()} ${quoted(service)}`,
    typed: rollout.version,
    effect,
  });
  if (!isRunning(rollout)) {
    return canBeTriedAgain(its, rollout)
      ? [action('Retry', `The rollout begins again: ${rollout.version} gets ${rollout.steps[0]} % of the users.`)]
      : [];
  }
  const all: Action[] = [];
  if (rollout.state === 'paused') {
    all.push(action('Resume', 'The rollout goes on. The hold time of its step begins anew.'));
  } else if (['starting', 'stepping', 'holding'].includes(rollout.state)) {
    all.push(
      action('Pause', 'The rollout stays at this step. A version that is worse than stable still loses its users.'),
    );
  }
  all.push(action('Abort', `All users get the stable version at once; ${rollout.version} gets none.`));
  return all;
}

function ofVersion(service: Service, name: string): Action[] {
  const both = `${quoted(service.name)} ${quoted(name)}`;
  return [
    {
      label: `Promote ${name}`,
      verb: 'promote',
      body: { service: service.name, version: name },
      command: `grayctl promote ${both}`,
      typed: name,
      effect: `${name} becomes the stable version and gets all users at once.`,
    },
    {
      label: `Shift ${name}`,
      verb: 'shift',
      body: { service: service.name, version: name },
      command: `grayctl shift ${both} PERCENT`,
      typed: name,
      effect: `${name} gets this share of the users; ${service.stable} keeps the rest.`,
      needsPercent: true,
    },
  ];
}

const serving = ['serving', 'dark'];

export function actionsOf(service: Service, rollout: Rollout | undefined): Action[] {
  const running = rollout !== undefined && isRunning(rollout);
  const all = rollout ? ofRollout(service, rollout) : [];
  const canary = service.versions.find((one) => one.name !== service.stable && one.weight > 0);
  for (const version of service.versions) {
    if (version.name === service.stable) continue;
    const offered = ofVersion(service, version.name).filter(({ verb }) => {
      if (verb === 'promote') return serving.includes(version.state);
      // One version beside stable has users; while a rollout runs, it is the one that moves them.
      return !running && (version === canary || (!canary && serving.includes(version.state)));
    });
    all.push(...offered);
  }
  if (service.undo_to) {
    all.push({
      label: `Undo to ${service.undo_to}`,
      verb: 'undo',
      body: { service: service.name },
      command: `grayctl undo ${quoted(service.name)}`,
      typed: service.undo_to,
      effect: `${service.undo_to}, the stable version before, is stable again and gets all users.`,
    });
  }
  return all;
}

/** The body of the request; nothing if the share is not a number from 0 to 100. */
export function bodyOf(action: Action, percent: string, anyway: boolean): Record<string, unknown> | undefined {
  const body: Record<string, unknown> = { ...action.body };
  if (action.needsPercent) {
    const value = percent.trim() === '' ? NaN : Number(percent);
    if (!(value >= 0 && value <= 100)) return undefined;
    body.percent = value;
  }
  if (anyway) body.yes = true;
  return body;
}
