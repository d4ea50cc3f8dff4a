// How the picture is read, as the page shows it and lets it be corrected: the page with the mock worker.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, test } from "node:test";

import { explain, focused, give, launch, nothingSticksOut, open, picture, reach, servePageWithMockWorker, until } from "./harness.js";

let server, browser, page;

before(async () => {
  server = await servePageWithMockWorker();
  browser = await launch("none");
});
after(async () => {
  await browser?.close();
  await server?.close();
});
afterEach(() => page?.context().close());

/** Opens the page, and gives it a model without a card if a name for it is given. */
async function opened(name, options = {}) {
  page = await open(browser, server.address, options);
  await until(page, "ready");
  if (name) {
    await give(page, "model-drop", name, "a model");
    await page.getByTestId("model-select").locator("option", { hasText: name }).waitFor({ state: "attached" });
    await until(page, "ready");
  }
}

const isOpen = () => page.getByTestId("card").evaluate((details) => details.open);
const state = () => page.getByTestId("card-state").textContent();
const value = (id) => page.getByTestId(`card-${id}`).inputValue();
const fill = (id, text) => page.getByTestId(`card-${id}`).fill(text);
const apply = () => page.getByTestId("card-apply").click();
const field = (id) => page.locator(".reading .field", { has: page.getByTestId(`card-${id}`) });

async function saved() {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("card-save").click()]);
  return [download.suggestedFilename(), JSON.parse(readFileSync(await download.path(), "utf8"))];
}

test("a given card is folded away, a guessed one is open and asks to be checked", async () => {
  await opened();
  assert.equal(await isOpen(), false);
  assert.equal(await state(), "from its card");
  await give(page, "model-drop", "mine.onnx", "a model");
  await page.getByTestId("card-state").filter({ hasText: "guessed: please check" }).waitFor();
  assert.equal(await isOpen(), true);
  assert.equal(await value("preset"), "unit");
  assert.equal(await value("width"), "64");
  assert.match(await page.getByTestId("card-split-off").textContent(), /before the softmax/);
  assert.equal(await page.getByTestId("card-rows").count(), 0, "there are no tokens");
  await picture(page, "card-guessed");
});

test("a preset fills in the numbers, and what is applied is used, saved and flagged", async () => {
  await opened("mine.onnx");
  await page.getByTestId("card-preset").selectOption("imagenet");
  assert.equal(await value("mean"), "0.485, 0.456, 0.406");
  assert.equal(await state(), "changed, not applied yet");
  await apply();
  await page.getByTestId("card-state").filter({ hasText: "corrected by you" }).waitFor();
  await until(page, "ready");
  assert.equal(await isOpen(), true, "it does not fold away under the hand");
  assert.equal(await value("preset"), "imagenet");
  const [name, card] = await saved();
  assert.equal(name, "mine.card.json");
  assert.deepEqual(card.input.std, [0.229, 0.224, 0.225]);
  assert.equal(card.labels.length, 10);
  await explain(page);
  await until(page, "done");

  await page.getByTestId("card-preset").selectOption("caffe");
  assert.deepEqual([await value("channels"), await value("range")], ["bgr", "0, 255"]);
  await fill("mean", "1, 2, 3");
  assert.equal(await value("preset"), "", "numbers of one's own");
  await page.getByTestId("card-undo").click();
  assert.deepEqual([await value("channels"), await value("preset")], ["rgb", "imagenet"]);
});

test("what contradicts the model is explained beside its field, and the page stays usable", async () => {
  await opened("mine.onnx");
  await fill("std", "1, none");
  await apply();
  assert.match(await field("std").getByRole("alert").textContent(), /"1, none" is not a list of numbers/);
  await fill("std", "");

  await fill("labels", "owl\nduck\n");
  assert.match(await field("labels").textContent(), /2 classes/);
  await apply();
  assert.match(await field("labels").getByRole("alert").textContent(), /2 for 10 classes/);
  await picture(page, "card-refused");
  assert.equal(await value("labels"), "owl\nduck\n", "what was typed is still there");
  await explain(page);
  await until(page, "done");

  await page.getByTestId("card-undo").click();
  await page.getByTestId("card-layout").selectOption("NHWC");
  await apply();
  const group = page.locator(".reading fieldset", { has: page.getByTestId("card-layout") });
  assert.match(await group.getByRole("alert").textContent(), /\[64, 64, 3\]/);
  assert.equal(await page.getByTestId("error").count(), 0, "said once");
});

