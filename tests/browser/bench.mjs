// What a visitor waits for and downloads, and the memory of a long run: `cargo xtask bench`.

import { readFileSync } from "node:fs";

import { choose, explain, launch, open, servePage, until } from "./harness.js";
import { weights } from "./weight.js";

const BACKENDS = [
  { name: "CPU", adapter: "none", fragment: "" },
  { name: "WebGPU (simulated)", adapter: "webgpu", fragment: "&device=gpu" },
];

/** The masks whose memory is compared, and the largest difference allowed for. */
const MASKS = [500, 10_000];

/** Milliseconds from navigation to the first prediction, and to the first heat map, which the address asks for. */
async function visit(context, address) {
  const page = await context.newPage();
  page.setDefaultTimeout(300_000);
  const started = performance.now();
  const since = () => Math.round(performance.now() - started);
  await page.goto(address);
  await page.getByTestId("predictions").locator("li").first().waitFor();
  const prediction = since();
  await page.locator("[data-testid=heatmap][data-shows=map]").waitFor();
  const map = since();
  await page.close();
  return `first prediction ${prediction} ms, first Grad-CAM ${map} ms`;
}

/** The largest memory that any tab's process of this browser ever had, in kB. */
async function peakMemory(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const peaks = processInfo
    .filter((process) => process.type === "renderer")
    .map((process) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${process.id}/status`, "utf8"))[1]));
  return Math.max(...peaks);
}

/** Runs RISE in a browser of its own and says what its tab took. */
async function memoryOfRise(address, masks) {
  const browser = await launch("none");
  const page = await open(browser, address);
  await until(page, "ready");
  await choose(page, "rise", { masks: String(masks) });
  await explain(page);
  const peak = await peakMemory(browser);
  await browser.close();
  return peak;
}

for (const { part, bytes, budget } of weights()) {
  console.log(`weight of the ${part}: ${bytes} bytes after brotli, of ${budget}`);
}
const server = await servePage();
for (const { name, adapter, fragment } of BACKENDS) {
  const browser = await launch(adapter);
  const context = await browser.newContext();
  const address = `${server.address}#method=grad-cam${fragment}`;
  console.log(`from navigation, ${name}, cold: ${await visit(context, address)}`);
  console.log(`from navigation, ${name}, warm: ${await visit(context, address)}`);
  await browser.close();
}
const [few, many] = [await memoryOfRise(server.address, MASKS[0]), await memoryOfRise(server.address, MASKS[1])];
const ratio = (many / few).toFixed(3);
console.log(`peak memory of RISE in the tab: ${few} kB with ${MASKS[0]} masks, ${many} kB with ${MASKS[1]}, ratio ${ratio}`);
await server.close();
