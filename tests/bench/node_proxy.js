'use strict';
// What a Node team would write for a plain proxy, with care: node:http on both sides, one agent that keeps enough
// connections to the backend. Usage: node node_proxy.js BACKEND_PORT [PORT]; prints its port.
const http = require('node:http');
const { pipeline } = require('node:stream');

const agent = new http.Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 256, scheduling: 'lifo' });
const backend = { host: '127.0.0.1', port: Number(process.argv[2]), agent };

const server = http.createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  const { connection, ...headers } = request.headers;
  const upstream = http.request({ ...backend, method: request.method, path: request.url, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    pipeline(answer, response, () => {});
  });
  upstream.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  request.pipe(upstream);
});

server.listen(Number(process.argv[3] ?? 0), '127.0.0.1', () => console.log(server.address().port));
