// A worker that speaks WebSocket: it sends every message back, and does what a text that begins with '!' says.
'use strict';
const fs = require('fs');
const http = require('http');
const { WebSocketServer } = require('ws');

const server = http.createServer((request, response) => response.end('plain\n'));
const sockets = new WebSocketServer({ server, perMessageDeflate: true, maxPayload: 64 << 20 });

sockets.on('connection', socket => {
  socket.on('error', () => {});
  socket.on('message', (data, binary) => {
    const text = binary ? '' : data.toString();
    if (text.startsWith('!close ')) {
      const [, code, reason] = text.split(' ');
      socket.close(Number(code), reason);
    } else if (text === '!ping') {
      socket.once('pong', payload => socket.send('pong ' + payload));
      socket.ping('from the server');
    } else {
      socket.send(data, { binary });
    }
  });
  socket.on('close', (code, reason) => {
    if (process.env.CLOSES) fs.appendFileSync(process.env.CLOSES, `${code} ${reason}\n`);
  });
});

server.listen(Number(process.env.PORT), process.env.HOST, () => {
  fs.writeSync(Number(process.env.GRAY_READY_FD), 'READY=1\n');
});
// SIGTERM comes as soon as the last connection is closed: its close event may still be due.
process.on('SIGTERM', () => {
  const end = () => sockets.clients.size === 0 && process.exit(0);
  for (const socket of sockets.clients) socket.on('close', end);
  end();
});
