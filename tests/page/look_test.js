// Every state of the page, narrow and wide, light and dark: no finding of axe-core, no horizontal scrolling, no error
// of the console, which also has what the Content-Security-Policy blocks.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, Visit } from './browser.js';
import { Mock } from './mock.js';
import { scenes } from './scenes.js';

const dist = process.env.PAGE_DIST;
const looks = [
  { width: 1280, scheme: 'light' },
  { width: 1280, scheme: 'dark' },
  { width: 360, scheme: 'light' },
  { width: 360, scheme: 'dark' },
];

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** For a look with the eyes: PAGE_PICTURES=FOLDER. */
async function keepPicture(visit, name, look, fullPage) {
  const folder = process.env.PAGE_PICTURES;
  if (!folder) return;
  const path = `${folder}/${name.replaceAll(' ', '-')}-${look.width}-${look.scheme}.png`;
  await visit.page.screenshot({ path, fullPage });
}

/** State: the scene, the text that shows that it is there, and what to do before. */
const states = {
  healthy: ['healthy', 'No rollout'],
  'bad canary': ['bad', 'bad: worse than stable: 7.90%'],
  'rollout running': ['rollout', 'step 2 of 3'],
  'rollout aborted': ['aborted', 'aborted'],
  empty: ['empty', 'No service is configured'],
  'many services': ['many', 'service-99'],
  'with p95': ['quantile', 'p95'],
  'stream lost': [
    'bad', 'bad: worse than stable: 7.90%',
    async (visit, mock) => {
      mock.down = true;
      mock.cut();
      await visit.waitFor(() => document.body.innerText.includes('Not live since'));
      visit.expected = /ERR_/; // the browser reports each attempt as an error
    },
  ],
  'open dialog': [
    'writable', 'step 2 of 3',
    async (visit) => {
      await visit.press('Abort rollout');
      await visit.page.waitForSelector('dialog[open]');
    },
  ],
  'dialog for another try': [
    'again', 'aborted',
    async (visit) => {
      await visit.press('Retry rollout');
      await visit.page.waitForSelector('dialog[open]');
    },
  ],
  'a request explained': [
    'healthy', 'No rollout',
    async (visit) => {
      await visit.page.type('#request', 'acdced6eb89c80f1\n');
      await visit.waitFor(() => document.body.innerText.includes('decided again from this line'));
    },
  ],
  'dialog with an error': [
    'writable', 'step 2 of 3',
    async (visit) => {
      await visit.press('Abort rollout');
      await visit.page.type('#typed', 'v2\n');
      await visit.page.waitForSelector('dialog .error');
      visit.expected = /409/;
    },
  ],
};

for (const [name, [scene, text, act]] of Object.entries(states)) {
  test(name, { timeout: 120_000 }, async (all) => {
    const mock = await new Mock(dist, scenes[scene]).start();
    const visit = await Visit.open(browser, mock.url, looks[0]);
    try {
      await visit.waitFor((wanted) => document.body.innerText.includes(wanted), text);
      await act?.(visit, mock);
      for (const look of looks) {
        await all.test(`${look.width} px, ${look.scheme}`, async () => {
          await visit.resize(look);
          await keepPicture(visit, name, look, !act);
          assert.deepEqual(await visit.findings(), []);
          assert.equal(await visit.scrollsSideways(), false, 'the page scrolls sideways');
        });
      }
      assert.deepEqual(visit.unexpected(), []);
    } finally {
      await visit.close();
      await mock.stop();
    }
  });
}
