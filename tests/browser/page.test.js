// The page by itself: its worker is replaced by one that computes nothing (mock-worker.js).

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import {
  choose,
  explain,
  focused,
  give,
  launch,
  nothingSticksOut,
  numbers,
  open,
  picture,
  reach,
  servePageWithMockWorker,
  until,
} from "./harness.js";

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

async function opened(fragment = "", options = {}) {
  page = await open(browser, server.address + fragment, options);
  await until(page, "ready", "done");
  return page;
}

const notice = () => page.getByTestId("error").locator("p").textContent();

test("a link selects everything and runs once, and sharing gives the link back", async () => {
  const fragment = "#model=digits&image=sample-2&method=rise&target=prob%3A3&seed=7&p.masks=40";
  await opened(fragment, { permissions: ["clipboard-read", "clipboard-write"] });
  await until(page, "done");
  assert.equal(await page.getByTestId("model-select").inputValue(), "digits");
  assert.equal(await page.getByTestId("sample-2").getAttribute("aria-pressed"), "true");
  assert.equal(await page.getByTestId("method-select").inputValue(), "rise");
  assert.equal(await page.getByTestId("target-select").inputValue(), "3");
  assert.equal((await numbers(page)).seed, 7);
  await page.getByTestId("share").click();
  await page.getByText("The link is copied").waitFor();
  const copied = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  assert.equal(copied.hash, fragment);
  assert.equal(page.url(), copied.href);
});

test("a new fragment in the address is followed without loading the page again", async () => {
  await opened();
  await page.evaluate(() => (window.same = true));
  await page.evaluate(() => (location.hash = "#method=grad-cam&image=sample-1"));
  await until(page, "done");
  assert.equal(await page.getByTestId("method-select").inputValue(), "grad-cam");
  assert.equal(await page.getByTestId("sample-1").getAttribute("aria-pressed"), "true");
  assert.equal(await page.evaluate(() => window.same), true);
});

test("a link to a method that does not exist says which there are", async () => {
  page = await open(browser, `${server.address}#method=magic`);
  await page.getByTestId("error").waitFor();
  assert.match(await notice(), /"magic".*integrated-gradients, grad-cam, rise/);
  await page.getByTestId("dismiss").click();
  await until(page, "ready");
  assert.equal(await page.getByTestId("error").count(), 0);
});

test("a worker that dies is replaced, with the same model and picture", async () => {
  await opened();
  await give(page, "model-drop", "mine.onnx", "a model");
  await until(page, "ready");
  await page.getByTestId("sample-3").click();
  await until(page, "ready");
  await give(page, "image-drop", "crash.png", "deadly");
  await page.getByTestId("error").waitFor();
  assert.match(await notice(), /stopped.*unreachable executed.*started again/);
  await until(page, "ready");
  assert.equal(await page.getByTestId("sample-3").getAttribute("aria-pressed"), "true");
  assert.equal(await page.getByTestId("model-select").locator("option:checked").textContent(), "mine.onnx");
  await picture(page, "page-crash");
  await explain(page);
  await until(page, "done");
});

test("a lost device is replaced by the CPU", async () => {
  await opened("#device=gpu");
  assert.match(await page.getByTestId("device").textContent(), /WebGPU/);
  await give(page, "image-drop", "lost.png", "");
  await page.getByTestId("error").waitFor();
  assert.match(await notice(), /graphics processor was lost.*on the CPU/);
  await until(page, "ready");
  assert.equal(await page.getByTestId("device").textContent(), "CPU");
});

test("a worker that keeps dying is not started for ever", async () => {
  await opened();
  for (const _ of ["first", "second"]) {
    await give(page, "image-drop", "crash.png", "deadly");
    await page.getByTestId("dismiss").waitFor();
    await until(page, "ready");
    await page.getByTestId("dismiss").click();
  }
  await give(page, "image-drop", "crash.png", "deadly");
  await page.getByText("Reload the page", { exact: true }).waitFor();
  await until(page, "error");
  await picture(page, "page-stopped");
  await page.getByText("Reload the page", { exact: true }).click();
  await until(page, "ready");
});

test("a worker that does not load gives a message and no endless loop", async () => {
  page = await (await browser.newContext()).newPage();
  await page.route(/worker_start/, (route) => route.fulfill({ status: 404 }));
  await page.goto(server.address);
  await page.getByText("Reload the page", { exact: true }).waitFor();
  assert.match(await notice(), /could not be loaded/);
});

