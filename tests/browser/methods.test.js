// Choosing methods, what they cost, and several side by side, with the worker that computes nothing (mock-worker.js).

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { choose, explain, focused, launch, nothingSticksOut, open, picture, reach, servePageWithMockWorker, until } from "./harness.js";

let server, browser, page;

before(async () => {
  server = await servePageWithMockWorker();
  browser = await launch("none");
});
after(async () => {
  await browser?.close();
  await server?.close();
});
afterEach(() => page.context().close());

async function opened(fragment = "", options = {}) {
  page = await open(browser, server.address + fragment, options);
  await until(page, "ready", "done");
  return page;
}

const search = () => page.getByTestId("method-search");
const found = () => page.getByTestId("method-found").locator("li").evaluateAll((rows) => rows.map((row) => row.dataset.method));
const chosen = () => page.getByTestId("method-select").inputValue();
const cost = (pattern) => page.getByTestId("cost").filter({ hasText: pattern }).waitFor();
const card = (method) => page.getByTestId("compare-list").locator(`li[data-method=${method}]`);

/** The shared link, as "copy link" puts it into the address. */
async function link() {
  await page.getByTestId("share").click();
  await page.getByText("brings back this map").waitFor();
  return new URLSearchParams(new URL(page.url()).hash.slice(1));
}

/** The pixel in the middle of the brightest place of the mock's maps. */
const peak = (method) =>
  page.getByTestId(`compare-map-${method}`).evaluate((canvas) => {
    const at = (share) => Math.floor(share * canvas.width);
    return [...canvas.getContext("2d").getImageData(at(38 / 64), at(24 / 64), 1, 1).data];
  });

test("a method is found by any word about it, with the keyboard alone", async () => {
  await opened();
  await search().fill("picture PETSIUK");
  assert.deepEqual(await found(), ["rise"]);
  await search().fill("gradcam");
  assert.deepEqual(await found(), ["grad-cam"]);
  await search().fill("cam");
  assert.deepEqual(await found(), ["grad-cam", "score-cam"]);
  const active = () => page.evaluate(() => document.activeElement.getAttribute("aria-activedescendant"));
  assert.equal(await active(), "found-grad-cam");
  await search().press("ArrowDown");
  assert.equal(await active(), "found-score-cam");
  await picture(page, "methods-search");
  await search().press("Enter");
  assert.equal(await chosen(), "score-cam");
  assert.equal(await search().inputValue(), "");
  assert.equal(await search().getAttribute("aria-expanded"), "false");
  await until(page, "ready");

  await search().press("ArrowDown");
  assert.equal((await found()).length, 6, "the arrow shows them all");
  await search().press("ArrowUp");
  await search().press("Escape");
  assert.deepEqual(await found(), []);
  assert.equal(await chosen(), "score-cam");
  await search().fill("zebra crossing");
  await page.getByText("No method has all of these words.").waitFor();
});

test("Escape in the search closes it and lets a run go on", async () => {
  await opened();
  await choose(page, "rise", { masks: "100000" });
  await page.getByTestId("run").click();
  await until(page, "running");
  await search().fill("cam");
  await search().press("Escape");
  assert.equal(await search().inputValue(), "");
  await until(page, "running");
  await search().press("Escape");
  await until(page, "cancelled");
});

