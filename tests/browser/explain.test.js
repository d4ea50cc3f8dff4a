// The whole way, from the page through its worker to the model and back: once on WebGPU, once without it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { choose, colours, explain, give, killGpuProcess, launch, numbers, open, picture, predictions, servePage, until } from "./harness.js";

const BACKENDS = [
  { name: "webgpu", adapter: "webgpu", fragment: "#device=gpu", device: /^WebGPU/ },
  { name: "cpu", adapter: "none", fragment: "", device: /^CPU/ },
];

// A simulated GPU is slow, so the runs are tiny.
const RUNS = [
  { method: "grad-cam", parameters: {} },
  { method: "integrated-gradients", parameters: { steps: "4" } },
  { method: "rise", parameters: { masks: "32" } },
];

/** What each backend found, to be compared at the end. */
const found = {};

for (const backend of BACKENDS) {
  describe(`on ${backend.name}`, () => {
    let server, browser, page;
    const maps = {};

    before(async () => {
      server = await servePage();
      browser = await launch(backend.adapter);
      page = await open(browser, server.address + backend.fragment);
    });
    after(async () => {
      await browser?.close();
      await server?.close();
    });

    test("the page opens on the device that was meant, and says so", async () => {
      await until(page, "ready", "error");
      assert.match(await page.getByTestId("device").textContent(), backend.device);
      assert.equal(await page.getByTestId("error").count(), 0);
      const adapter = await page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter()));
      assert.equal(adapter, backend.adapter === "webgpu", "the browser was started wrongly");
      await picture(page, `${backend.name}-1-open`);
    });

    test("the model answers with probabilities, the best one first", async () => {
      await page.getByTestId("show-all").click();
      const rows = await predictions(page);
      const sum = rows.reduce((total, row) => total + row.score, 0);
      assert.ok(Math.abs(sum - 1) < 1e-3, `the probabilities add up to ${sum}`);
      assert.deepEqual(rows, rows.toSorted((one, next) => next.score - one.score));
      assert.ok(rows[0].score > 0.5, `the model is unsure of its own sample: ${rows[0].score}`);
      found[backend.name] = { rows, maps };
      await picture(page, `${backend.name}-2-predict`);
    });

    for (const { method, parameters } of RUNS) {
      test(`${method} draws a map`, async () => {
        await choose(page, method, parameters);
        await explain(page);
        await until(page, "done");
        assert.equal(await page.getByTestId("heatmap").getAttribute("data-shows"), "map");
        assert.ok((await colours(page)) > 50, "the map has few colours");
        const { heatmap, ...report } = await numbers(page);
        assert.equal(report.method, method);
        assert.match(report.device, backend.device);
        assert.equal(heatmap.values.length, heatmap.width * heatmap.height);
        assert.ok(heatmap.values.every(Number.isFinite), "a value is missing");
        assert.ok(Math.max(...heatmap.values.map(Math.abs)) > 0, "the map is all zero");
        maps[method] = heatmap.values;
        await picture(page, `${backend.name}-3-${method}`);
      });
    }

    test("a long run can be stopped", async () => {
      await choose(page, "rise", { masks: "20000" });
      await page.getByTestId("run").click();
      await page.locator("[data-testid=progress][value]").waitFor();
      const pressed = Date.now();
      await page.keyboard.press("Escape");
      await until(page, "cancelled");
      assert.ok(Date.now() - pressed < 30_000, `it took ${Date.now() - pressed} ms`);
      await picture(page, `${backend.name}-4-cancel`);
    });

    const broken = [
      { what: "image", zone: "image-drop", file: "holiday.png", content: "this is no picture" },
      { what: "model", zone: "model-drop", file: "network.onnx", content: "this is no model" },
    ];
    for (const { what, zone, file, content } of broken) {
      test(`a broken ${what} gives a message, and what was loaded still works`, async () => {
        const before = await predictions(page);
        await give(page, zone, file, content);
        await page.getByTestId("error").waitFor();
        await until(page, "error");
        const message = await page.getByTestId("error").locator("p").textContent();
        assert.ok(message.includes(file), message);
        assert.deepEqual(await predictions(page), before);
        await picture(page, `${backend.name}-5-broken-${what}`);

        await choose(page, "grad-cam");
        await explain(page);
        await until(page, "done");
        assert.equal(await page.getByTestId("error").count(), 0, "the message goes when the visitor goes on");
        await picture(page, `${backend.name}-6-after-broken-${what}`);
      });
    }

    test("another sample is answered, and explained by another target", async () => {
      await page.getByTestId("sample-1").click();
      await until(page, "ready");
      const second = page.getByTestId("predictions").locator("li").nth(1);
      await second.getByRole("button").click();
      await explain(page);
      await until(page, "done");
      const report = await numbers(page);
      assert.equal(report.target_index, Number(await second.getAttribute("data-class")));
      await picture(page, `${backend.name}-7-another`);
    });

    test("the parts of the creature are played with, and the map is scored by what is known of them", async () => {
      await choose(page, "feature-ablation");
      await page.getByTestId("parameter-regions").selectOption("parts");
      await explain(page);
      await until(page, "done");
      assert.equal((await numbers(page)).forward_passes, 8, "the picture, and seven times without a part");
      const truth = page.getByTestId("truth");
      await truth.waitFor();
      const shares = await truth.locator("tr[data-part] td:last-child").allTextContents();
      assert.equal(shares.length, 8, "seven parts and the surroundings");
      assert.match(await truth.locator("tr[data-part=surroundings] td:last-child").textContent(), /^0\.0 %/);
      for (const [group, metric] of [["faithfulness", "deletion"], ["localisation", "energy-pointing"]]) {
        const details = page.getByTestId(`trust-${group}`);
        if ((await details.getAttribute("open")) === null) await details.locator("summary").first().click();
        await page.getByTestId(`measure-${metric}`).click();
        await page.locator(`[data-metric=${metric}][data-state=done]`).waitFor({ state: "attached" });
        await until(page, "done");
      }
      assert.match(await page.locator("[data-metric=energy-pointing] .value").textContent(), /^1 higher is better/);
      await page.getByTestId("settings-query").click();
      for (const [id, value] of Object.entries({ what: "brighten", place: "region" })) await page.getByTestId(`parameter-query.${id}`).selectOption(value);
      await page.getByTestId("parameter-query.region").fill("65");
      const measured = async (state) => {
        await page.getByTestId("measure-query").click();
        await page.locator(`[data-metric=query][data-state=${state}]`).waitFor({ state: "attached" });
        await until(page, "done");
        return page.locator("[data-metric=query]").textContent();
      };
      assert.match(await measured("failed"), /There is no region 65: they are numbered from 1 to 64/);
      await page.getByTestId("parameter-query.region").fill("28");
      assert.match(await measured("done"), /With 95 percent confidence the mean change is from -?\d/);
      await page.getByTestId("curves-deletion-insertion").or(page.getByTestId("curves-deletion")).first().waitFor();
      await picture(page, `${backend.name}-7-trust`);
    });

    test("the baseline can be an image of the visitor's", async () => {
      await choose(page, "integrated-gradients", { steps: "4" });
      const sample = readFileSync(join(import.meta.dirname, "../../crates/zoo/samples/wendle.png"));
      await give(page, "parameter-baseline-image", "wendle.png", sample);
      await explain(page);
      await until(page, "done");
      const report = await numbers(page);
      assert.equal(report.parameters.baseline, "wendle.png");
      assert.ok(Math.abs(report.baseline_prediction - report.prediction) > 0.1, "the baseline changed nothing");
      await picture(page, `${backend.name}-7-own-baseline`);
    });

    test("the reading of the picture can be corrected, and a contradiction changes nothing", async () => {
      const before = await predictions(page);
      const card = page.getByTestId("card");
      await card.locator("summary").click();
      const numbers = ["card-range", "card-mean", "card-std"].map((id) => page.getByTestId(id));
      const own = await Promise.all(numbers.map((field) => field.inputValue()));
      await page.getByTestId("card-preset").selectOption("caffe");
      await page.getByTestId("card-apply").click();
      await page.getByTestId("card-state").filter({ hasText: "corrected by you" }).waitFor();
      await until(page, "ready");
      assert.notDeepEqual(await predictions(page), before);
      await picture(page, `${backend.name}-7-corrected-card`);

      await page.getByTestId("card-labels").fill("one\ntwo");
      await page.getByTestId("card-apply").click();
      await card.getByRole("alert").waitFor();
      assert.match(await card.getByRole("alert").textContent(), /`labels`.*there are 2 for \d+ classes/);
      assert.notDeepEqual(await predictions(page), before, "the former card is still in use");
      await explain(page);
      await until(page, "done");

      await page.getByTestId("card-undo").click();
      for (const [index, field] of numbers.entries()) await field.fill(own[index]);
      await page.getByTestId("card-channels").selectOption("rgb");
      await page.getByTestId("card-apply").click();
      await page.getByTestId("card-state").filter({ hasText: "corrected by you" }).waitFor();
      await until(page, "ready");
      assert.deepEqual(await predictions(page), before);
    });

    test("the browser has nothing to complain of", () => {
      assert.deepEqual(page.complaints, []);
    });

    if (backend.adapter === "webgpu") {
      test("after the GPU is lost it goes on with the CPU, the same model and the same image", async () => {
        const before = await predictions(page);
        await killGpuProcess(browser);
        await page.getByTestId("run").click();
        await until(page, "loading");
        await until(page, "ready", "error");
        assert.match(await page.getByTestId("error").textContent(), /lost.*CPU/s);
        assert.match(await page.getByTestId("device").textContent(), /^CPU/);
        await picture(page, `${backend.name}-8-lost-gpu`);
        await explain(page);
        await until(page, "done");
        const after = await predictions(page);
        assert.deepEqual(after.map((row) => row.class), before.map((row) => row.class));
      });
    }
  });
}

describe("both backends", () => {
  test("give the same answers and the same maps", () => {
    const { webgpu, cpu } = found;
    assert.ok(webgpu && cpu, "a backend gave no answers");
    for (const row of cpu.rows) {
      const other = webgpu.rows.find((candidate) => candidate.class === row.class);
      assert.ok(Math.abs(other.score - row.score) < 1e-4, `class ${row.class}: ${other.score} and ${row.score}`);
    }
    for (const { method } of RUNS) {
      const [one, other] = [cpu.maps[method], webgpu.maps[method]];
      const largest = Math.max(...one.map(Math.abs));
      const error = Math.max(...one.map((value, index) => Math.abs(value - other[index]))) / largest;
      assert.ok(error < 1e-3, `${method}: the maps differ by ${error} of the largest value`);
    }
  });
});
