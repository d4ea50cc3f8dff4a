// How the worker is linked.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { DIST } from "./harness.js";

test("calls into the worker do not run the constructors of its libraries each time", () => {
  const script = readdirSync(DIST).find((name) => /^worker-\w+\.js$/.test(name));
  // The linker's name for a function that runs them first: every message then takes seconds.
  assert.doesNotMatch(readFileSync(join(DIST, script), "utf8"), /_command_export/);
});
