// The pictures of the page in docs/images: pictures.js FOLDER BINARIES, where BINARIES has grayd and grayctl. A real
// grayd serves two services under load. Version 2 of one gets users step by step; it is pictured, then it fails, grayd
// takes its users back, and this is pictured. Temporary folder, free ports, about two minutes.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { launch, Visit } from './browser.js';

const [images, binaries] = process.argv.slice(2).map((path) => resolve(path));
const limit = 240_000; // ms, of everything
const users = 4_000;
const everyMs = 10; // one request

const worker = `
const { existsSync } = require('node:fs');
const server = require('node:http').createServer((request, response) => {
  request.resume();
  const bad = process.env.GRAY_VERSION === 'v2' && existsSync('broken') && request.url !== '/healthz';
  const fails = bad && Math.random() < 0.2;
  if (fails) console.error('cannot read the shopping cart of ' + request.headers.cookie);
  setTimeout(() => response.writeHead(fails ? 500 : 200).end(), (bad ? 60 : 5) + 30 * Math.random() ** 3);
});
server.listen(process.env.PORT, process.env.HOST, () => {
  console.log('listening on ' + process.env.PORT);
  process.send('ready');
});
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
`;

const configuration = (port, pagePort) => `
access_log = "access.log"
[listen]
http      = ["127.0.0.1:${port}"]
admin     = "grayd.sock"
dashboard = "127.0.0.1:${pagePort}"

[service.shop]
paths    = ["/"]
stable   = "v1"
identity = ["cookie:uid"]
version.v1 = { command = ["node", "worker.js"], instances = 2, health = { path = "/healthz" } }
version.v2 = { command = ["node", "worker.js"], health = { path = "/healthz" } }
rollout  = { steps = [5, 25, 50, 100], hold = "20s", latency = "500ms" }

[service.search]
paths    = ["/search"]
stable   = "41"
identity = ["cookie:uid"]
version.41 = { command = ["node", "worker.js"], health = { path = "/healthz" } }
version.42 = { command = ["node", "-e", "console.error('no database at 10.0.0.7'); process.exit(3)"] }
`;

function freePort() {
  return new Promise((done) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

function load(port) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  const timer = setInterval(() => {
    const path = Math.random() < 0.3 ? '/search' : '/';
    const headers = { cookie: `uid=${Math.floor(users * Math.random())}` };
    http.get({ host: '127.0.0.1', port, path, agent, headers }, (answer) => answer.resume()).on('error', () => {});
  }, everyMs);
  return () => {
    clearInterval(timer);
    agent.destroy();
  };
}

async function waitForPage(url, log) {
  for (let i = 0; i < 300; ++i, await sleep(100)) {
    const answer = await fetch(url).catch(() => undefined);
    if (!answer) continue;
    if ((await answer.text()).includes('<html')) return;
    throw new Error('this grayd was built without its page');
  }
  throw new Error(`grayd does not answer:\n${readFileSync(log, 'utf8')}`);
}

const narrow = { width: 360, height: 800 };
const wide = { width: 1280, height: 800 };

async function take(url, folder, grayctl) {
  const browser = await launch();
  try {
    const visit = await Visit.open(browser, url, wide);
    const picture = async (name, look) => {
      await visit.resize(look);
      await sleep(1500);
      await visit.page.screenshot({ path: join(images, name), type: 'webp', quality: 70, fullPage: true });
    };
    const shows = (text) => visit.page.waitForFunction(
      (wanted) => document.body.innerText.includes(wanted), { timeout: 90_000 }, text,
    );
    await sleep(20_000);
    await grayctl('rollout', 'start', 'shop', 'v2');
    await shows('step 2 of 4');
    await sleep(12_000);
    await picture('page-light.webp', { ...wide, scheme: 'light' });
    writeFileSync(join(folder, 'broken'), '');
    await shows('aborted');
    await sleep(3_000);
    await picture('page-dark.webp', { ...wide, scheme: 'dark' });
    await picture('page-narrow.webp', { ...narrow, scheme: 'light' });
    if (visit.problems.length) throw new Error(visit.problems.join('\n'));
  } finally {
    await browser.close();
  }
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'grayd-pictures-'));
  const [port, pagePort] = [await freePort(), await freePort()];
  const log = join(folder, 'grayd.log');
  writeFileSync(join(folder, 'worker.js'), worker);
  writeFileSync(join(folder, 'grayd.toml'), configuration(port, pagePort));
  const output = openSync(log, 'w');
  const stdio = ['ignore', output, output];
  const grayd = spawn(join(binaries, 'grayd'), ['--config', 'grayd.toml'], { cwd: folder, stdio });
  const ended = new Promise((done) => grayd.on('exit', done));
  const grayctl = (...words) =>
    promisify(execFile)(join(binaries, 'grayctl'), ['--socket', join(folder, 'grayd.sock'), ...words]);
  const timer = setTimeout(() => process.exit(1), limit);
  process.on('exit', () => grayd.kill('SIGKILL'));
  const url = `http://127.0.0.1:${pagePort}`;
  let stopLoad = () => {};
  try {
    await waitForPage(url, log);
    stopLoad = load(port);
    await take(url, folder, grayctl);
  } finally {
    stopLoad();
    grayd.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
    clearTimeout(timer);
  }
}

await main();
