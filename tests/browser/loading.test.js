// Models from addresses, from a hub of repositories, and from what the browser keeps: the page with the mock worker, and
// a host on another origin that behaves well and badly.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { give, launch, nothingSticksOut, picture, reach, servePageWithMockWorker, until } from "./harness.js";
import { MODEL, content, mark, startHost } from "./model-host.js";

const PATIENCE = 60_000;

let server, browser, page, host;

before(async () => {
  host = await startHost();
  server = await servePageWithMockWorker(host.address);
  browser = await launch("none");
});
after(async () => {
  await browser?.close();
  await server?.close();
  await host?.close();
});
beforeEach(() => host.reset());
afterEach(() => page?.context().close());

/** Opens the page. */
async function opened(fragment = "", options = {}, prepare = async () => {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  await prepare(page);
  await page.goto(server.address + fragment);
  await until(page, "ready", "done", "error");
}

async function load(text) {
  await page.getByTestId("model-url").fill(text);
  await page.getByTestId("model-load").click();
}

const model = () => page.getByTestId("model-select").locator("option:checked").textContent();
const description = () => page.locator("#model-description").textContent();
const notice = () => page.getByTestId("error").locator("p").textContent();
const note = () => page.getByTestId("model-note").textContent();
const kept = () => page.getByTestId("kept-models").locator("li .name").allTextContents();
const onShelf = (text) => page.getByTestId("kept-total").filter({ hasText: text }).waitFor();
const openShelf = () => page.getByTestId("kept-models").locator("summary").click();
const came = (bytes) => page.getByText(`${bytes.length} bytes, mark ${mark(bytes)}.`).waitFor();

/** A load that fails: the model from before stays, and a run works. */
async function refused(text, ...patterns) {
  await load(text);
  await page.getByTestId("error").waitFor();
  for (const pattern of patterns) assert.match(await notice(), pattern);
  await until(page, "error");
  assert.equal(await model(), "Critters");
  await page.getByTestId("dismiss").click();
  await page.getByTestId("run").click();
  await until(page, "done");
}

test("a model is loaded from an address, and all of it arrives", async () => {
  await opened();
  await load(`${host.address}/large/net.onnx`);
  await came(content(40_000_000));
  assert.equal(await model(), "net.onnx");
  assert.match(await description(), /There is no model card/);
  await load(`${host.address}/carded/net.onnx?download=1`);
  await came(MODEL);
  assert.doesNotMatch(await description(), /There is no model card/);
  assert.ok(host.requests.includes("GET /carded/net.card.json?download=1"), host.requests.join("\n"));
});

test("progress is told in megabytes, and Stop and Escape stop a download", async () => {
  await opened();
  for (const stop of [() => page.getByTestId("model-cancel").click(), () => page.keyboard.press("Escape")]) {
    await load(`${host.address}/held/net.onnx`);
    await page.getByTestId("model-amount").filter({ hasText: "1.0 of 2.0 MB" }).waitFor();
    const { value, max } = await page.getByTestId("model-progress").evaluate(({ value, max }) => ({ value, max }));
    assert.deepEqual([value, max], [1_000_000, 2_000_000]);
    assert.match(await page.getByTestId("status").textContent(), /Downloading net\.onnx/);
    await picture(page, "loading-progress");
    await stop();
    await until(page, "ready");
    assert.equal(await page.getByTestId("model-progress").count(), 0);
    assert.match(await note(), /stopped/);
    assert.equal(await model(), "Critters");
  }
  await load(`${host.address}/held/net.onnx`);
  await page.getByTestId("model-amount").filter({ hasText: "1.0 of 2.0 MB" }).waitFor();
  host.release();
  await came(MODEL);
});

test("a length that the server does not tell is said to be unknown", async () => {
  await opened();
  await load(`${host.address}/unknown/net.onnx`);
  await page.getByTestId("model-amount").filter({ hasText: /1\.0 MB so far.*does not say/ }).waitFor();
  assert.equal(await page.getByTestId("model-progress").getAttribute("value"), null);
  host.release();
  await came(MODEL);
});

test("what cannot be fetched is explained by its host and a remedy, and the model from before stays usable", async () => {
  await opened();
  const name = new RegExp(new URL(host.address).host);
  await refused(`${host.address}/closed/net.onnx`, name, /does not allow other pages/, /Access-Control-Allow-Origin/);
  await refused(`${host.address}/status/404/net.onnx`, name, /404/, /Check the address/);
  await refused(`${host.address}/status/403/net.onnx`, name, /login/, /drop it here/);
  await refused(`${host.address}/status/503/net.onnx`, name, /fault of its own/, /later/);
  await refused(`${host.address}/page/net.onnx`, name, /web page, not a file/);
  await refused(`${host.address}/huge/net.onnx`, /3\.0 GB/, /up to 1\.0 GB/, /command line/);
  await refused(`${host.address}/broken/net.onnx`, name, /broke off after 1\.0 of 2\.0 MB/);
  await refused("http://127.0.0.1:1/net.onnx", /127\.0\.0\.1:1 cannot be reached/);
  await refused("alexnet", /owner\/name/);
  await refused("ftp://example.org/net.onnx", /https:\/\//);
  await page.context().setOffline(true);
  await refused(`${host.address}/plain/net.onnx`, /offline/, /kept in this browser/);
});

test("a file that is no model leaves the one from before", async () => {
  await opened();
  await refused(`${host.address}/plain/broken.onnx`, /broken\.onnx is not/);
  assert.deepEqual(await kept(), [], "what is no model is not kept");
});

test("a link downloads its model before it runs", async () => {
  await opened(`#model=${encodeURIComponent(`${host.address}/plain/net.onnx`)}&method=grad-cam`);
  await until(page, "done");
  assert.equal(await model(), "net.onnx");
});

test("a repository with one model loads it, with its card", async () => {
  await opened();
  await load("me/one");
  await came(MODEL);
  assert.equal(await model(), "model.onnx");
  assert.doesNotMatch(await description(), /There is no model card/);
  assert.ok(host.requests.includes("GET /api/models/me/one?blobs=true"), host.requests.join("\n"));
  assert.ok(host.requests.includes("GET /me/one/resolve/main/model.onnx"), host.requests.join("\n"));
});

test("a repository with several models lets the visitor choose", async () => {
  await opened();
  await load("https://huggingface.co/me/several/tree/main");
  const choices = page.getByTestId("model-offer").getByRole("button");
  await choices.first().waitFor();
  assert.deepEqual(await choices.allTextContents(), ["onnx/model.onnx2.0 MB", "onnx/model_quantized.onnx0.5 MB"]);
  assert.match(await note(), /2 models/);
  assert.ok(await page.getByTestId("run").isEnabled(), "the model from before is usable meanwhile");
  await picture(page, "loading-offer");
  await choices.nth(1).click();
  await came(content(500_000));
  assert.equal(await page.getByTestId("model-offer").count(), 0);
  await load("me/several@refs%2Fpr%2F1");
  await came(content(300_000));
  await load("me/several/onnx/model.onnx");
  await came(MODEL);
  assert.ok(host.requests.includes("GET /me/several/resolve/refs%2Fpr%2F1/other.onnx"), host.requests.join("\n"));
});

test("repositories that do not exist, are private or hold no model are explained", async () => {
  await opened();
  await refused("me/nothing", /no public model me\/nothing/, /login/);
  await refused("me/one@v9", /no public model me\/one@v9/);
  await refused("me/weights", /me\/weights holds no \.onnx file/);
  await refused("me/one/other.onnx", /no other\.onnx/, /404/);
});

test("models from addresses are kept with their size and load without the network", async () => {
  await opened();
  await load(`${host.address}/carded/net.onnx`);
  await came(MODEL);
  await onShelf("one model, 2.0 MB");
  await load("me/several/onnx/model_quantized.onnx");
  await came(content(500_000));
  await onShelf("2 models, 2.5 MB");
  await openShelf();
  await picture(page, "loading-kept");
  assert.deepEqual((await kept()).sort(), ["model_quantized.onnx", "net.onnx"]);

  await page.reload();
  await until(page, "ready");
  await onShelf("2 models, 2.5 MB");
  await openShelf();
  await page.context().setOffline(true);
  const requests = host.requests.length;
  const shelf = page.getByTestId("kept-models");
  await shelf.getByRole("button", { name: /^net\.onnx/ }).click();
  await came(MODEL);
  assert.doesNotMatch(await description(), /There is no model card/, "the card is kept too");
  assert.equal(await shelf.getByRole("button", { name: /^net\.onnx/ }).getAttribute("aria-pressed"), "true");
  assert.equal(host.requests.length, requests, "nothing was asked for");

  await load("me/several/onnx/model_quantized.onnx");
  await came(content(500_000));
  assert.match(await note(), /offline.*copy kept in this browser/);

  await shelf.getByRole("button", { name: "Delete net.onnx" }).click();
  await onShelf("one model, 0.5 MB");
  assert.ok(await page.evaluate(() => document.activeElement.matches("summary")), "the focus stays near");
  assert.deepEqual(await kept(), ["model_quantized.onnx"]);
});

test("a kept copy spares the transfer until the file at its address changes", async () => {
  await opened();
  const again = async () => {
    await load(`${host.address}/plain/net.onnx`);
    await onShelf("one model");
    await until(page, "ready");
  };
  const cards = () => host.requests.filter((request) => request.endsWith("card.json")).length;
  await again();
  assert.equal(cards(), 1);
  await page.getByTestId("model-select").selectOption("digits");
  await again();
  await came(MODEL);
  assert.equal(cards(), 1, "the copy was the same");
  host.touch();
  await page.getByTestId("model-select").selectOption("digits");
  await again();
  await came(MODEL);
  assert.equal(cards(), 2, "the file was newer");
});

test("the visitor's own files are kept only on request", async () => {
  await opened();
  await openShelf();
  assert.equal(await page.getByTestId("keep-model").count(), 0, "built-in models are always there");
  await give(page, "model-drop", "own.onnx", MODEL);
  await came(MODEL);
  assert.deepEqual(await kept(), []);
  await page.getByTestId("keep-model").click();
  await onShelf("one model, 2.0 MB");
  assert.equal(await page.getByTestId("keep-model").count(), 0);
  await page.getByTestId("model-select").selectOption("digits");
  await until(page, "ready");
  await page.getByTestId("kept-models").getByRole("button", { name: /^own\.onnx/ }).click();
  await came(MODEL);
});

test("a full storage is told and stops nothing", async () => {
  await opened();
  const session = await page.context().newCDPSession(page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(server.address).origin, quotaSize: 100_000 });
  await load(`${host.address}/plain/net.onnx`);
  await came(MODEL);
  await page.getByTestId("model-note").filter({ hasText: /loaded but not kept.*no more room/ }).waitFor();
  await until(page, "ready");
  assert.equal(await page.getByTestId("error").count(), 0);
  assert.deepEqual(await kept(), []);
});

test("a browser without storage loads models all the same", async () => {
  await opened("", {}, (page) =>
    page.addInitScript(() => Object.defineProperty(window, "caches", { value: undefined })),
  );
  await onShelf("not possible here");
  await load(`${host.address}/plain/net.onnx`);
  await came(MODEL);
  await until(page, "ready");
  assert.equal(await page.getByTestId("error").count(), 0);
});

test("a damaged copy is not used", async () => {
  await opened();
  await load(`${host.address}/plain/net.onnx`);
  await onShelf("one model");
  await page.evaluate(async () => {
    const cache = await caches.open("vitrine-models");
    for (const request of await cache.keys()) {
      const { headers } = await cache.match(request);
      await cache.put(request, new Response("short", { headers }));
    }
  });
  await openShelf();
  await page.getByTestId("kept-models").getByRole("button", { name: /^net\.onnx/ }).click();
  await page.getByTestId("error").waitFor();
  assert.match(await notice(), /damaged or gone/);
  await load(`${host.address}/plain/net.onnx`);
  await came(MODEL);
});

test("the keyboard alone loads, keeps and deletes", async () => {
  await opened();
  await reach(page, "[data-testid=model-url]");
  await page.keyboard.type("me/several");
  await page.keyboard.press("Enter");
  await page.getByTestId("model-offer").waitFor();
  await reach(page, "[data-testid=model-offer] button");
  await page.keyboard.press("Enter");
  await came(MODEL);
  await onShelf("one model");
  await reach(page, "[data-testid=kept-models] summary");
  await page.keyboard.press("Enter");
  await reach(page, "[data-testid=kept-models] li button:last-child");
  await page.keyboard.press("Enter");
  await onShelf("nothing yet");
});

const LOOKS = [
  { name: "desktop-light", viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  { name: "desktop-dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
  { name: "phone-light", viewport: { width: 390, height: 844 }, colorScheme: "light" },
  { name: "phone-dark", viewport: { width: 390, height: 844 }, colorScheme: "dark" },
];
for (const { name, ...options } of LOOKS) {
  test(`nothing sticks out sideways while models are chosen, kept and on their way: ${name}`, async () => {
    await opened("", { ...options, reducedMotion: "reduce" });
    await load(`${host.address}/plain/a-network-with-a-rather-long-name-and-no-spaces_v2.1_fp32.onnx`);
    await onShelf("one model");
    await openShelf();
    await load("me/several");
    await page.getByTestId("model-offer").waitFor();
    await nothingSticksOut(page);
    await picture(page, `loading-offer-${name}`);
    await load(`${host.address}/held/a-network-with-a-rather-long-name-and-no-spaces_v2.1_fp32.onnx`);
    await page.getByTestId("model-amount").filter({ hasText: "1.0 of 2.0 MB" }).waitFor();
    await nothingSticksOut(page);
    await picture(page, `loading-progress-${name}`);
    host.release();
  });
}
