// How long methods take in a tab, beside TensorFlow.js, and for masks onnxruntime-web, in the same browser: `cargo xtask bench`.
//
// Page and references take turns and explain the same answer to the same picture; compare the ratios. TensorFlow.js has no
// relevance propagation, onnxruntime-web no gradients.

import { existsSync } from "node:fs";
import { join } from "node:path";

import { choose, explain, launch, numbers, open, servePage, until } from "./harness.js";
import { serve } from "./server.js";

const HERE = import.meta.dirname;
const MODEL = process.env.VITRINE_BENCH_MODEL;

/** The references' files, which are not installed for tests. */
const PACKAGES = join(HERE, "node_modules/@tensorflow");
const ONNXRUNTIME = join(HERE, "node_modules/onnxruntime-web/dist");

// A large model, and a GPU simulated on the processor, would take many minutes for one method: they get less to do.
const all = { samples: 50, steps: 50, channels: 0, masks: 512, batch: 64 };
const few = (count) => ({ samples: count, steps: count, channels: count, masks: 2 * count, batch: 4 });
const BACKENDS = [
  { name: "CPU", adapter: "none", fragment: "", backend: "wasm", bundle: "ort.wasm.min.mjs", rounds: 3, counts: [all, few(8)] },
  { name: "WebGPU (simulated)", adapter: "webgpu", fragment: "#device=gpu", backend: "webgpu", bundle: "ort.webgpu.min.mjs", rounds: 1, counts: [few(4), few(1)] },
];

/** The models with the sides of their pictures; the second one need not be there. */
const MODELS = [
  { title: "built-in model", path: join(HERE, "../../crates/zoo/models/critters.onnx"), side: 64 },
  { title: "ResNet-18", path: MODEL, side: 224 },
];

/** Milliseconds from which a first run counts. */
const LONG = 5000;

const METHODS = {
  saliency: () => ({}),
  "smooth-grad": ({ samples }) => ({ samples }),
  "integrated-gradients": ({ steps }) => ({ steps }),
  "grad-cam": () => ({}),
  "score-cam": ({ channels }) => ({ channels }),
  lrp: () => ({}),
  rise: ({ masks }) => ({ masks }),
};

/** A picture of colours that look random, so large that nothing has to be resized. */
async function picture(browser, side) {
  const page = await browser.newPage();
  const address = await page.evaluate((side) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
    const context = canvas.getContext("2d");
    const image = context.createImageData(side, side);
    let state = 1;
    image.data.forEach((_, index) => {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      image.data[index] = index % 4 === 3 ? 255 : state >>> 24;
    });
    context.putImageData(image, 0, 0);
    return canvas.toDataURL("image/png");
  }, side);
  await page.close();
  return Buffer.from(address.split(",")[1], "base64");
}

/** Milliseconds of each method in the page, as its worker reports them, with the layer and the class it looked at. */
async function ours(browser, address, model, image, counts) {
  const page = await open(browser, address);
  await until(page, "ready");
  await page.getByTestId("model-drop").locator("input").setInputFiles(model);
  // Only a model without a card has classes without names.
  await page.getByTestId("predictions").getByText(/^class \d+/).first().waitFor();
  await page.getByTestId("image-drop").locator("input").setInputFiles({ name: "image.png", mimeType: "image/png", buffer: image });
  await until(page, "ready");
  const found = {};
  for (const [method, parameters] of Object.entries(METHODS)) {
    const written = Object.entries(parameters(counts)).map(([name, value]) => [name, String(value)]);
    await choose(page, method, Object.fromEntries(written));
    const timed = async () => {
      await explain(page);
      const report = await numbers(page);
      if (report.layer) found.layer = report.layer;
      [found.target, found.logit] = [report.target_index, report.prediction];
      return 1000 * report.seconds.explain;
    };
    found[method] = await timed();
    if (found[method] < LONG) found[method] = Math.min(await timed(), await timed(), await timed());
  }
  await page.context().close();
  return found;
}

/** The same by the reference, on one thread. */
async function theirs(browser, address, backend, counts, { layer, target }) {
  const page = await open(browser, address);
  const measured = async (question) => {
    const { measure } = await import("./tensorflow-methods.js");
    return measure(question);
  };
  try {
    return await page.evaluate(measured, { backend, layer, target, counts, long: LONG });
  } catch (error) {
    return { failure: error.message };
  } finally {
    await page.context().close();
  }
}

