// The head of the page: which grayd this is, whether the figures are live, and its warnings.
import { useEffect } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { retryNow } from './feed';
import * as format from './format';
import { rowsOf } from './rows';
import { link, picture } from './store';

function Facts() {
  const { status, time_ms, writable } = picture.value!;
  const rows = rowsOf(picture.value!);
  const rate = rows.reduce((sum, row) => sum + row.rate, 0);
  const bad = rows.filter((row) => row.bad).length;
  const router = status.routers.find((one) => one.state === 'ready') ?? status.routers[0];
  return (
    <p class="facts">
      <span>{status.version}</span>
      <span>{status.state}</span>
      <span>pid {status.pid}</span>
      {router && <span>router pid {router.pid}</span>}
      <span>up {format.elapsed(status.uptime_s)}</span>
      <span>{status.listen.join(', ')}</span>
      <span>routing table {status.table}</span>
      <span>{format.number(rate)} requests per second</span>
      {bad > 0 && <span class="sign bad">{format.plural(bad, 'bad version')}</span>}
      <span>{writable ? 'can change releases' : 'read-only'}</span>
      {link.value.state === 'live' && <span>live, {format.clock(time_ms)} UTC</span>}
    </p>
  );
}

/** Counts the seconds while the stream is lost. Not a live region: the loss itself is announced once. */
function Lost() {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const state = link.value;
  if (state.state !== 'lost') return null;
  const wait = Math.max(0, Math.ceil((state.retryAt - now.value) / 1000));
  const since = Math.max(0, now.value - state.since) / 1000;
  return (
    <p class="lost">
      <b>Not live since {format.clock(state.since)} UTC</b> ({format.elapsed(since)}): {state.why}.{' '}
      {picture.value && `The figures are from ${format.clock(picture.value.time_ms)} UTC. `}
      {wait ? `Next attempt in ${wait} s. ` : 'Connecting. '}
      <button type="button" class="small" onClick={retryNow}>
        Connect now
      </button>
    </p>
  );
}

function Warnings() {
  const { status } = picture.value!;
  const all = status.warnings.map((one) => one.text);
  if (status.config_changed) all.unshift('the configuration file was changed after it was read; see grayctl reload');
  if (!all.length) return null;
  return (
    <ul class="warnings" aria-label="Warnings">
      {all.map((text) => (
        <li key={text}>warning: {text}</li>
      ))}
    </ul>
  );
}

export function Daemon() {
  return (
    <header>
      <h1>grayd</h1>
      {picture.value && <Facts />}
      {link.value.state === 'lost' && <Lost />}
      {picture.value && <Warnings />}
    </header>
  );
}
