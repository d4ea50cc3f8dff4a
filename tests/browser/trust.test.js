// Whether a map can be trusted: metrics measured in the page, curves to look along, what is known of the page's own pictures.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { launch, nothingSticksOut, open, picture, reach, servePageWithMockWorker, until } from "./harness.js";

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

async function opened(fragment = "#method=integrated-gradients", options = {}) {
  page = await open(browser, server.address + fragment, options);
  await until(page, "ready", "done");
  return page;
}

const measure = (id) => page.locator(`[data-metric=${id}]`);
const unfold = (group) => page.getByTestId(`trust-${group}`).locator("summary").first().click();
const settled = (id, state = "done") => page.locator(`[data-metric=${id}][data-state=${state}]`).waitFor({ state: "attached" });

test("without a map there is nothing to test, and what is known of a map goes with it", async () => {
  await opened("");
  await page.getByText("Once a map is finished, it can be tested here.").waitFor();
  await page.getByTestId("run").click();
  await until(page, "done");
  await page.getByTestId("trust-usual").waitFor();
  await unfold("complexity");
  await page.getByTestId("measure-sparseness").click();
  await settled("sparseness");
  await page.getByTestId("run").click();
  await until(page, "done");
  await settled("sparseness", "open");
});

test("the usual metrics run one after the other, each with its meaning, its caveat and what is better", async () => {
  await opened();
  const before = await page.getByTestId("heatmap").getAttribute("data-version");
  await page.getByText(/^\s*about 0\.\d+ s|^\s*about \d+/).first().waitFor();
  await page.getByTestId("trust-usual").click();
  for (const id of ["deletion", "insertion", "saco", "sensitivity-max", "model-parameter-randomisation", "pointing-game"]) await settled(id);
  await until(page, "done");
  const text = await measure("deletion").textContent();
  for (const part of ["0.5", "lower is better", "What Deletion says.", "But: what Deletion does not say."]) assert.ok(text.includes(part), text);
  assert.match(await measure("saco").textContent(), /higher is better, from -1 to 1/);
  assert.match(await measure("sensitivity-max").textContent(), /lower is better, 0 or more.*Of integrated-gradients\./);
  assert.match(await measure("completeness").textContent(), /0\.2 % lower is better/);
  assert.equal(await measure("spearman-agreement").getAttribute("data-state"), "open", "there is no other map");
  assert.ok(await page.getByTestId("trust-usual").isDisabled(), "all are measured");
  assert.equal(await page.getByTestId("heatmap").getAttribute("data-version"), before, "the map stays as it is");
  await picture(page, "trust-usual");
  assert.deepEqual(page.complaints, []);
});

test("deletion and insertion are one chart, and a slider shows the altered pictures along it", async () => {
  await opened();
  // What is drawn while it is measured: how many points each line has.
  await page.evaluate(() => {
    window.grown = new Set();
    new MutationObserver(() => {
      const lines = document.querySelectorAll("[data-testid=growing] polyline");
      if (lines.length) window.grown.add([...lines].map((line) => line.points.length).join());
    }).observe(document.body, { subtree: true, childList: true, attributes: true });
  });
  await page.getByTestId("trust-usual").click();
  const curves = page.getByTestId("curves-deletion-insertion");
  await curves.waitFor();
  const grown = await page.evaluate(() => [...window.grown]);
  assert.ok(grown.filter((points) => /^\d+$/.test(points)).length > 1, `deletion alone, point by point: ${grown.join(" ")}`);
  assert.ok(grown.filter((points) => /^11,\d$/.test(points)).length > 1, `then insertion beside it: ${grown.join(" ")}`);
  await curves.getByText("part of the picture removed or inserted").first().waitFor();
  assert.equal(await curves.locator("svg[role=img] polyline").count(), 2);
  const slider = page.getByTestId("slide-deletion-insertion");
  const black = (row) =>
    curves.locator(".altered canvas").nth(row).evaluate((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let black = 0;
      for (let at = 0; at < data.length; at += 4) black += data[at] + data[at + 1] + data[at + 2] === 0;
      return black / (data.length / 4);
    });
  assert.ok((await black(0)) < 0.05 && (await black(1)) > 0.95, "nothing is removed, nothing is put back");
  await slider.fill("50");
  await curves.getByText("Deletion 0.125").waitFor();
  assert.ok(Math.abs((await black(0)) - 0.5) < 0.05 && Math.abs((await black(1)) - 0.5) < 0.05);
  assert.equal(await slider.getAttribute("aria-valuetext"), "Deletion 0.125, Insertion 0.5");
  await slider.focus();
  await page.keyboard.press("End");
  await curves.getByText("Insertion 1", { exact: true }).waitFor();
  await curves.locator("details summary").click();
  const table = curves.locator("table", { has: page.getByText("Deletion", { exact: true }) });
  assert.equal(await table.locator("tbody tr").count(), 11);
  assert.deepEqual(await table.locator("tbody tr").nth(5).locator("th, td").allTextContents(), ["0.5", "0.125"]);
  await picture(page, "trust-curves");
});

