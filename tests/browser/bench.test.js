// What visitors do to the picture by hand: hide parts and see the score move, draw regions and let methods play with them.

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

/** A page with the bench open. */
async function opened(fragment = "", options = {}) {
  page = await open(browser, server.address + fragment, options);
  await until(page, "ready", "done");
  await page.getByTestId("edit-regions").locator("summary").click();
  await page.getByTestId("bench-canvas").scrollIntoViewIfNeeded();
  return page;
}

/** Draws from one place to another, in shares of the picture. */
async function draw(...places) {
  const { x, y, width, height } = await page.getByTestId("bench-canvas").boundingBox();
  const at = ([across, down]) => [x + across * width, y + down * height];
  await page.mouse.move(...at(places[0]));
  await page.mouse.down();
  for (const place of places) await page.mouse.move(...at(place), { steps: 4 });
  await page.mouse.up();
}

const click = (across, down) => draw([across, down]);

/** The score once it is of what is drawn. */
async function score() {
  const line = page.locator("[data-testid=bench-score][data-waiting=false]");
  await line.waitFor();
  return line.evaluate(({ dataset }) => [Number(dataset.before), Number(dataset.after)]);
}

/** The part of the picture that is hidden; the mock's score falls with it from 8. */
const hidden = async () => 1 - (await score())[1] / 8;

test("a stroke of the brush hides a part, the score falls, and undo brings it back", async () => {
  await opened();
  await page.getByText("Nothing is hidden yet.").waitFor();
  await page.getByTestId("brush-size").fill("16");
  await draw([0.25, 0.5], [0.75, 0.5]);
  // A band of half the side and a quarter of it, with round ends.
  const expected = 0.5 * 0.25 + Math.PI * 0.125 ** 2;
  const share = await hidden();
  assert.ok(Math.abs(share - expected) < 0.02, `${share}, not ${expected}`);
  assert.match(await page.getByTestId("bench-score").textContent(), /goes from 8 to 6\.\d+ with 1\d\.\d % of the picture hidden/);
  assert.equal(await page.getByTestId("edit-regions").locator("tbody tr").count(), 4);
  await picture(page, "bench-hidden");
  await draw([0.1, 0.1], [0.2, 0.1]);
  await page.waitForFunction((share) => 1 - document.querySelector("[data-testid=bench-score]").dataset.after / 8 > share + 0.01, share);
  await page.getByTestId("bench-undo").click();
  await page.waitForFunction((share) => 1 - document.querySelector("[data-testid=bench-score]").dataset.after / 8 === share, share);
  await page.getByTestId("bench-clear").click();
  await page.getByText("Nothing is hidden yet.").waitFor();
  assert.deepEqual(page.complaints, []);
});

test("whole regions are clicked away, of a grid or of pieces, and brought back by a second click", async () => {
  await opened();
  await page.getByTestId("click-region").click();
  await click(0.05, 0.05);
  assert.ok(Math.abs((await hidden()) - 1 / 64) < 1e-6, "one cell of 8 x 8");
  await page.getByTestId("bench-cells").selectOption("slic");
  await page.getByTestId("bench-cells-number").fill("4");
  await click(0.9, 0.5);
  await page.waitForFunction(() => document.querySelector("[data-testid=bench-score]").dataset.after < 6.5);
  assert.ok(Math.abs((await hidden()) - (1 / 64 + 1 / 4)) < 1e-6);
  await picture(page, "bench-regions");
  await click(0.9, 0.9);
  await page.waitForFunction(() => document.querySelector("[data-testid=bench-score]").dataset.after > 7);
  await page.getByTestId("bench-cells").selectOption("grid");
  await page.getByTestId("bench-cells-rows").fill("100");
  await page.getByText("64 rows of pixels only").waitFor();
});

test("what hidden parts become is chosen, and what the model saw is shown; a refusal is told", async () => {
  await opened();
  await click(0.5, 0.5);
  await score();
  const middle = () =>
    page.getByRole("img", { name: "What the model saw" }).evaluate((canvas) => [
      ...canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data,
    ]);
  assert.deepEqual(await middle(), [0, 0, 0, 255]);
  await page.getByTestId("bench-infill").selectOption("white");
  await page.waitForFunction(() => {
    const canvas = document.querySelector(".saw canvas");
    return canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data[0] === 255;
  });
  await page.getByTestId("bench-infill").selectOption("noise");
  await page.getByText("This mock makes no noise.").waitFor();
});

