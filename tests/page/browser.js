// Headless Chromium for the tests: one browser, and for each visit a page of a given size and colour scheme, which
// keeps what the console and the network report.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import puppeteer from 'puppeteer-core';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export function chromium() {
  const found = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
  if (!found) throw new Error('no Chromium: install the Debian package chromium');
  return found;
}

export function launch() {
  return puppeteer.launch({
    executablePath: chromium(),
    headless: true,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-background-networking'],
  });
}

export class Visit {
  problems = []; // errors of console and page, blocked resources
  expected = /^$/; // problems that the test makes on purpose
  requests = [];

  static async open(browser, url, { width = 1280, height = 800, scheme = 'light', hash = '', wait = 'live' } = {}) {
    const visit = new Visit();
    visit.context = await browser.createBrowserContext();
    const page = (visit.page = await visit.context.newPage());
    page.setDefaultTimeout(15_000);
    await visit.resize({ width, height, scheme });
    page.on('console', (message) => message.type() === 'error' && visit.problems.push(message.text()));
    page.on('pageerror', (error) => visit.problems.push(String(error)));
    page.on('request', (request) => visit.requests.push(request.url()));
    await page.goto(`${url}/${hash}`, { waitUntil: 'domcontentloaded' });
    if (wait) await visit.waitFor((text) => document.body.innerText.includes(text), wait);
    return visit;
  }

  async resize({ width, height = 800, scheme = 'light' }) {
    await this.page.setViewport({ width, height });
    await this.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  }

  /** Findings of axe-core. It is evaluated by the debugger, so the policy of the page stays as it is. */
  async findings() {
    await this.page.evaluate(axeSource);
    const run = () => globalThis.axe.run(document, { resultTypes: ['violations'] });
    const { violations } = await this.page.evaluate(run);
    const where = (one) => one.nodes.map((node) => node.html).slice(0, 3).join(' | ');
    return violations.map((one) => `${one.id}: ${one.help}: ${where(one)}`);
  }

  unexpected() {
    return this.problems.filter((text) => !this.expected.test(text));
  }

  waitFor(test, ...args) {
    return this.page.waitForFunction(test, { polling: 50 }, ...args);
  }

  text(selector = 'body') {
    return this.page.$eval(selector, (element) => element.innerText);
  }

  /** Waits for the button with exactly this text, and presses it. */
  async press(text) {
    const find = (wanted) => [...document.querySelectorAll('button')].find((one) => one.innerText.trim() === wanted);
    const button = await this.waitFor(find, text);
    await button.asElement().click();
  }

  scrollsSideways() {
    return this.page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  }

  close() {
    return this.context.close();
  }
}