test("class names come from a text file too", async () => {
  await opened("mine.onnx");
  const names = Array.from({ length: 10 }, (_, index) => `bird ${index}`).join("\r\n");
  await give(page, "card-labels-file", "labels.txt", `${names}\r\n`);
  await field("labels").getByText("10 classes").waitFor();
  await apply();
  await page.getByTestId("card-state").filter({ hasText: "corrected by you" }).waitFor();
  const [, card] = await saved();
  assert.equal(card.labels[9], "bird 9");
});

test("a size that the file leaves open can be chosen, another cannot", async () => {
  await opened("mine.onnx");
  assert.equal(await page.getByTestId("card-width").isEditable(), false);
  await give(page, "model-drop", "open.onnx", "a model");
  await page.getByText("leaves the size open").waitFor();
  await until(page, "ready");
  await fill("width", "96");
  await apply();
  await page.getByText("It sees 96 × 64 pixels").waitFor();
  await until(page, "ready");
  assert.equal(await page.getByTestId("model-select").locator("option:checked").textContent(), "open.onnx");
});

test("a transformer's grid of tokens can be corrected", async () => {
  await opened("vit.onnx");
  assert.match(await page.getByTestId("card").textContent(), /over 197 tokens/);
  for (const [id, text] of [["rows", "14"], ["columns", "14"], ["prefix", "1"]]) await fill(id, text);
  await apply();
  await page.getByTestId("card-state").filter({ hasText: "corrected by you" }).waitFor();
  const [, card] = await saved();
  assert.deepEqual(card.tokens, { rows: 14, columns: 14, prefix: 1 });
});

test("a detector's boxes are drawn, listed and explained, and how they are read can be corrected", async () => {
  await opened("detector.onnx");
  const rows = page.getByTestId("predictions").locator("li");
  assert.equal(await rows.count(), 3);
  const boxes = page.getByTestId("boxes").locator("rect");
  assert.deepEqual(await boxes.evaluateAll((all) => all.map((box) => box.getAttribute("class"))), ["explained", null, null]);
  const [over, under] = await Promise.all([page.getByTestId("boxes"), page.getByTestId("heatmap")].map((one) => one.boundingBox()));
  assert.deepEqual(over, under, "the boxes lie on the picture");
  await rows.nth(2).getByRole("button").click();
  assert.equal(await boxes.nth(2).getAttribute("class"), "explained");
  assert.equal(await page.getByTestId("target-select").inputValue(), "box:99");
  await explain(page);
  await until(page, "done");
  assert.match(await page.getByTestId("facts").textContent(), /score of box 99/);
  await picture(page, "card-detector");

  assert.equal(await value("objectness-at"), "4");
  await fill("grid-strides", "8; 16 32");
  await apply();
  await page.getByTestId("card-state").filter({ hasText: "corrected by you" }).waitFor();
  const [, card] = await saved();
  assert.deepEqual(card.detections["grid-strides"], [8, 16, 32]);
  await fill("scores-at", "five");
  await apply();
  assert.match(await field("scores-at").getByRole("alert").textContent(), /"five" is not a whole number/);
});

test("a corrected card outlives a crash of the worker", async () => {
  await opened();
  await page.getByTestId("card").locator("summary").click();
  await page.getByTestId("card-preset").selectOption("bytes");
  await apply();
  await page.getByTestId("card-state").filter({ hasText: "corrected by you" }).waitFor();
  await until(page, "ready");
  await give(page, "image-drop", "crash.png", "deadly");
  await page.getByTestId("error").waitFor();
  await until(page, "ready");
  assert.equal(await value("preset"), "bytes");
});

test("the keyboard alone is enough", async () => {
  await opened("mine.onnx");
  await reach(page, "[data-testid=card-range]");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("-1, 1");
  await page.keyboard.press("Enter");
  await page.getByTestId("card-state").filter({ hasText: "corrected by you" }).waitFor();
  assert.equal(await value("preset"), "signed");
  assert.ok(await focused(page, "[data-testid=card-range]"), "the focus stays in the field");
});

const LOOKS = [
  { name: "desktop-dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  { name: "tablet-light", viewport: { width: 900, height: 1100 }, colorScheme: "light" },
  { name: "phone-dark", viewport: { width: 390, height: 844 }, colorScheme: "dark" },
  { name: "phone-light", viewport: { width: 320, height: 700 }, colorScheme: "light" },
];
for (const { name, ...options } of LOOKS) {
  test(`nothing sticks out sideways: ${name}`, async () => {
    await opened("vit.onnx", { ...options, reducedMotion: "reduce" });
    await nothingSticksOut(page);
    assert.deepEqual(page.complaints, []);
    await picture(page, `card-${name}`);
  });
}
