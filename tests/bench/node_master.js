'use strict';
// The gray-release master of the story, as it was written: every request is proxied through one keep-alive socket, and
// whatever does not fit waits in the agent's memory without a limit. Usage: node node_master.js BACKEND_PORT; prints
// its port.
const http = require('node:http');

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const backend = { host: '127.0.0.1', port: Number(process.argv[2]), agent };

const server = http.createServer((request, response) => {
  const options = { ...backend, method: request.method, path: request.url, headers: request.headers };
  const upstream = http.request(options, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  upstream.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  request.pipe(upstream);
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
