// The page: a picture of grayd comes each 500 ms (feed), the store keeps the newest one and the history, and every part
// is drawn again from the store. What the page knows is bounded: 15 minutes of figures, 50 events, 200 lines.
import { render } from 'preact';
import { follow } from './feed';
import { Page } from './page';
import { followAddress } from './store';
import './style.css';

const needs: [string, boolean][] = [
  ['streams', 'ReadableStream' in globalThis && 'TextDecoder' in globalThis],
  ['dialogs', 'HTMLDialogElement' in globalThis && 'showModal' in HTMLDialogElement.prototype],
  ['time limits', 'AbortSignal' in globalThis && 'timeout' in AbortSignal],
  ['observers of sizes', 'ResizeObserver' in globalThis],
];

const missing = needs.filter(([, there]) => !there).map(([name]) => name);
const place = document.getElementById('page')!;
if (missing.length) {
  document.getElementById('old')!.textContent =
    `This browser is too old for the page (missing: ${missing.join(', ')}). grayctl top shows the same in a terminal.`;
} else {
  place.replaceChildren();
  render(<Page />, place);
  followAddress();
  void follow();
}
