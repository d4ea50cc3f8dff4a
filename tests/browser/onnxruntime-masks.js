// The loop over random masks that one would write around onnxruntime-web; runs in a page.

/** Cells along each side, and the probability that a cell is kept. */
const GRID = 7;
const KEEP = 0.5;

/** Writes a mask: cells of random values with straight lines between, shifted at random. */
function write(mask, side) {
  const cell = Math.ceil(side / GRID);
  const coarse = Array.from({ length: (GRID + 2) ** 2 }, () => (Math.random() < KEEP ? 1 : 0));
  const [top, left] = [Math.random(), Math.random()];
  for (let y = 0; y < side; y++) {
    const [row, down] = [Math.floor(y / cell + top), (y / cell + top) % 1];
    for (let x = 0; x < side; x++) {
      const [column, right] = [Math.floor(x / cell + left), (x / cell + left) % 1];
      const at = row * (GRID + 2) + column;
      const [above, below] = [at, at + GRID + 2].map((start) => coarse[start] + right * (coarse[start + 1] - coarse[start]));
      mask[y * side + x] = above + down * (below - above);
    }
  }
}

/** The pixels of a PNG from 0 to 1, channel after channel. */
async function pixels(address, side) {
  const context = new OffscreenCanvas(side, side).getContext("2d");
  context.drawImage(await createImageBitmap(await (await fetch(address)).blob()), 0, 0);
  const { data } = context.getImageData(0, 0, side, side);
  const plane = side * side;
  return Float32Array.from({ length: 3 * plane }, (_, at) => data[4 * (at % plane) + Math.floor(at / plane)] / 255);
}

/** Milliseconds for so many masks in batches of a size: the quicker one of two runs, or the first if it took long. */
export async function measure({ bundle, provider, side, target, masks, batch, long }) {
  const { InferenceSession, Tensor, env } = await import(`./${bundle}`);
  env.wasm.numThreads = 1;
  const bytes = new Uint8Array(await (await fetch("model.onnx")).arrayBuffer());
  const session = await InferenceSession.create(bytes, { executionProviders: [provider] });
  const image = await pixels("image.png", side);
  const plane = side * side;
  const timed = async () => {
    const started = performance.now();
    const total = new Float32Array(plane);
    for (let start = 0; start < masks; start += batch) {
      const length = Math.min(batch, masks - start);
      const kept = Array.from({ length }, () => new Float32Array(plane));
      const inputs = new Float32Array(length * 3 * plane);
      kept.forEach((mask, at) => {
        write(mask, side);
        for (let index = 0; index < 3 * plane; index++) inputs[at * 3 * plane + index] = image[index] * mask[index % plane];
      });
      const found = await session.run({ [session.inputNames[0]]: new Tensor("float32", inputs, [length, 3, side, side]) });
      const { data, dims } = found[session.outputNames[0]];
      kept.forEach((mask, at) => {
        const score = data[at * dims[1] + target] / (masks * KEEP);
        for (let index = 0; index < plane; index++) total[index] += score * mask[index];
      });
    }
    return performance.now() - started;
  };
  const first = await timed();
  return first < long ? Math.min(await timed(), await timed()) : first;
}