test("layers put at random are looked along too", async () => {
  await opened();
  await unfold("randomisation");
  await page.getByTestId("measure-model-parameter-randomisation").click();
  const slider = page.getByTestId("slide-model-parameter-randomisation");
  const made = page.getByTestId("made-again");
  const strength = () => made.evaluate((canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.join());
  await page.locator("[data-testid=made-again][data-shows=map]").waitFor();
  const first = await strength();
  await slider.fill("67");
  await page.getByText("Randomised parameters 0.2").waitFor();
  await page.getByText("Look along the curve: 2.01 stage").waitFor();
  await page.waitForFunction(() => Number(document.querySelector("[data-testid=made-again]").dataset.version) > 1);
  assert.notEqual(await strength(), first, "the map of another stage");
  await picture(page, "trust-randomised");
});

test("agreement wants another map, and gets those side by side", async () => {
  await opened("#method=integrated-gradients&compare=grad-cam");
  await page.locator("li[data-method=grad-cam][data-state=done]").waitFor();
  await unfold("agreement");
  await page.getByTestId("measure-spearman-agreement").click();
  await page.getByText("Beside grad-cam.").waitFor();
  await page.context().close();
  await opened();
  await unfold("agreement");
  await measure("spearman-agreement").getByText("Lay another method beside first").waitFor();
  assert.equal(await page.getByTestId("measure-spearman-agreement").count(), 0);
});

test("on the page's own pictures the parts are shown beside the map, and the place is known", async () => {
  await opened();
  const truth = page.getByTestId("truth");
  const share = (part) => truth.locator(`tr[data-part=${part}] td`).allTextContents();
  const [area, map] = (await share("head")).map(Number.parseFloat);
  assert.ok(map > 2 * area, "the mock's maps are bright at the head");
  assert.match(await truth.textContent(), /The creature is \d+\.\d % of the picture, and \d+\.\d % of what speaks/);
  assert.equal(await page.getByTestId("truth-map").getAttribute("data-shows"), "map");
  await unfold("localisation");
  await page.getByTestId("measure-pointing-game").click();
  await settled("pointing-game");
  assert.match(await measure("pointing-game").textContent(), /Pointing game1 higher is better/);

  await page.context().close();
  await opened("#method=integrated-gradients&image=sample-5");
  assert.equal(await page.getByTestId("truth").count(), 0);
  await unfold("localisation");
  await measure("pointing-game").getByText("one of the page's own").waitFor();
});

test("a metric is measured as its settings say, about regions drawn by hand, too", async () => {
  await opened();
  await unfold("faithfulness");
  await page.getByTestId("measure-query").click();
  await settled("query");
  assert.match(await measure("query").textContent(), /Told nothing\./);
  await page.getByTestId("settings-query").click();
  await page.getByTestId("parameter-query.what").selectOption("blur");
  await settled("query", "open");
  assert.equal(await page.getByTestId("parameter-query.regions-drawn").count(), 0, "nothing is drawn");

  await page.getByTestId("edit-regions").locator("summary").first().click();
  await page.getByTestId("bench-draw").click();
  await page.getByTestId("brush").click();
  await page.getByTestId("bench-canvas").click();
  await page.getByTestId("parameter-query.regions-drawn").click();
  await page.getByTestId("measure-query").click();
  await settled("query");
  assert.match(await measure("query").textContent(), /Told regions=drawn by hand\.npy, what=blur with drawn by hand\.npy of \d+ bytes\./);
  assert.match(await page.getByTestId("settings-query").textContent(), /2 changed/);
  await page.getByTestId("parameter-query.samples").fill("1");
  await measure("query").getByRole("alert").waitFor();
  await picture(page, "trust-settings");
  await measure("query").getByText("Back to the suggested settings").click();
  assert.equal(await page.getByTestId("parameter-query.what").inputValue(), "remove");
  assert.deepEqual(page.complaints, []);
});

test("stopping keeps what is measured, and a metric that fails says why while the others go on", async () => {
  await opened("#method=grad-cam");
  await page.getByTestId("trust-usual").click();
  await settled("saco", "failed");
  assert.match(await measure("saco").textContent(), /There is nothing to rank here\./);
  await page.getByText("Max sensitivity is measured. Escape stops it.").waitFor();
  await settled("sensitivity-max", "running");
  await page.keyboard.press("Escape");
  await until(page, "done");
  await settled("deletion");
  await settled("sensitivity-max", "open");
  await settled("model-parameter-randomisation", "open");
  assert.ok(await page.getByTestId("trust-usual").isEnabled());
});

test("the keyboard reaches the button, the groups and the slider", async () => {
  await opened();
  await page.getByTestId("share").focus();
  await reach(page, "[data-testid=trust-usual]");
  await page.keyboard.press("Enter");
  await settled("pointing-game");
  await until(page, "done");
  await page.getByTestId("share").focus();
  await reach(page, "[data-testid=slide-deletion-insertion]");
  await reach(page, "[data-testid=trust-robustness] summary");
});

const LOOKS = [
  { name: "phone-light", viewport: { width: 320, height: 780 }, colorScheme: "light" },
  { name: "phone-dark", viewport: { width: 320, height: 780 }, colorScheme: "dark" },
  { name: "tablet", viewport: { width: 900, height: 1100 }, colorScheme: "light" },
  { name: "desktop-dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
];
for (const { name, ...options } of LOOKS) {
  test(`nothing sticks out sideways: ${name}`, async () => {
    await opened("#method=integrated-gradients", { ...options, reducedMotion: "reduce" });
    await page.getByTestId("trust-usual").click();
    await settled("pointing-game");
    await page.getByTestId("curves-deletion-insertion").locator("details summary").click();
    await nothingSticksOut(page);
    assert.deepEqual(page.complaints, []);
    await picture(page, `trust-${name}`);
  });
}
