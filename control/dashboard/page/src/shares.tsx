// How the users and the requests of a service are divided among its versions.
import { colourClass } from './colours';
import * as format from './format';
import type { Service } from './picture';
import { rowsOf } from './rows';
import { picture } from './store';

export function Shares({ service }: { service: Service }) {
  const rows = rowsOf(picture.value!).filter((row) => row.service === service.name);
  const total = rows.reduce((sum, row) => sum + row.rate, 0);
  let left = 0;
  return (
    <>
      <svg class="shares" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        {rows.map((row) => {
          const x = left;
          left += row.weight;
          const kind = colourClass(service, row.name);
          return <rect key={row.name} class={kind} x={x} y={0} width={row.weight} height={4} />;
        })}
      </svg>
      <p class="facts">
        {rows
          .filter((row) => row.weight > 0 || row.rate > 0)
          .map((row) => (
            <span key={row.name}>
              <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">
                <rect class={colourClass(service, row.name)} width="10" height="10" />
              </svg>{' '}
              <b>{row.name}</b> {row.stable && 'stable, '}
              {format.share(row.weight)} % of the users
              {Math.abs(row.weight - row.configured) > 0.0005 && ` (file: ${format.share(row.configured)} %)`}
              {total > 0 && `, ${((100 * row.rate) / total).toFixed(1)} % of the requests of the last 10 s`}
            </span>
          ))}
      </p>
    </>
  );
}