/** Milliseconds of the loop over masks around onnxruntime-web, on one thread. */
async function masksByOnnxRuntime(browser, address, { backend, bundle }, side, { masks, batch }, { target }) {
  const page = await open(browser, address);
  const measured = async (question) => {
    const { measure } = await import("./onnxruntime-masks.js");
    return measure(question);
  };
  try {
    return await page.evaluate(measured, { bundle, provider: backend, side, target, masks, batch, long: LONG });
  } catch (error) {
    return error.message;
  } finally {
    await page.context().close();
  }
}

function serveOnnxRuntime(model, image) {
  const loop = join(HERE, "onnxruntime-masks.js");
  const index = Buffer.from("<!doctype html>");
  return serve(ONNXRUNTIME, { "index.html": index, "onnxruntime-masks.js": loop, "model.onnx": model, "image.png": image });
}

function serveReference(model, image) {
  const script = (name) => `<script src="${name}"></script>`;
  const bundles = { "tf.js": "tfjs/dist/tf.min.js" };
  for (const backend of ["wasm", "webgpu"]) bundles[`tf-${backend}.js`] = `tfjs-backend-${backend}/dist/tf-backend-${backend}.min.js`;
  const scripts = Object.keys(bundles).map(script).join("");
  const files = Object.fromEntries(Object.entries(bundles).map(([name, path]) => [name, join(PACKAGES, path)]));
  const own = Object.fromEntries(["onnx-reader.js", "tensorflow-methods.js"].map((name) => [name, join(HERE, name)]));
  const index = Buffer.from(`<!doctype html><meta charset="utf-8">${scripts}`);
  return serve(join(PACKAGES, "tfjs-backend-wasm/dist"), { ...files, ...own, "index.html": index, "model.onnx": model, "image.png": image });
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function compare(where, { title, path: model, side }, counts, address, installed) {
  const { name, adapter, fragment, backend, rounds } = where;
  const browser = await launch(adapter);
  const image = await picture(browser, side);
  const reference = installed && (await serveReference(model, image));
  const runtime = existsSync(ONNXRUNTIME) && (await serveOnnxRuntime(model, image));
  const found = [];
  for (let round = 0; round < rounds; round++) {
    const mine = await ours(browser, address + fragment, model, image, counts);
    const other = reference ? await theirs(browser, reference.address, backend, counts, mine) : {};
    if (other.failure) console.log(`TensorFlow.js failed: ${other.failure}`);
    if (Math.abs(other.logit - mine.logit) > 1e-3 * Math.max(1, Math.abs(mine.logit))) {
      throw new Error(`the page's score is ${mine.logit}, and that of TensorFlow.js ${other.logit}`);
    }
    const masks = runtime && (await masksByOnnxRuntime(browser, runtime.address, where, side, counts, mine));
    found.push({ mine, other, masks });
  }
  await browser.close();
  if (reference) await reference.close();
  if (runtime) await runtime.close();
  const { samples, steps, channels, masks } = counts;
  const each = `${samples} samples, ${steps} steps, ${channels || "all"} channels, ${masks} masks`;
  console.log(`${title}, in a tab, ${name}: ms, medians of ${rounds}; ${each}`);
  console.log(`  ${"".padEnd(24)}${["page", "TensorFlow.js", "ratio"].map((head) => head.padStart(14)).join("")}`);
  const written = (values, decimals) => (values.every((value) => Number.isFinite(value)) ? median(values).toFixed(decimals) : "-").padStart(14);
  for (const method of Object.keys(METHODS)) {
    const [mine, other] = [found.map((round) => round.mine[method]), found.map((round) => round.other[method])];
    const ratios = mine.map((value, round) => value / other[round]);
    const reason = other.find((value) => typeof value === "string");
    console.log(`  ${method.padEnd(24)}${written(mine, 0)}${written(other, 0)}${written(ratios, 2)}${reason ? `  ${reason}` : ""}`);
  }
  if (!runtime) return;
  const [mine, other] = [found.map((round) => round.mine.rise), found.map((round) => round.masks)];
  const reason = other.find((value) => typeof value === "string");
  const ratios = mine.map((value, round) => value / other[round]);
  console.log(`  ${"rise by onnxruntime-web".padEnd(24)}${written(mine, 0)}${written(other, 0)}${written(ratios, 2)}${reason ? `  ${reason}` : ""}`);
}

const installed = existsSync(PACKAGES);
if (!installed) console.log("TensorFlow.js is not installed, so the page is not compared with it");
const page = await servePage();
for (const backend of BACKENDS) {
  for (const [at, model] of MODELS.entries()) {
    if (model.path) await compare(backend, model, backend.counts[at], page.address, installed);
  }
}
if (!MODEL) console.log("VITRINE_BENCH_MODEL names no model file, so the built-in one alone is measured");
await page.close();
