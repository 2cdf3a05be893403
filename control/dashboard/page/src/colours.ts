// The colour of a version: stable has the first one, the others the next ones in their order.
import type { Service } from './picture';

export const colourCount = 5;

/** Versions in the order of their importance: stable, with users, with a former place, the rest. */
export function ranked(service: Service): string[] {
  const rank = (name: string, weight: number) => (name === service.stable ? 0 : weight > 0 ? 1 : 2);
  return [...service.versions]
    .sort((a, b) => rank(a.name, a.weight) - rank(b.name, b.weight))
    .map((version) => version.name);
}

export function colourOf(service: Service, version: string): number {
  const others = service.versions.map((one) => one.name).filter((name) => name !== service.stable);
  return version === service.stable ? 0 : 1 + (Math.max(0, others.indexOf(version)) % (colourCount - 1));
}

export function colourClass(service: Service, version: string): string {
  return `colour${colourOf(service, version)}`;
}
