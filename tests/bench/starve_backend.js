// The worker behind clients that starve each other: 16 MiB for /large, the number of bytes for a POST, an upgrade that
// says nothing, and a short answer for everything else.
"use strict";
const http = require("node:http");

const large = Buffer.alloc(16 << 20, "x");
const server = http.createServer({ keepAliveTimeout: 75000, requestTimeout: 0 }, (request, response) => {
  if (request.url.startsWith("/large")) return response.end(large);
  if (request.method !== "POST") return response.end("short\n");
  let bytes = 0;
  request.on("data", (piece) => (bytes += piece.length));
  request.on("end", () => response.end(`${bytes}\n`));
  request.on("error", () => {});
});
server.on("upgrade", (request, socket) => {
  socket.on("error", () => {});
  socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: silence\r\n\r\n");
});
server.listen(Number(process.env.PORT), process.env.HOST || "127.0.0.1");
