// A stand-in for the server side of the page: the page itself with its Content-Security-Policy, the stream, the verbs
// that read and those that change. It sends what a scene says, keeps every request, and can cut all streams.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const changing = [
  'promote', 'shift', 'undo', 'rollout-pause', 'rollout-resume', 'rollout-promote', 'rollout-abort', 'rollout-retry',
];
const longest = 1024 * 1024; // of a body

export class Mock {
  requests = []; // "METHOD PATH"
  orders = []; // {verb, body}
  down = false; // connections are closed without an answer

  /** A scene: {pictures: generator of [picture, milliseconds until the next], answers: {verb: (query) => object}}. */
  constructor(dist, scene) {
    this.scene = scene;
    this.page = readFileSync(join(dist, 'index.html'));
    this.packed = readFileSync(join(dist, 'index.html.gz'));
    this.policy = readFileSync(join(dist, 'csp.txt'), 'utf8').trim();
    this.streams = new Set();
    this.server = createServer((request, response) => this.answer(request, response));
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  async stop() {
    this.cut();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  /** Ends all streams as a grayd that ends. */
  cut() {
    for (const response of this.streams) response.destroy();
  }

  answer(request, response) {
    if (this.down) return void request.socket.destroy();
    const url = new URL(request.url, this.url);
    this.requests.push(`${request.method} ${url.pathname}`);
    const json = (status, body) => {
      response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
      response.end(JSON.stringify({ schema_version: 1, ...body }));
    };
    const verb = url.pathname.replace(/^\/v1\//, '');
    if (url.pathname === '/') return this.sendPage(request, response);
    if (verb === 'live') return this.scene.refusal ? json(...this.scene.refusal) : this.stream(response);
    if (changing.includes(verb)) return this.order(request, verb, json);
    const found = this.scene.answers?.[verb];
    if (!found) return json(404, { exit_code: 2, error: `${url.pathname}: there is nothing at this path` });
    const { status = 200, ...body } = found(Object.fromEntries(url.searchParams));
    return json(status, body);
  }

  sendPage(request, response) {
    const packed = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    response.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': this.policy,
      'X-Content-Type-Options': 'nosniff',
      ...(packed ? { 'Content-Encoding': 'gzip' } : {}),
    });
    response.end(packed ? this.packed : this.page);
  }

  stream(response) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    this.streams.add(response);
    let timer;
    response.on('close', () => {
      clearTimeout(timer);
      this.streams.delete(response);
    });
    const pictures = this.scene.pictures();
    let id = 0;
    const send = () => {
      const { value, done } = pictures.next();
      if (done) return;
      const [picture, wait] = value;
      response.write(`id: ${++id}\ndata: ${JSON.stringify(picture)}\n\n`);
      timer = setTimeout(send, wait);
    };
    send();
  }

  order(request, verb, json) {
    const refuse = (status, error) => json(status, { exit_code: 4, error });
    const { origin, host } = request.headers;
    if (request.method !== 'POST') return json(405, { exit_code: 2, error: `${verb} changes something; use POST` });
    if (!this.scene.writable) return refuse(403, 'this page is read-only: set [admin] write = true');
    if (request.headers['content-type'] !== 'application/json') return refuse(403, 'Content-Type must be JSON');
    if (request.headers['x-grayd'] !== 'page') return refuse(403, 'the field X-Grayd is missing');
    if (origin && new URL(origin).host !== host) return refuse(403, `Origin ${origin} is not this host`);
    let text = '';
    request.on('data', (piece) => (text += piece.toString()).length > longest && request.destroy());
    request.on('end', () => {
      const body = JSON.parse(text);
      this.orders.push({ verb, body });
      const { status = 200, ...reply } = this.scene.orders?.[verb]?.(body) ?? {};
      json(status, reply);
    });
    return undefined;
  }
}
