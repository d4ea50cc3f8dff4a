// How long a model file takes to load and to answer in a tab, beside onnxruntime-web: `cargo xtask bench`.
//
// Page and reference take turns in one browser, so that a busy machine slows both; compare the ratios.

import { existsSync } from "node:fs";
import { basename, join } from "node:path";

import { DIST, choose, explain, launch, numbers, open, servePage, until } from "./harness.js";
import { serve } from "./server.js";

const MODEL = process.env.VITRINE_BENCH_MODEL;

/** The reference's files, which are not installed for tests. */
const REFERENCE = join(import.meta.dirname, "node_modules/onnxruntime-web/dist");

// A GPU simulated on the processor takes minutes for one round.
const BACKENDS = [
  { name: "CPU", adapter: "none", fragment: "", bundle: "ort.wasm.min.mjs", provider: "wasm", rounds: 3 },
  { name: "WebGPU (simulated)", adapter: "webgpu", fragment: "#device=gpu", bundle: "ort.webgpu.min.mjs", provider: "webgpu", rounds: 1 },
];

/** Milliseconds in the page: as its worker reports them, and from giving the file to the answer on the screen. */
async function ours(browser, address) {
  const page = await open(browser, address);
  await until(page, "ready");
  const started = performance.now();
  await page.getByTestId("model-drop").locator("input").setInputFiles(MODEL);
  // Only a model without a card has classes without names.
  await page.getByTestId("predictions").getByText(/^class \d+/).first().waitFor();
  const shown = performance.now() - started;
  await choose(page, "grad-cam");
  await explain(page);
  const { load, first_run } = (await numbers(page)).seconds;
  await page.getByTestId("sample-1").click();
  await until(page, "ready");
  await explain(page);
  const forward = (await numbers(page)).seconds.first_run;
  await page.context().close();
  return { load: 1000 * load, first: 1000 * first_run, forward: 1000 * forward, shown };
}

/** The same for the reference, on one thread; it too has loaded and run another model before. */
async function theirs(browser, address, bundle, provider) {
  const page = await open(browser, address);
  const times = await page.evaluate(
    async ([bundle, provider]) => {
      const { InferenceSession, Tensor, env } = await import(`./${bundle}`);
      env.wasm.numThreads = 1;
      const timed = async (work) => {
        const started = performance.now();
        return [await work(), performance.now() - started];
      };
      const loaded = async (file) => {
        const bytes = new Uint8Array(await (await fetch(file)).arrayBuffer());
        return timed(() => InferenceSession.create(bytes, { executionProviders: [provider] }));
      };
      const runs = async (session, side, count) => {
        const image = new Tensor("float32", new Float32Array(3 * side * side).map((_, index) => (index % 255) / 255), [1, 3, side, side]);
        const times = [];
        for (let run = 0; run < count; run++) times.push((await timed(() => session.run({ [session.inputNames[0]]: image })))[1]);
        return times;
      };
      await runs((await loaded("critters.onnx"))[0], 64, 1);
      const [[session, load], whole] = await timed(() => loaded("model.onnx"));
      const [first, ...later] = await runs(session, 224, 3);
      return { load, first, forward: Math.min(...later), shown: whole + first };
    },
    [bundle, provider],
  );
  await page.context().close();
  return times;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const medians = (rounds) => Object.fromEntries(Object.keys(rounds[0]).map((stage) => [stage, median(rounds.map((round) => round[stage]))]));

function print(name, { load, first, forward, shown }, decimals = 0) {
  const columns = [load, first, forward, shown].map((value) => value.toFixed(decimals).padStart(14));
  console.log(`  ${name.padEnd(40)}${columns.join("")}`);
}

async function compare({ name, adapter, fragment, bundle, provider, rounds }, page, reference) {
  const browser = await launch(adapter);
  const found = [];
  for (let round = 0; round < rounds; round++) {
    const mine = await ours(browser, page.address + fragment);
    const other = reference && (await theirs(browser, reference.address, bundle, provider));
    found.push({ mine, other });
  }
  await browser.close();
  console.log(`${basename(MODEL)}, in a tab, ${name}: ms, medians of ${rounds}`);
  console.log(`  ${["load", "1st forward", "forward", "file to answer"].map((head) => head.padStart(14)).join("").padStart(96)}`);
  print("page", medians(found.map(({ mine }) => mine)));
  if (!reference) return;
  print("onnxruntime-web", medians(found.map(({ other }) => other)));
  const ratios = found.map(({ mine, other }) => Object.fromEntries(Object.keys(mine).map((stage) => [stage, mine[stage] / other[stage]])));
  print("  page / onnxruntime-web", medians(ratios), 2);
}

if (MODEL) {
  const page = await servePage();
  const installed = existsSync(REFERENCE);
  if (!installed) console.log("onnxruntime-web is not installed, so the page is not compared with it");
  const files = { "index.html": Buffer.from("<!doctype html>"), "model.onnx": MODEL, "critters.onnx": join(DIST, "models/critters.onnx") };
  const reference = installed && (await serve(REFERENCE, files));
  for (const backend of BACKENDS) await compare(backend, page, reference);
  await page.close();
  if (reference) await reference.close();
} else {
  console.log("VITRINE_BENCH_MODEL names no model file, so loading is not measured");
}
