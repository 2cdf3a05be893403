// What the page does: requests, stream, keyboard, orders, and what it says when something is refused.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, Visit } from './browser.js';
import { Mock } from './mock.js';
import { scenes } from './scenes.js';

const dist = process.env.PAGE_DIST;
let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** Runs `body` on a page of the scene; no problem may be left at the end, except those of `visit.expected`. */
function on(name, scene, body, options = {}) {
  test(name, { timeout: 60_000 }, async () => {
    const mock = await new Mock(dist, scenes[scene]).start();
    let visit;
    try {
      visit = await Visit.open(browser, mock.url, options);
      await body(visit, mock);
      assert.deepEqual(visit.unexpected(), []);
    } finally {
      await visit?.close();
      await mock.stop();
    }
  });
}

const shows = (visit, text) => visit.waitFor((wanted) => document.body.innerText.includes(wanted), text);
const focused = (visit) => visit.page.evaluate(() => document.activeElement.id || document.activeElement.innerText);

test('the page is one file without an address of another host', () => {
  const html = readFileSync(join(dist, 'index.html'), 'utf8');
  const urls = html.match(/(?:https?:)?\/\/[a-z0-9.-]+\.[a-z]{2,}[^\s"'`)]*/gi) ?? [];
  assert.deepEqual(urls.filter((url) => !url.startsWith('http://www.w3.org/')), []); // names of SVG and MathML
  assert.ok(statSync(join(dist, 'index.html.gz')).size <= 45_000);
  const policy = readFileSync(join(dist, 'csp.txt'), 'utf8');
  assert.match(policy, /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; [^\n]+\n$/);
});

on('at most three requests until the figures are shown, and none to another host', 'rollout', async (visit, mock) => {
  await shows(visit, 'step 2 of 3');
  await shows(visit, 'cannot read the shopping cart');
  assert.deepEqual([...mock.requests].sort(), ['GET /', 'GET /v1/live', 'GET /v1/logs']);
  for (const url of visit.requests) assert.ok(url.startsWith(mock.url) || url.startsWith('data:'), url);
});

on('the policy is enforced: foreign script, style and connections are blocked', 'healthy', async (visit) => {
  visit.expected = /Content Security Policy|violates/;
  const ran = await visit.page.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'globalThis.foreign = true';
    document.body.append(script);
    const fetched = await fetch('https://other.invalid/').then(() => true, () => false);
    return { foreign: globalThis.foreign === true, fetched };
  });
  assert.deepEqual(ran, { foreign: false, fetched: false });
  assert.ok(visit.problems.length >= 2, visit.problems.join());
});

on('a lost stream: since when, and the page connects again by itself', 'healthy', async (visit, mock) => {
  visit.expected = /ERR_/;
  mock.down = true;
  mock.cut();
  await shows(visit, 'Not live since');
  assert.match(await visit.text('.lost'), /Not live since \d\d:\d\d:\d\d UTC \(\d+ s\): grayd .*The figures are from/);
  assert.match(await visit.text('[role=status]'), /Connection to grayd lost/);
  assert.match(await visit.page.title(), /^not live/);
  mock.down = false;
  await visit.waitFor(() => !document.querySelector('.lost') && document.body.innerText.includes('live,'));
  assert.match(await visit.text('[role=status]'), /Connected to grayd again/);
});

on('a refused stream: the sentence of grayd, and a button that tries at once', 'full', async (visit, mock) => {
  visit.expected = /503/;
  await shows(visit, 'this page has 32 watchers already; close one of them');
  const before = mock.requests.length;
  await visit.press('Connect now');
  await visit.waitFor(() => document.querySelector('.lost'));
  for (let i = 0; i < 100 && mock.requests.length === before; ++i) await new Promise((done) => setTimeout(done, 20));
  assert.ok(mock.requests.length > before);
}, { wait: '' });

