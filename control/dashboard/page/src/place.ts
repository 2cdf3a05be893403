// What the address says after "#": the service that is shown, the filter and the order of the table. Pure.

export interface Place {
  service: string;
  filter: string;
  order: string;
}

export function placeIn(hash: string): Place {
  const parts = new URLSearchParams(hash.replace(/^#/, ''));
  const text = (name: string) => (parts.get(name) ?? '').slice(0, 200);
  return { service: text('service'), filter: text('filter'), order: text('sort') };
}

export function hashOf(place: Place): string {
  const parts = new URLSearchParams();
  if (place.service) parts.set('service', place.service);
  if (place.filter) parts.set('filter', place.filter);
  if (place.order) parts.set('sort', place.order);
  return `#${parts}`;
}
