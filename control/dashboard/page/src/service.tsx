// Everything about the service that is shown.
import { Actions } from './actions';
import { ask } from './api';
import { Chart } from './chart';
import { Events } from './events';
import { Log } from './log';
import { Notes } from './notes';
import type { Rollout, Service } from './picture';
import { usePoll } from './poll';
import { RolloutView } from './rollout';
import { Shares } from './shares';
import { askedRollout, picture } from './store';
import { Why } from './why';
import { Workers } from './workers';

/** For a grayd whose pictures have no rollouts. */
function useAskedRollout(service: string): void {
  usePoll(
    async () => {
      if (picture.value?.rollouts) return;
      askedRollout.value = (await ask<Rollout>('rollout-status', { service })).body ?? null;
    },
    2000,
    100,
    [service],
  );
}

export function ServiceView({ service }: { service: Service }) {
  useAskedRollout(service.name);
  return (
    <article aria-labelledby="service">
      <h2 id="service">Service {service.name}</h2>
      <Shares service={service} />
      <Notes service={service} />
      <div class="columns">
        <Chart service={service} />
        <div>
          <RolloutView service={service} />
          <Actions key={service.name} service={service} />
        </div>
      </div>
      <Workers key={`workers ${service.name}`} service={service} />
      <div class="columns even">
        <Events />
        <Log key={`log ${service.name}`} service={service.name} />
      </div>
      <Why key={`why ${service.name}`} service={service.name} />
    </article>
  );
}
