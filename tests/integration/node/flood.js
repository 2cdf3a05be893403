// node flood.js URL BYTES CONNECTIONS: sends so many random bytes to a server that sends them back, in messages and
// fragments of random sizes, and says as JSON how many came back and whether each connection's hashes are equal.
'use strict';
const crypto = require('crypto');
const WebSocket = require('ws');

const [url, total, connections] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const pool = crypto.randomBytes(8 << 20);
const kLargest = 256 << 10;
const kWindow = 1 << 20; // bytes on their way, so that neither end keeps much

function run(bytes) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    const sent = crypto.createHash('sha256'), received = crypto.createHash('sha256');
    let out = 0, back = 0;
    const more = () => {
      while (out < bytes && out - back < kWindow) {
        const size = Math.min(1 + crypto.randomInt(kLargest), bytes - out);
        const at = crypto.randomInt(pool.length - size);
        const piece = pool.subarray(at, at + size);
        sent.update(piece);
        out += size;
        const cut = size >> 1;
        if (size & 1 && cut) socket.send(piece.subarray(0, cut), { fin: false });
        socket.send(size & 1 && cut ? piece.subarray(cut) : piece);
      }
    };
    socket.on('open', more);
    socket.on('error', reject);
    socket.on('message', data => {
      received.update(data);
      back += data.length;
      if (back >= bytes) return socket.close(1000);
      more();
    });
    socket.on('close', () => resolve({ out, back, same: sent.digest('hex') === received.digest('hex') }));
  });
}

Promise.all(Array.from({ length: connections }, () => run(Math.ceil(total / connections)))).then(all => {
  console.log(JSON.stringify({
    sent: all.reduce((sum, one) => sum + one.out, 0),
    received: all.reduce((sum, one) => sum + one.back, 0),
    changed: all.filter(one => !one.same).length,
  }));
}).catch(error => { console.error(error.stack); process.exit(1); });
