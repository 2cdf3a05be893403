// Drives Chromium: a page of a named version, and 20 tabs that are open while users are moved and workers replaced.
// drive.js URL CHROMIUM GRAYCTL SOCKET; prints one JSON object.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const [url, executablePath, grayctl, socket] = process.argv.slice(2);
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

async function openTabs() {
  const tabs = [];
  const failed = [];
  let loads = 0;
  const open = async (count) => {
    for (let i = 0; i < count; ++i) tabs.push(await Tab.open('/', `user${tabs.length}`));
  };
  const loadAll = async (number) => {
    for (const why of await Promise.all(tabs.map((tab) => tab.load(number)))) {
      ++loads;
      if (why) failed.push(why);
    }
  };
  await open(4);
  await ctl('shift', 'web', 'v2', '20');
  await open(8);
  await loadAll(0);
  await ctl('shift', 'web', 'v2', '50');
  await open(8);
  await loadAll(1);
  await ctl('shift', 'web', 'v2', '0');
  await loadAll(2);
  await ctl('restart', 'web', 'v1');
  await loadAll(3);
  const count = (version) => tabs.filter((tab) => tab.version === version).length;
  return {
    tabs: tabs.length, v1: count('v1'), v2: count('v2'), incomplete: tabs.filter((tab) => !tab.complete).length,
    loads, failed: failed.length, example: failed[0] ?? '',
  };
}

try {
  console.log(JSON.stringify({ named: await named(), open: await openTabs() }));
} finally {
  await browser.close();
}
