// The rollout of a service: its steps, its state, and the verdict; or the verdict alone, if users were shifted by hand.
import * as format from './format';
import { isRunning, type Rollout, type Service } from './picture';
import { rollout } from './store';
import { Sign } from './signs';
import { CanaryVerdict, RolloutVerdict } from './verdict';

function stepWord(its: Rollout, index: number): string {
  if (its.state === 'promoted' || index + 1 < its.step) return 'done';
  if (index + 1 > its.step) return isRunning(its) ? 'next' : 'not reached';
  return isRunning(its) ? 'now' : its.state;
}

function Steps({ its }: { its: Rollout }) {
  return (
    <ol class="steps" aria-label="Steps, percent of the users">
      {its.steps.map((percent, index) => {
        const word = stepWord(its, index);
        return (
          <li key={index} class={word.replace(' ', '-')} aria-current={word === 'now' ? 'step' : undefined}>
            {format.share(percent)} %<small>{word}</small>
          </li>
        );
      })}
    </ol>
  );
}

function Running({ its }: { its: Rollout }) {
  return (
    <>
      <p>
        {its.version}: <Sign word={its.state} />
        {its.step > 0 && `, step ${its.step} of ${its.steps.length}`}, {format.share(its.weight)} % of the users
        {its.reason && `; ${its.reason}`}
      </p>
      <Steps its={its} />
      <p class="faint">
        since {format.moment(its.since)} UTC, by {its.actor}; held {format.elapsed(its.hold_s)} at each step
      </p>
    </>
  );
}

export function RolloutView({ service }: { service: Service }) {
  const its = rollout.value;
  const canary = service.versions.find((one) => one.name !== service.stable && one.weight > 0);
  const stable = service.versions.find((one) => one.name === service.stable);
  const byHand = canary && (!its || its.version !== canary.name || !isRunning(its));
  return (
    <section aria-labelledby="rollout">
      <h3 id="rollout">Rollout and verdict</h3>
      {its && <Running its={its} />}
      {its && !byHand && <RolloutVerdict service={service} rollout={its} />}
      {byHand && stable && <CanaryVerdict stable={stable} canary={canary} />}
      {!its && !canary && <p>No rollout. {service.stable} has all users.</p>}
    </section>
  );
}