test("the browser's own menu has the families, and the method is explained below it", async () => {
  await opened();
  const groups = page.getByTestId("method-select").locator("optgroup");
  const labels = await groups.evaluateAll((groups) => groups.map((group) => group.label));
  assert.deepEqual(labels.length, new Set(labels).size, labels.join());
  await page.getByTestId("method-select").selectOption("grad-cam");
  const text = await page.getByTestId("method-summary").textContent();
  for (const part of [/late layer speak for/, /as coarse as the layer/, /A layer's activations: /, /Needs gradients, and a layer/, /Selvaraju and others \(2017\)/]) {
    assert.match(text, part);
  }
});

test("a method around another one offers that one's parameters too, and a link keeps them", async () => {
  await opened();
  await choose(page, "smooth-grad", { samples: "3", "method.steps": "7" });
  const inner = page.getByTestId("settings-method");
  assert.match(await inner.locator("legend").textContent(), /Settings of Integrated Gradients/);
  await picture(page, "methods-inner");
  await explain(page);
  const kept = await link();
  assert.deepEqual([kept.get("p.samples"), kept.get("p.method.steps")], ["3", "7"]);

  assert.equal(await page.getByTestId("layer-select").count(), 0);
  await page.getByTestId("parameter-method").selectOption("grad-cam");
  await inner.getByTestId("parameter-method.relu").waitFor();
  await page.getByTestId("layer-select").waitFor();
});

test("many parameters are folded, all but the first", async () => {
  await opened("#method=score-cam");
  await until(page, "done");
  await page.getByTestId("settings").locator("summary").click();
  assert.ok(await page.getByTestId("parameter-channels").isVisible());
  assert.ok(!(await page.getByTestId("parameter-grid").isVisible()));
  await page.getByTestId("more").click();
  assert.ok(await page.getByTestId("parameter-grid").isVisible());
});

test("the cost is told before the run and follows the settings", async () => {
  await opened();
  await cost(/^22 forward and 20 backward passes, about 0\.6 s$/);
  await choose(page, "rise", { masks: "300" });
  await cost(/^302 forward passes, about 3\.0 s$/);
  await page.getByTestId("compare-add").selectOption("integrated-gradients");
  await cost(/^2 methods, in all 324 forward and 20 backward passes/);
  await picture(page, "methods-cost");
});

test("what the worker refuses of a parameter is told beside its field before the run", async () => {
  await opened();
  await choose(page, "integrated-gradients", { steps: "200000" });
  const field = page.locator(".field", { has: page.getByTestId("parameter-steps") });
  assert.match(await field.getByRole("alert").textContent(), /more than anybody waits for/);
  await page.getByTestId("parameter-steps").fill("8");
  await cost(/^10 forward and 8 backward passes/);
  assert.equal(await field.getByRole("alert").count(), 0);
});

test("methods stand side by side on one scale, which can be changed", async () => {
  await opened();
  await page.getByTestId("compare-add").selectOption("rise");
  await page.getByTestId("compare-add").selectOption("grad-cam");
  assert.equal(await page.getByTestId("compare-add").inputValue(), "");
  assert.deepEqual(await page.getByTestId("compare-add").locator("option[value=rise]").count(), 0, "each once");
  await explain(page);
  await until(page, "done");
  assert.match(await page.getByTestId("status").textContent(), /^Done: 3 maps/);
  for (const method of ["integrated-gradients", "rise", "grad-cam"]) {
    assert.equal(await card(method).getAttribute("data-state"), "done");
    assert.equal(await page.getByTestId(`compare-map-${method}`).getAttribute("data-shows"), "map");
    assert.match(await card(method).textContent(), /0\.7 s, 20 forward/);
  }
  // RISE's map of the mock is Grad-CAM's times 20.
  assert.deepEqual(await peak("rise"), await peak("grad-cam"), "the same share of the map");
  await picture(page, "methods-compare-shares");
  const version = () => page.getByTestId("compare-map-grad-cam").getAttribute("data-version");
  const before = await version();
  await page.getByTestId("compare-scale").selectOption("values");
  await page.getByText("The same colour is the same number").waitFor();
  await page.locator(`[data-testid=compare-map-grad-cam]:not([data-version="${before}"])`).waitFor();
  assert.notDeepEqual(await peak("rise"), await peak("grad-cam"), "20 is another number than 1");
  await picture(page, "methods-compare-values");
  await page.getByTestId("compare-scale").selectOption("own");
  await page.getByText("do not compare").waitFor();
  await picture(page, "methods-compare-own");

  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("compare-png").click()]);
  assert.equal(download.suggestedFilename(), "vitrine-comparison.png");
  assert.equal((await link()).get("compare"), "rise,grad-cam");
  const single = page.waitForEvent("download");
  await page.getByTestId("download-png").click();
  assert.equal((await single).suggestedFilename(), "vitrine-integrated-gradients.png");
  assert.deepEqual(page.complaints, []);
});

test("a method added to a finished map runs at once, and can be taken out again", async () => {
  await opened("#method=integrated-gradients");
  await until(page, "done");
  const map = await page.getByTestId("heatmap").getAttribute("data-version");
  await page.getByTestId("compare-add").selectOption("grad-cam");
  await page.locator("li[data-method=grad-cam][data-state=done]").waitFor();
  assert.equal(await page.getByTestId("heatmap").getAttribute("data-version"), map, "the map above stays");
  await page.getByTestId("compare-remove-grad-cam").click();
  assert.equal(await page.getByTestId("compare-list").count(), 0);
  assert.ok(await focused(page, "[data-testid=compare-add]"), "the focus is not lost with the button");
});

test("a link compares, one method's failure is told in its place, and the rest goes on", async () => {
  await opened("#method=integrated-gradients&compare=rise,magic,grad-cam&p.masks=404");
  await page.locator("li[data-method=grad-cam][data-state=done]").waitFor();
  assert.equal(await card("rise").getAttribute("data-state"), "failed");
  assert.match(await card("rise").textContent(), /These masks hide nothing/);
  assert.equal(await card("magic").count(), 0);
  await until(page, "done");
  await picture(page, "methods-compare-failed");
});

test("stopping stops everything that was to come and keeps what is finished", async () => {
  page = await open(browser, `${server.address}#method=integrated-gradients&compare=grad-cam,rise,smooth-grad&p.masks=100000`);
  await page.locator("li[data-method=rise][data-state=running]").waitFor();
  await picture(page, "methods-compare-running");
  await page.keyboard.press("Escape");
  await until(page, "cancelled");
  const states = await page.getByTestId("compare-list").locator("li").evaluateAll((rows) => rows.map((row) => row.dataset.state));
  assert.deepEqual(states, ["done", "done", "stopped", "waiting"]);
});

test("the keyboard reaches the search, the menu and the comparison in this order", async () => {
  await opened("#method=integrated-gradients&compare=rise");
  await until(page, "done");
  await search().focus();
  for (const id of ["method-select", "compare-add", "compare-scale", "compare-remove-rise"]) await reach(page, `[data-testid=${id}]`);
});

const LOOKS = [
  { name: "phone-light", viewport: { width: 360, height: 780 }, colorScheme: "light" },
  { name: "phone-dark", viewport: { width: 360, height: 780 }, colorScheme: "dark" },
  { name: "tablet", viewport: { width: 900, height: 1100 }, colorScheme: "light" },
  { name: "desktop-dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
];
for (const { name, ...options } of LOOKS) {
  test(`nothing sticks out sideways: ${name}`, async () => {
    await opened("#method=smooth-grad&compare=rise,grad-cam,score-cam,integrated-gradients", { ...options, reducedMotion: "reduce" });
    await page.locator("li[data-method=integrated-gradients][data-state=done]").waitFor();
    await page.getByTestId("settings").locator("summary").click();
    await search().fill("the");
    await nothingSticksOut(page);
    assert.deepEqual(page.complaints, []);
    await picture(page, `methods-${name}`);
  });
}