test("the keyboard alone is enough", async () => {
  await opened();
  await reach(page, "[data-testid=sample-1]");
  await page.keyboard.press("Enter");
  // Only then is it known that the picture is on its way.
  await page.locator("[data-testid=sample-1][aria-pressed=true]").waitFor();
  await until(page, "ready");
  await reach(page, "[data-testid=predictions] li:nth-child(2) button");
  await page.keyboard.press("Space");
  assert.equal(await page.getByTestId("target-select").inputValue(), "3");
  await reach(page, "[data-testid=method-select]");
  await page.keyboard.type("RISE");
  await reach(page, "summary");
  await page.keyboard.press("Enter");
  await reach(page, "[data-testid=parameter-masks]");
  const type = async (text) => {
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type(text);
  };
  await type("100000");
  await page.keyboard.press("Enter");
  await until(page, "running");
  await page.keyboard.press("Escape");
  await until(page, "cancelled");
  await type("20");
  await reach(page, "[data-testid=run]");
  await page.keyboard.press("Enter");
  await until(page, "done");
  assert.ok(await focused(page, "[data-testid=run]"), "the focus stays on the button");
});

test("a wrong value is explained beside its field, and nothing can be run", async () => {
  await opened();
  await choose(page, "integrated-gradients", { steps: "0" });
  const field = page.locator(".field", { has: page.getByTestId("parameter-steps") });
  assert.match(await field.getByRole("alert").textContent(), /"0" is not a whole number from 1 to 1000/);
  assert.ok(await page.getByTestId("run").isDisabled());
  await picture(page, "page-wrong-value");
  await page.getByTestId("reset").click();
  await explain(page);
  assert.match(await page.getByTestId("facts").textContent(), /Does it add up\?yes/);
});

test("partial maps appear while a run goes on", async () => {
  await opened();
  await choose(page, "rise", { masks: "100000" });
  await page.getByTestId("run").click();
  await page.locator("[data-testid=heatmap][data-shows=map]").waitFor();
  await until(page, "running");
  const { value, max } = await page.getByTestId("progress").evaluate(({ value, max }) => ({ value, max }));
  assert.ok(value > 0 && value <= max && max === 100_000, `${value} of ${max}`);
  await picture(page, "page-running");
  await page.getByTestId("cancel").click();
  await until(page, "cancelled");
  assert.equal(await page.getByTestId("heatmap").getAttribute("data-shows"), "map", "what was known stays on screen");
});

test("a picture in the making is shown live, and saved as it is finished", async () => {
  await opened();
  await choose(page, "maco", { steps: "100000" });
  assert.equal(await page.getByTestId("visualisation").count(), 0, "nothing is made yet");
  await page.getByTestId("run").click();
  const canvas = page.getByTestId("visualisation");
  const drawn = async () => Number(await canvas.getAttribute("data-version"));
  await canvas.waitFor();
  const first = await drawn();
  await page.waitForFunction((first) => Number(document.querySelector("[data-testid=visualisation]").dataset.version) > first + 2, first);
  await until(page, "running");
  assert.match(await canvas.getAttribute("aria-label"), /in the making/);
  await picture(page, "page-making");
  await page.getByTestId("cancel").click();
  await until(page, "cancelled");
  assert.match(await page.getByTestId("status").textContent(), /what was made by then/);
  await choose(page, "maco", { steps: "40" });
  await explain(page);
  assert.match(await canvas.getAttribute("aria-label"), /^A picture made for the logit of 2 \(owl\)/);
  const pixel = (x, y) =>
    canvas.evaluate((canvas, [x, y]) => [...canvas.getContext("2d").getImageData(x, y, 1, 1).data], [x, y]);
  assert.deepEqual(await pixel(256, 256), [200, 90, 60, 255]);
  assert.equal((await pixel(2, 2))[3], 0, "what never mattered is transparent");
  for (const hidden of ["heatmap", "opacity", "palette", "colour-bar"]) {
    assert.equal(await page.getByTestId(hidden).count(), 0, `${hidden} means nothing here`);
  }
  assert.match(await page.getByTestId("facts").textContent(), /What was to growwent from 0.25 to 7.31/);
  await picture(page, "page-made");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("download-png").click()]);
  assert.equal(download.suggestedFilename(), "vitrine-maco.png");
  await choose(page, "grad-cam");
  await explain(page);
  assert.equal(await page.getByTestId("visualisation").count(), 0, "a map takes its place again");
  assert.equal(await page.getByTestId("heatmap").getAttribute("data-shows"), "map");
  assert.equal(await page.getByTestId("opacity").count(), 1);
});

