// What a visitor downloads before anything can be seen, and before anything can be computed.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

import { DIST } from "./harness.js";

/** Bytes after brotli at its highest level. */
const BUDGETS = { page: 400_000, worker: 3_000_000 };

/** The scripts and programs of the page and of the worker, each with their weight in bytes. */
export function weights() {
  const scripts = readdirSync(DIST, { recursive: true }).filter((file) => /\.(js|wasm)$/.test(file));
  return Object.entries(BUDGETS).map(([part, budget]) => {
    const files = scripts.filter((file) => file.startsWith("worker") === (part === "worker"));
    return { part, budget, files, bytes: files.reduce((sum, file) => sum + weigh(file), 0) };
  });
}

function weigh(file) {
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 } };
  return brotliCompressSync(readFileSync(join(DIST, file)), options).length;
}
