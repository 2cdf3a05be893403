// Serves the build of its version; unknown paths: 404, or index.html with FALLBACK=1.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

const root = join(import.meta.dirname, 'dist', process.env.GRAY_VERSION);
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

function send(response, status, file) {
  response.writeHead(status, { 'content-type': types[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(response);
}

createServer((request, response) => {
  const path = new URL(request.url, 'http://localhost').pathname;
  const file = join(root, path === '/' ? 'index.html' : path);
  if (file.startsWith(root) && existsSync(file) && statSync(file).isFile()) return send(response, 200, file);
  if (process.env.FALLBACK === '1') return send(response, 200, join(root, 'index.html'));
  response.writeHead(404, { 'content-type': 'text/plain' });
  response.end('not found\n');
}).listen(process.env.PORT, process.env.HOST, () => process.send?.('ready'));