test("opacity and palette change the drawing alone", async () => {
  await opened("#method=integrated-gradients");
  await until(page, "done");
  assert.equal(await page.getByTestId("palette").inputValue(), "blue-red", "a signed map gets a signed palette");
  const pixel = () =>
    page.getByTestId("heatmap").evaluate((canvas) => [...canvas.getContext("2d").getImageData(0, 0, 1, 1).data]);
  const version = async () => Number(await page.getByTestId("heatmap").getAttribute("data-version"));
  const redrawn = async (change) => {
    const before = await version();
    await change();
    await page.waitForFunction(
      (before) => Number(document.querySelector("[data-testid=heatmap]").dataset.version) > before,
      before,
    );
    return pixel();
  };
  const mixed = await pixel();
  const pictureAlone = await redrawn(() => page.getByTestId("opacity").fill("0"));
  assert.deepEqual(pictureAlone, [180, 205, 225, 255], "the mock's sky");
  const mapAlone = await redrawn(() => page.getByTestId("opacity").fill("100"));
  const viridis = await redrawn(() => page.getByTestId("palette").selectOption("viridis"));
  assert.notDeepEqual(mixed, pictureAlone);
  assert.notDeepEqual(mapAlone, viridis);
  assert.match(await page.getByTestId("colour-bar").textContent(), /^≤ 0.*matters little/, "negative values look like zero");
});

test("the picture is saved as PNG", async () => {
  await opened("#method=grad-cam");
  await until(page, "done");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("download-png").click()]);
  assert.equal(download.suggestedFilename(), "vitrine-grad-cam.png");
  const chunks = await (await download.createReadStream()).toArray();
  assert.deepEqual([...Buffer.concat(chunks).subarray(1, 4)], [...Buffer.from("PNG")]);
});

test("files can be dropped and pasted anywhere", async () => {
  await opened();
  const deliver = (type, names) =>
    page.evaluate(
      ([type, names]) => {
        const data = new DataTransfer();
        for (const name of names) data.items.add(new File(["x"], name));
        const options = { bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data };
        const event = type === "drop" ? new DragEvent(type, options) : new ClipboardEvent(type, options);
        document.querySelector("main").dispatchEvent(event);
      },
      [type, names],
    );
  await deliver("paste", ["pasted.png"]);
  await page.getByText("Now: pasted.png").waitFor();
  await deliver("drop", ["dropped.onnx", "dropped.card.json"]);
  await page.getByTestId("model-select").locator("option", { hasText: "dropped.onnx" }).waitFor({ state: "attached" });
  await until(page, "ready");
  await deliver("drop", ["one.png", "two.png"]);
  await page.getByTestId("error").waitFor();
  assert.match(await notice(), /one image at a time/);
});

test("an embedded page leaves out its head, and what a link hides", async () => {
  await opened("#embed=1&hide=model,images");
  for (const part of ["device", "model-select", "sample-0"]) assert.equal(await page.getByTestId(part).count(), 0, part);
  await explain(page);
  await until(page, "done");
  await picture(page, "page-embedded");
});

const LOOKS = [
  { name: "desktop-light", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { name: "desktop-dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  { name: "tablet-light", viewport: { width: 900, height: 1100 }, colorScheme: "light" },
  { name: "phone-light", viewport: { width: 390, height: 844 }, colorScheme: "light" },
  { name: "phone-dark", viewport: { width: 390, height: 844 }, colorScheme: "dark" },
];
for (const { name, ...options } of LOOKS) {
  test(`nothing sticks out sideways: ${name}`, async () => {
    await opened("#method=integrated-gradients", { ...options, reducedMotion: "reduce" });
    await until(page, "done");
    await nothingSticksOut(page);
    assert.deepEqual(page.complaints, []);
    await picture(page, `page-${name}`);
  });
}