on('keyboard: / filters, Enter opens a service, Esc clears; the address holds both', 'healthy', async (visit) => {
  const { page } = visit;
  await page.keyboard.press('/');
  assert.equal(await focused(visit), 'filter');
  await page.keyboard.type('search bad');
  await shows(visit, '1 of 4 versions');
  assert.match(page.url(), /#.*filter=search\+bad/);
  for (let i = 0; i < 30 && (await focused(visit)) !== 'search'; ++i) await page.keyboard.press('Tab');
  assert.equal(await focused(visit), 'search');
  await page.keyboard.press('Enter');
  await shows(visit, 'Service search');
  assert.match(page.url(), /service=search/);
  await page.keyboard.press('/');
  await page.keyboard.press('Escape');
  await visit.waitFor(() => document.body.innerText.includes('4 versions') && !location.hash.includes('filter'));
  await page.goBack();
  await shows(visit, 'Service shop');
});

on('the address opens a service and a filter', 'healthy', async (visit) => {
  await shows(visit, 'Service search');
  assert.equal(await visit.page.$eval('#filter', (box) => box.value), 'v3');
  await shows(visit, '1 of 4 versions');
}, { hash: '#service=search&filter=v3' });

on('a column head sorts: falling, rising, as grayd has them', 'healthy', async (visit) => {
  const names = () => visit.page.$$eval('.overview tbody tr:not(.reason)', (rows) =>
    rows.map((row) => row.cells[0].innerText.trim() + row.cells[1].innerText.trim().split(/\s/)[0]),
  );
  const head = await visit.page.waitForSelector('.overview thead th:nth-child(6) button');
  await head.press('Enter');
  assert.deepEqual((await names()).slice(0, 2), ['shopv1', 'searchv1']);
  assert.equal(await visit.page.$eval('.overview thead th:nth-child(6)', (one) => one.ariaSort), 'descending');
  await head.press('Enter');
  await head.press('Enter');
  assert.deepEqual(await names(), ['shopv1', 'shopv2', 'searchv1', 'searchv3']);
});

on('read-only: commands to type, no button that changes something', 'rollout', async (visit, mock) => {
  await shows(visit, 'This page is read-only');
  const commands = await visit.page.$$eval('.commands code', (all) => all.map((one) => one.innerText));
  assert.deepEqual(commands, ['grayctl rollout pause shop', 'grayctl rollout abort shop', 'grayctl promote shop v2']);
  const buttons = await visit.page.$$eval('button', (all) => all.map((one) => one.innerText.trim().split('\n')[0]));
  assert.ok(!buttons.some((one) => /abort|pause|promote/i.test(one)), buttons.join());
  await visit.context.overridePermissions(mock.url, ['clipboard-read', 'clipboard-write']);
  await (await visit.page.$('.commands button')).click();
  await shows(visit, 'Copied');
  assert.equal(await visit.page.evaluate(() => navigator.clipboard.readText()), 'grayctl rollout pause shop');
});

on('an order needs the typed name; Escape sends nothing', 'writable', async (visit, mock) => {
  await visit.press('Pause rollout');
  await visit.page.waitForSelector('dialog[open]');
  await visit.page.keyboard.type('v1\n');
  await shows(visit, 'Type v2 to confirm.');
  await visit.page.keyboard.press('Escape');
  await visit.waitFor(() => !document.querySelector('dialog'));
  assert.deepEqual(mock.orders, []);
  await visit.press('Pause rollout');
  await visit.page.type('#typed', 'v2\n');
  await shows(visit, 'Accepted: grayctl rollout pause shop');
  assert.deepEqual(mock.orders, [{ verb: 'rollout-pause', body: { service: 'shop' } }]);
});

on('what grayd refuses is shown in its words', 'writable', async (visit, mock) => {
  visit.expected = /409/;
  await visit.press('Abort rollout');
  await visit.page.type('#typed', 'v2\n');
  await shows(visit, 'shop has no rollout that runs');
  assert.equal(mock.orders.length, 1);
});

on('a shift: the share is checked, and grayd may want a confirmation', 'shifting', async (visit, mock) => {
  visit.expected = /409/;
  await visit.press('Shift v2');
  await visit.page.type('#percent', '120');
  await visit.page.type('#typed', 'v2\n');
  await shows(visit, 'from 0 to 100');
  await visit.page.$eval('#percent', (box) => box.select());
  await visit.page.type('#percent', '2.5\n');
  await shows(visit, 'shop@v2 is worse than stable; to shift it anyway');
  await (await visit.page.waitForSelector('dialog input[type=checkbox]')).click();
  await visit.page.click('dialog .strong');
  await shows(visit, 'Accepted: grayctl shift shop v2 2.5');
  const body = { service: 'shop', version: 'v2', percent: 2.5 };
  assert.deepEqual(mock.orders, [{ verb: 'shift', body }, { verb: 'shift', body: { ...body, yes: true } }]);
});

on('a rollout that was aborted can be tried again, with the typed name', 'again', async (visit, mock) => {
  await visit.press('Retry rollout');
  await shows(visit, 'The rollout begins again: v2 gets 5 % of the users.');
  await visit.page.type('#typed', 'shop\n');
  await shows(visit, 'Type v2 to confirm.');
  assert.deepEqual(mock.orders, []);
  await visit.page.$eval('#typed', (box) => box.select());
  await visit.page.type('#typed', 'v2\n');
  await shows(visit, 'Accepted: grayctl rollout retry shop');
  assert.deepEqual(mock.orders, [{ verb: 'rollout-retry', body: { service: 'shop' } }]);
});

on('read-only: the command for another try', 'aborted', async (visit) => {
  await shows(visit, 'grayctl rollout retry shop');
  const buttons = await visit.page.$$eval('button', (all) => all.map((one) => one.innerText));
  assert.ok(!buttons.some((one) => /retry/i.test(one)), buttons.join());
});

on('why: an id and a path are explained; an unknown id is answered as grayd says', 'healthy', async (visit) => {
  visit.expected = /404/;
  await visit.page.type('#request', 'acdced6eb89c80f1\n');
  await shows(visit, 'cookie uid → bucket 50.7 %');
  await visit.page.$eval('#request', (box) => box.select());
  await visit.page.type('#request', 'unknown\n');
  await shows(visit, 'no request unknown in access.log');
  await visit.page.$eval('#request', (box) => box.select());
  await visit.page.type('#request', '/cart?version=v2\n');
  await shows(visit, 'GET /cart?version=v2 → stable v1');
});

on('an older grayd: rollouts are asked for, and why is a command', 'older', async (visit) => {
  await shows(visit, 'step 2 of 3');
  await visit.page.type('#request', 'acdced6eb89c80f1\n');
  await shows(visit, 'grayctl why acdced6eb89c80f1');
});

on('changes of a verdict and a state are announced, figures are not', 'aborted', async (visit) => {
  await shows(visit, 'aborted');
  const heard = await visit.text('[role=status]');
  assert.match(heard, /rollout of shop v2 is aborted/);
  assert.equal(await visit.page.$$eval('[aria-live],[role=status],[role=log]', (all) => all.length), 1);
});

on('a table of 200 versions: the page stays quick', 'many', async (visit) => {
  await shows(visit, 'service-99');
  const slowest = await visit.page.evaluate(async () => {
    let [worst, last] = [0, performance.now()];
    for (let i = 0; i < 150; ++i) {
      await new Promise((done) => setTimeout(done, 10));
      [worst, last] = [Math.max(worst, performance.now() - last), performance.now()];
    }
    return worst;
  });
  assert.ok(slowest < 1000, `${slowest} ms without a turn`);
});

test('without JavaScript the page says what to do', { timeout: 30_000 }, async () => {
  const mock = await new Mock(dist, scenes.healthy).start();
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setJavaScriptEnabled(false);
  await page.goto(mock.url);
  assert.match(await page.$eval('body', (body) => body.innerText), /This page needs JavaScript/);
  await context.close();
  await mock.stop();
});

test('an older browser is told so', { timeout: 30_000 }, async () => {
  const mock = await new Mock(dist, scenes.healthy).start();
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.evaluateOnNewDocument(() => delete globalThis.ResizeObserver);
  await page.goto(mock.url);
  const said = await page.$eval('body', (body) => body.innerText);
  assert.match(said, /too old for the page \(missing: observers of sizes\)/);
  await context.close();
  await mock.stop();
});
