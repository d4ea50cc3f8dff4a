// What a visitor downloads before anything can be seen, and before anything can be computed.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { brotliCompressSync, constants } from "node:zlib";

import { DIST } from "./harness.js";

// Bytes after brotli at its highest level.
const BUDGETS = { page: 400_000, worker: 3_000_000 };

const scripts = readdirSync(DIST, { recursive: true }).filter((file) => /\.(js|wasm)$/.test(file));

function weigh(files) {
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 } };
  return files.reduce((sum, file) => sum + brotliCompressSync(readFileSync(join(DIST, file)), options).length, 0);
}

for (const [part, files] of [
  ["page", scripts.filter((file) => !file.startsWith("worker"))],
  ["worker", scripts.filter((file) => file.startsWith("worker"))],
]) {
  test(`the ${part} keeps to its budget of ${BUDGETS[part]} bytes`, (context) => {
    assert.ok(files.some((file) => file.endsWith(".wasm")), `no wasm among ${files}`);
    const bytes = weigh(files);
    context.diagnostic(`${bytes} bytes`);
    assert.ok(bytes <= BUDGETS[part], `${bytes} bytes`);
  });
}