test("the keyboard alone hides, takes back and draws an outline", async () => {
  await opened();
  await page.getByTestId("bench-draw").focus();
  await reach(page, "[data-testid=bench-canvas]");
  await page.getByText("Column 33, row 33: visible.").waitFor();
  await page.keyboard.press("Space");
  await page.getByText("Column 33, row 33: hidden.").waitFor();
  assert.ok((await hidden()) > 0.005);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+ArrowUp");
  await page.getByText(/Column 37, row 32: /).waitFor();
  await page.keyboard.press("Backspace");
  await page.getByText("Nothing is hidden yet.").waitFor();
  await reach(page, "[data-testid=outline]");
  await page.keyboard.press("Enter");
  await page.getByTestId("bench-canvas").focus();
  for (const key of ["Space", "ArrowLeft", "ArrowLeft", "ArrowLeft", "Space", "ArrowDown", "ArrowDown", "ArrowDown", "Space", "Enter"]) await page.keyboard.press(key);
  const share = await hidden();
  assert.ok(share > 0.01 && share < 0.03, `half of 12 x 12 of 64 x 64 pixels, not ${share}`);
});

test("drawn regions go to the method that plays with them", async () => {
  await opened("#method=grad-cam");
  await page.getByTestId("bench-draw").click();
  await page.getByTestId("click-region").click();
  await page.getByTestId("bench-cells").selectOption("grid");
  await page.getByTestId("bench-cells-rows").fill("2");
  await page.getByTestId("bench-cells-columns").fill("2");
  await page.getByText("Cutting the picture").waitFor({ state: "hidden" });
  await click(0.2, 0.2);
  await page.getByTestId("region-new").click();
  await page.getByTestId("brush").click();
  await page.getByTestId("brush-size").fill("8");
  await click(0.75, 0.75);
  assert.ok(await page.getByTestId("use-regions").isDisabled());
  await page.getByText("does not play with regions").waitFor();
  await choose(page, "rise", { masks: "40" });
  await page.getByTestId("use-regions").click();
  assert.equal(await page.getByTestId("parameter-regions").inputValue(), "drawn by hand.npy");
  await picture(page, "bench-drawn");
  await explain(page);
  const note = await page.getByTestId("facts").locator(".note").textContent();
  const counts = note.match(/^drawn by hand\.npy: \{0:1024,1:(\d+),-1:(\d+)\}\.$/);
  assert.ok(counts, note);
  assert.equal(Number(counts[1]) + Number(counts[2]), 3072);
  assert.ok(Number(counts[1]) > 40 && Number(counts[1]) < 60, "a disc of 8 pixels");
});

test("another target is another score, and the score waits for a run", async () => {
  await opened();
  await click(0.5, 0.5);
  await score();
  await choose(page, "rise", { masks: "100000" });
  await page.getByTestId("run").click();
  await until(page, "running");
  await page.getByTestId("bench-canvas").scrollIntoViewIfNeeded();
  await click(0.2, 0.2);
  await page.getByText("The score follows when the run has ended.").waitFor();
  await page.keyboard.press("Escape");
  await until(page, "cancelled");
  await page.getByText("The score follows").waitFor({ state: "hidden" });
});

const LOOKS = [
  { name: "phone-light", viewport: { width: 320, height: 780 }, colorScheme: "light" },
  { name: "phone-dark", viewport: { width: 320, height: 780 }, colorScheme: "dark" },
  { name: "desktop-dark", viewport: { width: 1280, height: 900 }, colorScheme: "dark" },
];
for (const { name, ...options } of LOOKS) {
  test(`nothing sticks out sideways: ${name}`, async () => {
    await opened("", { ...options, reducedMotion: "reduce" });
    await page.getByTestId("click-region").click();
    await page.getByText("Cutting the picture").waitFor({ state: "hidden" });
    await click(0.3, 0.3);
    await score();
    await nothingSticksOut(page);
    await picture(page, `bench-${name}`);
    await page.getByTestId("bench-draw").click();
    await click(0.3, 0.3);
    await nothingSticksOut(page);
    assert.deepEqual(page.complaints, []);
    await picture(page, `bench-draw-${name}`);
  });
}
