// What the tests of the page share: the built page, browsers with and without WebGPU, waiting, pictures.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

import { serve } from "./server.js";

const HERE = import.meta.dirname;

/** The built page, as `cargo xtask dist` leaves it. */
export const DIST = resolve(process.env.VITRINE_DIST ?? join(HERE, "../../dist"));

const ARTIFACTS = join(HERE, "../artifacts");

/** Long enough for a simulated GPU on a busy machine. */
export const PATIENCE = 300_000;

const ALWAYS = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
];

/** What a browser is started with: `webgpu` through SwiftShader, a GPU simulated on the processor, or with no adapter. */
const ADAPTERS = {
  webgpu: ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
  none: ["--disable-gpu", "--disable-features=WebGPU,WebGPUService"],
};

/** Starts Chromium. */
export function launch(adapter) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [...ALWAYS, ...ADAPTERS[adapter]],
  });
}

/** Ends the process in which a browser talks to the GPU, as a crashing driver does. */
export async function killGpuProcess(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  process.kill(processInfo.find(({ type }) => type === "GPU").id, "SIGKILL");
  await session.detach();
}

/** Serves the built page. */
export function servePage() {
  requirePage();
  return serve(DIST);
}

/** Serves the built page with the worker that computes nothing, and with the hub of models at `hub`. */
export function servePageWithMockWorker(hub = "http://127.0.0.1:1") {
  requirePage();
  const index = readFileSync(join(DIST, "index.html"), "utf8");
  const [, worker] = index.match(/name="?vitrine-worker"?\s+content="?([^"\s>]+)/);
  const withHub = index.replace(/(name="?vitrine-hub"?\s+content="?)[^"\s>]+/, `$1${hub}`);
  return serve(DIST, { [worker.replace(/^\.\//, "")]: join(HERE, "mock-worker.js"), "index.html": Buffer.from(withHub) });
}

function requirePage() {
  if (!existsSync(join(DIST, "index.html"))) {
    throw new Error(`There is no built page in ${DIST}; build it with \`cargo xtask dist\`, or name it in VITRINE_DIST.`);
  }
}

/** Opens a page; what the browser complains about is collected in `page.complaints`. */
export async function open(browser, address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") page.complaints.push(message.text());
  });
  await page.goto(address);
  return page;
}

/** Waits until the status is one of these. */
export function until(page, ...states) {
  const selector = states.map((state) => `[data-testid=status][data-state=${state}]`).join(",");
  return page.locator(selector).waitFor();
}

/** Starts a run and waits for its end. */
export async function explain(page) {
  await page.getByTestId("run").click();
  await until(page, "done", "error");
}

/** Chooses a method and its parameters in the form. */
export async function choose(page, method, parameters = {}) {
  await page.getByTestId("method-select").selectOption(method);
  const settings = page.getByTestId("settings");
  if ((await settings.getAttribute("open")) === null) await settings.locator("summary").click();
  const more = settings.getByTestId("more").and(page.locator("[aria-expanded=false]"));
  if (await more.count()) await more.click();
  for (const [id, value] of Object.entries(parameters)) await page.getByTestId(`parameter-${id}`).fill(value);
}

/** Gives the page a file, as its file dialogue would. */
export function give(page, zone, name, content) {
  const file = { name, mimeType: "application/octet-stream", buffer: Buffer.from(content) };
  return page.getByTestId(zone).locator("input").setInputFiles(file);
}

/** What "save numbers" saves. */
export async function numbers(page) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("download-json").click()]);
  return JSON.parse(readFileSync(await download.path(), "utf8"));
}

/** The predictions, as the page marks them. */
export function predictions(page) {
  return page
    .getByTestId("predictions")
    .locator("li")
    .evaluateAll((rows) => rows.map((row) => ({ class: Number(row.dataset.class), score: Number(row.dataset.score) })));
}

/** How many different colours the canvas shows. */
export function colours(page) {
  return page.getByTestId("heatmap").evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
}

/** Whether what the selector names has the keyboard's focus. */
export function focused(page, selector) {
  return page.evaluate((wanted) => document.activeElement.matches(wanted), selector);
}

/** Presses Tab until what the selector names has the keyboard's focus. */
export async function reach(page, selector) {
  for (let presses = 0; presses < 60; presses++) {
    if (await focused(page, selector)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`${selector} cannot be reached`);
}

/** The page must not be wider than its window. */
export async function nothingSticksOut(page) {
  const widths = await page.locator("html").evaluate(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }));
  assert.equal(widths.scrollWidth, widths.clientWidth);
}

/** Keeps a picture of the page for people to look at. */
export async function picture(page, name) {
  mkdirSync(ARTIFACTS, { recursive: true });
  await page.screenshot({ path: join(ARTIFACTS, `${name}.png`), fullPage: true });
}
