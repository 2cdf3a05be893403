'use strict';
// The program of scripts/demo-rollout: node demo_rollout.js FOLDER, where FOLDER has grayd and grayctl.
//
// It starts grayd with version 1 of a service, lets users ask for pages all the time, and releases version 2, which is
// good, and version 3, which fails one request in five. Nothing here moves users: grayd does. At the end the
// expectations are checked: exit 0 if they hold, 1 if not.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const RATE = 200; // requests per second
const USERS = 4_000;
const SOCKETS = 16;
const START_LIMIT_MS = 30_000;
const DEMO_LIMIT_MS = 300_000;
const WIDE = { ...process.env, COLUMNS: String(process.stdout.columns || 120) };

const build = path.resolve(process.argv[2] || 'build/release');

const SERVER = `
const failing = Number(process.env.FAILING || 0);
const server = require('node:http').createServer((request, response) => {
  request.resume();
  const fails = request.url !== '/healthz' && Math.random() < failing;
  if (fails) console.error('cannot read the shopping cart of ' + request.headers.cookie);
  const answer = () => response.writeHead(fails ? 500 : 200).end('version ' + process.env.GRAY_VERSION + '\\n');
  setTimeout(answer, 10 + 30 * Math.random()); // as if a database were asked
});
server.listen(process.env.PORT, process.env.HOST, () => process.send('ready'));
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
`;

const configuration = (port) => `
access_log = "access.log"

[listen]
http  = ["127.0.0.1:${port}"]
admin = "grayd.sock"

[service.shop]
stable   = "v1"
identity = ["cookie:uid"]            # who the user is: each stays on their version
expose   = "version"

[service.shop.version.v1]
command   = ["node", "server.js"]
cwd       = "releases/v1"
instances = 2
health    = { path = "/healthz" }

[service.shop.release]               # how every later version is started
command   = ["node", "server.js"]
cwd       = "releases/{version}"
instances = 2
health    = { path = "/healthz" }

[service.shop.rollout]
steps   = [5, 25, 100]               # percent of the users
hold    = "5s"
latency = "500ms"
`;

function say(text) {
  console.log(`\n\x1b[1m${text}\x1b[0m`.replace(/\x1b\[\d+m/g, (code) => (process.stdout.isTTY ? code : '')));
}

/** A port that is free now. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Users who ask for pages until stop(); counts the answers of each version. */
class Load {
  constructor(port) {
    this.port = port;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: SOCKETS });
    this.versions = new Map(); // name -> { requests, failed, users }
    this.unanswered = 0;
    this.firstFailed = null; // the request id of a failure
    this.timer = setInterval(() => this.ask(), 1_000 / RATE);
  }

  of(version) {
    if (!this.versions.has(version)) this.versions.set(version, { requests: 0, failed: 0, users: new Set() });
    return this.versions.get(version);
  }

  ask() {
    const user = Math.floor(Math.random() * USERS);
    const options = { port: this.port, host: '127.0.0.1', agent: this.agent, headers: { cookie: `uid=${user}` } };
    http
      .get(options, (answer) => {
        answer.resume();
        const counts = this.of(answer.headers['x-gray-version'] || 'none');
        counts.requests += 1;
        if (answer.statusCode === 200) return;
        counts.failed += 1;
        counts.users.add(user);
        this.firstFailed ||= answer.headers['x-request-id'];
      })
      .on('error', () => {
        this.unanswered += 1;
      });
  }

  stop() {
    clearInterval(this.timer);
    this.agent.destroy();
  }
}

/** Runs grayctl and shows its output; the exit code. */
function grayctl(admin, ...args) {
  console.log(`$ grayctl ${args.join(' ')}`);
  return new Promise((resolve, reject) => {
    const options = { stdio: ['ignore', 1, 2], env: WIDE };
    const child = spawn(path.join(build, 'grayctl'), ['--socket', admin, ...args], options);
    child.on('error', reject).on('exit', (code) => resolve(code));
  });
}

