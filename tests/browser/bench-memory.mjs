// The memory of a tab while it loads a model of 100 MB: `cargo xtask bench`.
//
// What counts is the private memory of the tab's process (RssAnon), by which Chromium itself measures a tab. The largest
// resident size that the system remembers (VmHWM) is printed beside it: it counts the browser's own program too, which all
// tabs share.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { DIST, launch, open, until } from "./harness.js";
import { largeModel } from "./large-model.js";
import { serve } from "./server.js";

const BACKENDS = [
  { name: "CPU", adapter: "none", fragment: "#device=cpu" },
  { name: "WebGPU (simulated)", adapter: "webgpu", fragment: "#device=gpu" },
];

const LIMIT = 3;

/** Milliseconds between two looks at a process. */
const PACE = 5;

/** Ids of the processes of this browser's tabs. */
async function tabs(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  return processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
}

/** What the system says of the process with the most memory, in MB. */
function memory(processes) {
  const read = (id) => {
    const status = readFileSync(`/proc/${id}/status`, "utf8");
    return Object.fromEntries(Array.from(status.matchAll(/^(RssAnon|VmHWM):\s+(\d+) kB/gm), ([, name, size]) => [name, size / 1000]));
  };
  return processes.map(read).reduce((most, one) => (one.RssAnon > most.RssAnon ? one : most));
}

/** How the file comes to the page. */
const WAYS = {
  dropped: (page, file) => page.getByTestId("model-drop").locator("input").setInputFiles(file),
  downloaded: async (page, _, address) => {
    await page.getByTestId("model-url").fill(`${address}large.onnx`);
    await page.getByTestId("model-load").click();
  },
};

async function load({ name, adapter, fragment }, way, file, size, address) {
  const browser = await launch(adapter);
  const page = await open(browser, address + fragment);
  await until(page, "ready");
  await pause(2000);
  const processes = await tabs(browser);
  const before = memory(processes);
  let peak = 0;
  const look = setInterval(() => (peak = Math.max(peak, memory(processes).RssAnon)), PACE);
  await WAYS[way](page, file, address);
  await page.getByTestId("model-select").locator("option:checked", { hasText: "large.onnx" }).waitFor({ state: "attached" });
  await until(page, "ready");
  clearInterval(look);
  const after = memory(processes);
  await browser.close();
  const figures = `${before.RssAnon.toFixed(0)} MB before, at most ${peak.toFixed(0)} MB, ${after.RssAnon.toFixed(0)} MB after`;
  const ratio = (peak / size).toFixed(2);
  console.log(`  ${name}, ${way}: ${figures}, ${ratio} times the file (limit ${LIMIT}); VmHWM ${after.VmHWM.toFixed(0)} MB`);
}

const folder = mkdtempSync(join(tmpdir(), "vitrine-"));
const file = join(folder, "large.onnx");
const bytes = largeModel();
writeFileSync(file, bytes);
const server = await serve(DIST, { "large.onnx": file });
const size = bytes.length / 1e6;
console.log(`private memory of the tab that loads a model of ${size.toFixed(0)} MB:`);
for (const backend of BACKENDS) {
  for (const way of Object.keys(WAYS)) await load(backend, way, file, size, server.address);
}
await server.close();
rmSync(folder, { recursive: true });
