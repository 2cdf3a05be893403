// Answers with what Node made of a request: X-View says method and target, X-Body length and SHA-1 of the body.
// With RECORD in the environment it also writes a line for each request that was complete.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');

const record = process.env.RECORD ? fs.openSync(process.env.RECORD, 'a') : null;

const server = http.createServer({maxHeaderSize: 256 * 1024, keepAliveTimeout: 60000}, (request, response) => {
  const hash = crypto.createHash('sha1');
  let length = 0;
  request.on('data', (piece) => {
    length += piece.length;
    hash.update(piece);
  });
  request.on('end', () => {
    const body = `${length} ${hash.digest('hex')}`;
    const client = request.headers['x-forwarded-for'];
    if (record) fs.writeSync(record, JSON.stringify([client, request.method, request.url, body]) + '\n');
    response.setHeader('X-View', `${request.method} ${request.url}`);
    response.setHeader('X-Body', body);
    response.end('ok\n');
  });
});
server.maxHeadersCount = 0;
server.listen(Number(process.env.PORT), process.env.HOST);
