// node client.js URL CASE: one conversation over WebSocket, or many; says "ok", or what was wrong, with exit code 1.
'use strict';
const assert = require('assert');
const crypto = require('crypto');
const WebSocket = require('ws');

const [url, name] = process.argv.slice(2);

function open(options) {
  const socket = new WebSocket(url, options);
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

function next(socket, event) {
  return new Promise(resolve => socket.once(event, (...values) => resolve(values)));
}

async function echo(socket, data) {
  const answer = next(socket, 'message');
  socket.send(data);
  const [back, binary] = await answer;
  assert.strictEqual(binary, typeof data !== 'string');
  assert(Buffer.from(data).equals(back), `${data.length} bytes came back changed`);
}

async function closed(socket, code, reason) {
  const [got, why] = await next(socket, 'close');
  assert.deepStrictEqual([got, why.toString()], [code, reason]);
}

// As many connections as `count`, each with `messages` of its own sizes, all at once.
async function many(count, messages, largest) {
  await Promise.all(Array.from({ length: count }, async () => {
    const socket = await open();
    for (let i = 0; i < messages; ++i) await echo(socket, crypto.randomBytes(crypto.randomInt(largest)));
    socket.close(1000, 'done');
    await closed(socket, 1000, 'done');
  }));
}

const cases = {
  async text() {
    const socket = await open();
    for (const text of ['', 'hello', 'grüße, 世界', 'x'.repeat(70000)]) await echo(socket, text);
    socket.close();
    await closed(socket, 1005, '');
  },
  async binary() {
    for (const perMessageDeflate of [false, true]) {
      const socket = await open({ perMessageDeflate });
      assert.strictEqual(socket.extensions !== '', perMessageDeflate);
      for (const size of [0, 1, 125, 126, 65535, 65536, 300000]) await echo(socket, crypto.randomBytes(size));
      socket.terminate();
    }
  },
  async fragments() {
    const socket = await open();
    const message = crypto.randomBytes(1 << 20);
    const answer = next(socket, 'message');
    for (let at = 0; at < message.length; at += 10000) {
      socket.send(message.subarray(at, at + 10000), { fin: at + 10000 >= message.length });
      if (at === 500000) socket.ping('between');
    }
    const [back] = await answer;
    assert(message.equals(back));
    socket.terminate();
  },
  async ping() {
    const socket = await open();
    const pong = next(socket, 'pong');
    socket.ping('from the client');
    assert.strictEqual((await pong)[0].toString(), 'from the client');
    const answer = next(socket, 'message');
    socket.send('!ping');
    assert.strictEqual((await answer)[0].toString(), 'pong from the server');
    socket.terminate();
  },
  async codes() {
    for (const [code, reason] of [[1000, 'bye'], [4001, 'mine'], [3000, '']]) {
      const mine = await open();
      mine.close(code, reason);
      await closed(mine, code, reason);
      const theirs = await open();
      theirs.send(`!close ${code} ${reason}`);
      await closed(theirs, code, reason);
    }
  },
  async away() {
    const socket = await open();
    await echo(socket, 'hello');
    console.log('open');
    await closed(socket, 1001, '');
  },
  many: () => many(200, 5, 3000),
  busy: () => many(32, 40, 40000),
};

cases[name]().then(() => { console.log('ok'); process.exit(0); },
                   error => { console.log(String(error.stack)); process.exit(1); });
