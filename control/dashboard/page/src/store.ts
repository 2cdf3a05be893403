// The state of the page. Everything that is shown follows from these signals.
import { computed, signal } from '@preact/signals';
import { changesBetween } from './announcements';
import { History } from './history';
import { hashOf, placeIn, type Place } from './place';
import type { Picture, Rollout, Service } from './picture';

export type Link =
  | { state: 'connecting' }
  | { state: 'live' }
  | { state: 'lost'; since: number; why: string; retryAt: number }; // milliseconds of this browser's clock

export const picture = signal<Picture | null>(null);
export const link = signal<Link>({ state: 'connecting' });
export const place = signal<Place>(placeIn(location.hash));
export const announcement = signal('');
export const history = new History();
export const rowsSeen = signal(0); // rises with each new row of the history
export const askedRollout = signal<Rollout | null>(null); // if the pictures have none

/** The service that is shown in detail: the one in the address, else the first one. */
export const shown = computed<Service | undefined>(() => {
  const services = picture.value?.status.services ?? [];
  return services.find((service) => service.name === place.value.service) ?? services[0];
});
export const shownName = computed(() => shown.value?.name ?? '');

export const rollout = computed<Rollout | undefined>(() => {
  const all = picture.value?.rollouts;
  if (all) return all.find((one) => one.service === shownName.value);
  return askedRollout.value?.service === shownName.value ? askedRollout.value : undefined;
});

export function takePicture(next: Picture): void {
  next.events = next.events.slice(-50);
  const changes = picture.value ? changesBetween(picture.value, next) : [];
  if (changes.length) announcement.value = changes.join(' ');
  if (history.take(next)) rowsSeen.value += 1;
  picture.value = next;
}

export function setPlace(change: Partial<Place>, replace = false): void {
  place.value = { ...place.value, ...change };
  const hash = hashOf(place.value);
  if (replace) globalThis.history.replaceState(null, '', hash);
  else globalThis.history.pushState(null, '', hash);
}

export function followAddress(): void {
  const read = () => (place.value = placeIn(location.hash));
  addEventListener('hashchange', read);
  addEventListener('popstate', read);
}
