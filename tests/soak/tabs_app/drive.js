// Drives Chromium: tabs that are open while users are moved. drive.js SCENARIO URL CHROMIUM GRAYCTL SOCKET; prints one
// JSON object. Scenarios: shift (a page of a named version, and 20 tabs that are open while users are moved by hand and
// workers replaced), release (24 tabs during deploy, ramp, promote and undo).
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const [scenario, url, executablePath, grayctl, socket] = process.argv.slice(2);
const ctl = (...args) => promisify(execFile)(grayctl, ['--socket', socket, ...args], { timeout: 120_000 });
const READY = 5_000; // ms for a page to become complete
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });

class Tab {
  static async open(path, user) {
    const tab = new Tab();
    tab.context = await browser.newContext();
    if (user) await tab.context.addCookies([{ name: 'uid', value: user, url }]);
    tab.page = await tab.context.newPage();
    await tab.page.goto(url + path, { waitUntil: 'load' });
    tab.complete = await tab.page
      .waitForFunction(() => window.complete?.(), null, { timeout: READY })
      .then(() => true, () => false);
    tab.version = tab.complete ? await tab.page.evaluate(() => window.version) : null;
    return tab;
  }

  // null, or why the chunk is missing.
  async load(number) {
    if (!this.complete) return 'the page is not complete';
    try {
      const found = await this.page.evaluate((wanted) => window.loadChunk(wanted), number);
      return found === `${this.version} c${number}` ? null : `a chunk of ${found}`;
    } catch (error) {
      return error.message.split('\n')[0];
    }
  }
}

async function named() {
  const tab = await Tab.open('/?version=v2');
  const chunk = await tab.load(0);
  await tab.context.close();
  return { complete: tab.complete && tab.version === 'v2', chunk };
}

class Tabs {
  all = [];
  failed = [];
  loads = 0;
  next = 0;

  async open(count) {
    for (let i = 0; i < count; ++i) this.all.push(await Tab.open('/', `user${this.all.length}`));
  }

  // A chunk that no tab has loaded.
  async load() {
    const number = this.next++;
    for (const why of await Promise.all(this.all.map((tab) => tab.load(number)))) {
      ++this.loads;
      if (why) this.failed.push(why);
    }
  }

  get figures() {
    const count = (version) => this.all.filter((tab) => tab.version === version).length;
    return {
      tabs: this.all.length, v1: count('v1'), v2: count('v2'),
      incomplete: this.all.filter((tab) => !tab.complete).length,
      loads: this.loads, failed: this.failed.length, example: this.failed[0] ?? '',
    };
  }
}

async function shift() {
  const tabs = new Tabs();
  await tabs.open(4);
  await ctl('shift', 'web', 'v2', '20');
  await tabs.open(8);
  await tabs.load();
  await ctl('shift', 'web', 'v2', '50');
  await tabs.open(8);
  await tabs.load();
  await ctl('shift', 'web', 'v2', '0');
  await tabs.load();
  await ctl('restart', 'web', 'v1');
  await tabs.load();
  return { named: await named(), open: tabs.figures };
}

async function weightIs(percent) {
  for (let tries = 0; tries < 300; ++tries) {
    const { stdout } = await ctl('status', '-o', 'json');
    const { versions } = JSON.parse(stdout).services[0];
    if (versions.some(({ name, weight }) => name === 'v2' && weight === percent)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`v2 does not get ${percent} % of the users`);
}

async function release() {
  const tabs = new Tabs();
  await tabs.open(4);
  await ctl('deploy', 'web', 'v2');
  await tabs.load();
  await ctl('rollout', 'start', 'web', 'v2', '--steps', '25,50', '--hold', '1h');
  await weightIs(25);
  await tabs.open(8);
  await tabs.load();
  await ctl('rollout', 'promote', 'web');
  await weightIs(50);
  await tabs.open(8);
  await tabs.load();
  await ctl('rollout', 'promote', 'web', '--full');
  await weightIs(100);
  await tabs.open(4);
  await tabs.load();
  await ctl('undo', 'web');
  await weightIs(0);
  await tabs.load();
  return { open: tabs.figures };
}

try {
  console.log(JSON.stringify(await { shift, release }[scenario]()));
} finally {
  await browser.close();
}
