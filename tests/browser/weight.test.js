// What a visitor downloads keeps to its budget.

import assert from "node:assert/strict";
import { test } from "node:test";

import { weights } from "./weight.js";

for (const { part, budget, files, bytes } of weights()) {
  test(`the ${part} keeps to its budget of ${budget} bytes`, (context) => {
    assert.ok(files.some((file) => file.endsWith(".wasm")), `no wasm among ${files}`);
    context.diagnostic(`${bytes} bytes`);
    assert.ok(bytes <= budget, `${bytes} bytes`);
  });
}
