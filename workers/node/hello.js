'use strict';
// An ordinary Node service without any code for grayd: it listens on PORT and HOST, tells its parent process that it is
// ready, and finishes its requests on SIGTERM. `node hello.js` works as well.
const http = require('node:http');

const who = {
  version: process.env.GRAY_VERSION || 'none',
  greeting: process.env.GREETING || 'hello',
  worker: process.env.GRAY_WORKER_ID || 'none',
  pid: process.pid,
};

const server = http.createServer((request, response) => {
  request.resume();
  if (request.url === '/healthz') {
    response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n');
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(who)}\n`);
});

server.listen(Number(process.env.PORT || 3000), process.env.HOST || '127.0.0.1', () => {
  const { address, port } = server.address();
  console.log(`${who.greeting} from version ${who.version} on ${address}:${port}`);
  if (process.send) process.send('ready');
});

server.on('error', (error) => {
  console.error(`hello: ${error.message}`);
  process.exit(1);
});

process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
