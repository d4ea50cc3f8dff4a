// A static file server on loopback, as plain as the hosts the page is meant for.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".onnx": "application/octet-stream",
  ".png": "image/png",
  ".wasm": "application/wasm",
};

/**
 * Serves a folder under /some/path/, so that only relative addresses work.
 *
 * `replaced` maps a path below it to another file, as a test's stand-in for the worker, or to its content as bytes.
 */
export async function serve(folder, replaced = {}) {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    const below = normalize(path).replace(/^\/some\/path\//, "");
    const name = below === "" ? "index.html" : below;
    const type = { "content-type": TYPES[extname(name)] ?? "application/octet-stream" };
    if (Buffer.isBuffer(replaced[name])) {
      response.writeHead(200, type).end(replaced[name]);
      return;
    }
    const file = replaced[name] ?? join(folder, name);
    const found = path.startsWith("/some/path/") && (await stat(file).catch(() => undefined))?.isFile();
    if (!found) {
      response.writeHead(404).end("not found");
      return;
    }
    response.writeHead(200, type);
    createReadStream(file).pipe(response);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    address: `http://127.0.0.1:${server.address().port}/some/path/`,
    close: () => new Promise((closed) => server.close(closed).closeAllConnections()),
  };
}