/** The service answers, or throws with the end of grayd's log. */
async function waitForAnswer(port, log) {
  const end = Date.now() + START_LIMIT_MS;
  for (;;) {
    const status = await new Promise((resolve) => {
      http.get({ port, host: '127.0.0.1', agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).on('error', () => resolve(0));
    });
    if (status === 200) return;
    if (Date.now() > end) throw new Error(`grayd does not answer:\n${fs.readFileSync(log, 'utf8').slice(-2_000)}`);
    await sleep(100);
  }
}

async function show(port, admin, users) {
  say('Version v1 serves all users. They ask for 200 pages a second, from now to the end.');
  users.load = new Load(port);
  await sleep(3_000);
  await grayctl(admin, 'status', 'shop');

  say('1. A good release. One command starts v2 beside v1, gives it 5 %, 25 %, then all users, and makes it stable.');
  const good = await grayctl(admin, 'deploy', 'shop', 'v2', '--rollout');
  console.log(`(exit ${good})`);

  say('2. A bad release. v3 answers one request in five with an error. The same command:');
  const begun = Date.now();
  const bad = await grayctl(admin, 'deploy', 'shop', 'v3', '--rollout', '--env', 'FAILING=0.2');
  console.log(`(exit ${bad}, ${((Date.now() - begun) / 1_000).toFixed(0)} s after the command)`);
  const { requests, failed, users: hurt } = users.load.of('v3');
  console.log(`v3 answered ${requests} requests, ${failed} of them with an error, to ${hurt.size} users.`);

  say('What the developers of v3 see: its last errors.');
  await grayctl(admin, 'logs', 'shop', 'v3');
  console.log('Why did the first of these requests go to v3? Every answer has an X-Request-Id:');
  await grayctl(admin, 'why', users.load.firstFailed);

  say('3. Second thoughts about v2: back to v1, which still runs. No process is started, no user waits.');
  const undone = await grayctl(admin, 'undo', 'shop');
  await sleep(2_000);
  await grayctl(admin, 'status', 'shop');
  console.log('Who changed what:');
  await grayctl(admin, 'history', 'shop');
  return { good, bad, undone };
}

function check(codes, load) {
  const rows = [...load.versions].map(([version, { requests, failed }]) => ({ version, requests, failed }));
  say('All requests of the demonstration, as the users saw them:');
  for (const { version, requests, failed } of rows.sort((a, b) => a.version.localeCompare(b.version)))
    console.log(`  ${version}  ${String(requests).padStart(6)} requests, ${failed} failed`);
  console.log(`  without an answer: ${load.unanswered}`);
  const failures = [];
  if (codes.good !== 0) failures.push(`the good release ended with exit ${codes.good} instead of 0`);
  if (codes.bad !== 6) failures.push(`the bad release ended with exit ${codes.bad} instead of 6`);
  if (codes.undone !== 0) failures.push(`the undo ended with exit ${codes.undone} instead of 0`);
  if (load.unanswered > 0) failures.push('there are requests without an answer');
  for (const { version, failed } of rows)
    if (version !== 'v3' && failed > 0) failures.push(`${failed} requests of ${version} failed`);
  for (const failure of failures) console.error(`not as expected: ${failure}`);
  return failures.length === 0;
}

async function main() {
  for (const program of ['grayd', 'grayctl'])
    if (!fs.existsSync(path.join(build, program)))
      throw new Error(`there is no ${build}/${program}; run scripts/build`);
  const port = await freePort();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'grayd-demo-'));
  for (const version of ['v1', 'v2', 'v3']) {
    fs.mkdirSync(path.join(folder, 'releases', version), { recursive: true });
    fs.writeFileSync(path.join(folder, 'releases', version, 'server.js'), SERVER);
  }
  const file = path.join(folder, 'grayd.toml');
  const log = path.join(folder, 'grayd.log');
  fs.writeFileSync(file, configuration(port));
  const output = fs.openSync(log, 'w');
  const grayd = spawn(path.join(build, 'grayd'), ['--config', file], { stdio: ['ignore', output, output] });
  const ended = new Promise((resolve) => grayd.on('exit', resolve));
  const users = {};
  const limit = setTimeout(() => stop(new Error('the demonstration takes too long')), DEMO_LIMIT_MS);
  let stopped = false;
  async function stop(error) {
    if (stopped) return;
    stopped = true;
    clearTimeout(limit);
    users.load?.stop();
    grayd.kill('SIGTERM');
    await ended;
    fs.rmSync(folder, { recursive: true, force: true });
    if (error) console.error(`demo-rollout: ${error.message}`);
    process.exit(process.exitCode ?? (error ? 1 : 0));
  }
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => stop(new Error(`ended by ${name}`)));
  try {
    await waitForAnswer(port, log);
    const codes = await show(port, path.join(folder, 'grayd.sock'), users);
    if (!check(codes, users.load)) process.exitCode = 1;
    await stop();
  } catch (error) {
    await stop(error);
  }
}

main().catch((error) => {
  console.error(`demo-rollout: ${error.message}`);
  process.exit(1);
});
