// What the page shows of methods that try masks: what they try, how sure they are, a longer run, and how regions are set.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { choose, explain, launch, nothingSticksOut, open, picture, reach, servePageWithMockWorker, until } from "./harness.js";

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

const version = () => page.getByTestId("heatmap").getAttribute("data-version");
const redrawn = (before) => page.locator(`[data-testid=heatmap]:not([data-version="${before}"])`).waitFor();

test("masked pictures are shown with their scores while they are tried, and the last ones stay", async () => {
  await opened();
  await choose(page, "rise", { masks: "8000" });
  await page.getByTestId("run").click();
  const strip = page.getByTestId("tried");
  await strip.getByText("Trying right now").waitFor();
  await strip.locator("li").nth(7).waitFor();
  const seen = await strip.locator("li").first().locator("canvas").evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let black = 0;
    for (let at = 0; at < data.length; at += 4) black += data[at] + data[at + 1] + data[at + 2] === 0;
    return black / (data.length / 4);
  });
  assert.ok(Math.abs(seen - 0.25) < 0.01, `a quarter is hidden, not ${seen}`);
  assert.match(await strip.locator("li").first().textContent(), /^[4-7]\.31\d$/);
  await picture(page, "sampling-running");
  await until(page, "done");
  await strip.getByText("Tried last").waitFor();
  assert.equal(await strip.locator("li").count(), 8);
  await page.getByTestId("sample-1").click();
  await until(page, "ready");
  assert.equal(await strip.count(), 0, "another picture, nothing tried");
  assert.deepEqual(page.complaints, []);
});

test("how sure the map is is shown in its place and told in words, for methods that know it", async () => {
  await opened("#method=rise&p.masks=100");
  await until(page, "done");
  const toggle = page.getByTestId("band-toggle");
  assert.equal(await toggle.isChecked(), false);
  assert.match(await page.getByTestId("band-legend").textContent(), /± 0\.\d+ \(twice the mean standard error, \d+\.\d % of the map's strongest value\)/);
  const before = await version();
  await toggle.check();
  await redrawn(before);
  await page.getByText("How sure the map is of each pixel").waitFor();
  assert.match(await page.getByTestId("colour-bar").textContent(), /settled.*still uncertain/);
  await picture(page, "sampling-band");
  await toggle.uncheck();
  await page.getByTestId("colour-bar").getByText("speaks for it").waitFor();
  await choose(page, "grad-cam");
  await explain(page);
  assert.equal(await toggle.count(), 0);
});

test("a longer run asks for twice as many masks, says so, and narrows the band", async () => {
  await opened("#method=rise&p.masks=100");
  await until(page, "done");
  const width = async () => Number((await page.getByTestId("band-legend").textContent()).match(/± (\S+)/)[1]);
  const narrow = await width();
  const longer = page.getByTestId("run-longer");
  assert.equal(await longer.textContent(), "Run longer: 200 masks instead of 100");
  await longer.click();
  await page.getByText("Run longer: 400 masks instead of 200").waitFor();
  assert.ok(Math.abs((await width()) / narrow - Math.SQRT1_2) < 0.01);
  assert.equal(await page.getByTestId("parameter-masks").inputValue(), "200");
  await choose(page, "grad-cam");
  await explain(page);
  assert.equal(await longer.count(), 0, "nothing is drawn at random");
});

test("regions and windows are chosen by kind with their numbers beside", async () => {
  await opened();
  await choose(page, "rise");
  const regions = page.getByTestId("parameter-regions");
  await regions.selectOption("grid");
  await page.getByTestId("parameter-regions-rows").fill("4");
  await page.getByTestId("parameter-regions-columns").fill("6");
  await page.getByTestId("parameter-window").selectOption("sides");
  await page.getByTestId("parameter-window-columns").fill("16");
  await explain(page);
  const fragment = async () => {
    await page.getByTestId("share").click();
    await page.getByText("brings back this map").waitFor();
    return new URLSearchParams(new URL(page.url()).hash.slice(1));
  };
  const kept = await fragment();
  assert.deepEqual([kept.get("p.regions"), kept.get("p.window")], ["grid:4x6", "8x16"]);
  await regions.selectOption("slic");
  assert.equal(await page.getByTestId("parameter-regions-number").inputValue(), "50");
  await page.getByTestId("parameter-window").selectOption("square");
  await page.getByTestId("parameter-window-number").fill("");
  await page.getByText("not auto, or whole numbers from 1").first().waitFor();
  await picture(page, "sampling-regions");
  await page.getByTestId("parameter-window").selectOption("auto");
  await regions.selectOption("quickshift");
  assert.equal(await page.getByTestId("parameter-regions-number").count(), 0);
});

test("the keyboard reaches the band and the longer run", async () => {
  await opened("#method=rise&p.masks=100");
  await until(page, "done");
  await page.getByTestId("palette").focus();
  await reach(page, "[data-testid=band-toggle]");
  await page.keyboard.press("Space");
  await page.getByText("How sure the map is of each pixel").waitFor();
  await reach(page, "[data-testid=run-longer]");
});

const LOOKS = [
  { name: "phone-light", viewport: { width: 320, height: 780 }, colorScheme: "light" },
  { name: "phone-dark", viewport: { width: 320, height: 780 }, colorScheme: "dark" },
  { name: "desktop-dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
];
for (const { name, ...options } of LOOKS) {
  test(`nothing sticks out sideways: ${name}`, async () => {
    await opened("#method=rise&p.masks=100&p.regions=grid:4x4&p.window=8x8", { ...options, reducedMotion: "reduce" });
    await until(page, "done");
    await page.getByTestId("settings").locator("summary").click();
    await nothingSticksOut(page);
    assert.deepEqual(page.complaints, []);
    await picture(page, `sampling-${name}`);
  });
}
