// The chart of a service: durations, errors and users of its versions over the last 15 minutes, in one uPlot. The table
// below it has the figures of the moment under the pointer, or of now.
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { chartData, lineFields, shownTime, timeMarks, type ChartData, type LineField } from './chart_data';
import { colourClass, colourOf, ranked } from './colours';
import * as format from './format';
import { spanSeconds } from './history';
import type { Service } from './picture';
import { history, rowsSeen } from './store';

const mostVersions = 5;
const pointed = signal<number | null>(null); // the row under the pointer

const dashes: Partial<Record<LineField, number[]>> = { p95: [6, 3], p99: [2, 3] };

function seriesOf(field: LineField, colour: string): uPlot.Series {
  return {
    stroke: colour,
    width: field === 'p95' || field === 'p99' ? 1.25 : 1.75,
    dash: dashes[field],
    points: { show: false },
    paths: field === 'weight' ? uPlot.paths.stepped!({ align: 1 }) : undefined,
  };
}

/** uPlot over the bands; `data` is replaced from second to second. */
class Plot {
  data: ChartData = { bands: [], columns: [[]], figures: [] };
  private readonly plot: uPlot;

  constructor(
    private readonly place: HTMLElement,
    colours: number[],
  ) {
    const style = getComputedStyle(place);
    const named = (name: string) => style.getPropertyValue(name).trim();
    const [text, grid] = [named('--text'), named('--line')];
    const font = `11px ${style.fontFamily}`;
    const axis = { stroke: text, font, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
    const marks = () => this.data.bands.flatMap((band) => band.marks);
    this.plot = new uPlot(
      {
        width: this.width(),
        height: 360,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
        scales: {
          x: { time: false, range: () => shownTime(this.data.columns[0], spanSeconds) },
          y: { range: [0, 1] },
        },
        axes: [
          {
            ...axis,
            size: 28,
            splits: (u, _, from, to) => timeMarks(from, to, u.width / 75),
            values: (_, splits) => splits.map((one) => format.clock(one * 1000)),
          },
          {
            ...axis,
            size: 44,
            splits: () => marks().map((mark) => mark.at),
            values: () => marks().map((mark) => mark.text),
          },
        ],
        series: [{}, ...colours.flatMap((one) => lineFields.map((field) => seriesOf(field, named(`--colour${one}`))))],
        hooks: {
          setCursor: [(u) => (pointed.value = u.cursor.idx ?? null)],
          draw: [(u) => this.titles(u, font, text)],
        },
      },
      this.data.columns as uPlot.AlignedData,
      place,
    );
  }

  show(data: ChartData): void {
    this.data = data;
    this.plot.setData(data.columns as uPlot.AlignedData);
  }

  resize(): void {
    if (this.width() !== this.plot.width) this.plot.setSize({ width: this.width(), height: this.plot.height });
  }

  end(): void {
    this.plot.destroy();
    pointed.value = null;
  }

  private width(): number {
    return Math.max(200, this.place.clientWidth);
  }

  private titles(u: uPlot, font: string, colour: string): void {
    const [{ ctx }, ratio] = [u, devicePixelRatio];
    ctx.save();
    ctx.font = font.replace('11px', `${11 * ratio}px`);
    ctx.fillStyle = colour;
    ctx.textAlign = 'left';
    ctx.textBaseline = 'bottom';
    for (const band of this.data.bands) {
      ctx.fillText(band.title, u.bbox.left, u.valToPos(band.high, 'y', true) - 5 * ratio);
    }
    ctx.restore();
  }
}

function Dash({ service, version, field }: { service: Service; version: string; field: LineField }) {
  return (
    <svg class={`dash ${colourClass(service, version)}`} viewBox="0 0 24 8" width="24" height="8" aria-hidden="true">
      <path d="M0 4H24" stroke-dasharray={dashes[field]?.join(' ')} />
    </svg>
  );
}

const titles: [field: LineField, title: string, unit: string][] = [
  ['p50', 'p50', 'ms'], ['p95', 'p95', 'ms'], ['p99', 'p99', 'ms'], ['errors', 'Errors', '% in 10 s'],
  ['weight', 'Users', '%'],
];

function textOf(field: LineField, value: number): string {
  if (field === 'errors') return format.percent(value);
  return field === 'weight' ? format.share(value) : format.milliseconds(value);
}

function Figures({ service, versions, data }: { service: Service; versions: string[]; data: ChartData }) {
  const times = data.columns[0];
  const row = pointed.value !== null && pointed.value < times.length ? pointed.value : times.length - 1;
  const at = times[row] ?? null;
  const shown = titles.filter(([field]) => field !== 'p95' || data.figures.some((one) => one.p95.some((v) => v >= 0)));
  return (
    <div class="scroll" tabIndex={0} role="group" aria-labelledby="chart">
      <table class="figures">
        <thead>
          <tr>
            <th scope="col" class="text">
              {at === null ? 'Time' : format.clock(at * 1000)}
              <small>UTC</small>
            </th>
            {shown.map(([field, title, unit]) => (
              <th key={field} scope="col">
                {title}
                <small>{unit}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {versions.map((version, index) => (
            <tr key={version}>
              <th scope="row" class="text">{version}</th>
              {shown.map(([field]) => (
                <td key={field}>
                  <Dash service={service} version={version} field={field} />{' '}
                  {textOf(field, data.figures[index]?.[field][row] ?? NaN)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const dark = matchMedia('(prefers-color-scheme: dark)');

export function Chart({ service }: { service: Service }) {
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const versions = ranked(service).slice(0, mostVersions);
  const data = chartData(history, service.name, versions);
  useEffect(() => {
    const make = () => {
      plot.current?.end();
      plot.current = new Plot(element.current!, versions.map((one) => colourOf(service, one)));
      plot.current.show(chartData(history, service.name, versions));
    };
    make();
    const sizes = new ResizeObserver(() => plot.current?.resize());
    sizes.observe(element.current!);
    dark.addEventListener('change', make);
    return () => {
      sizes.disconnect();
      dark.removeEventListener('change', make);
      plot.current?.end();
      plot.current = null;
    };
  }, [service.name, service.stable, versions.join('\n')]);
  useEffect(() => {
    if (!document.hidden) plot.current?.show(data);
  }, [rowsSeen.value]);
  const label = `Durations, errors and users of ${versions.join(', ')}. The table below has the figures.`;
  return (
    <section aria-labelledby="chart">
      <h3 id="chart">Last 15 minutes</h3>
      <div class="plot" ref={element} role="img" aria-label={label} />
      <Figures service={service} versions={versions} data={data} />
      {service.versions.length > mostVersions && (
        <p class="faint">
          {mostVersions} of {service.versions.length} versions: stable, those with users, and the next ones
        </p>
      )}
    </section>
  );
}
