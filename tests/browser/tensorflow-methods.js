// Gradients and maps by TensorFlow.js, which the page is measured against; runs in a page that has loaded it as `tf`.

import { readOnnx } from "./onnx-reader.js";

/** Images in one batch; with more, gradients of a ResNet-18 exhaust the tab's memory. */
const BATCH = 4;

/** RISE: cells along each side, and the probability that a cell is kept. */
const GRID = 7;
const KEEP = 0.5;

/** Channels last, as TensorFlow.js wants them. */
function tensors(weights) {
  const order = { 4: [2, 3, 1, 0] };
  const made = Object.entries(weights).map(([name, { shape, values }]) => {
    const value = tf.tensor(values, shape);
    return [name, order[shape.length] ? tf.keep(tf.transpose(value, order[shape.length])) : value];
  });
  return Object.fromEntries(made);
}

const even = ([top, left, bottom, right] = [0, 0, 0, 0]) => {
  if (top !== left || top !== bottom || top !== right) throw new Error("padding that differs from side to side is not known here");
  return top;
};

const OPERATORS = {
  Add: (a, b) => tf.add(a, b),
  BatchNormalization: (x, scale, offset, mean, variance, { epsilon = 1e-5 }) => tf.batchNorm(x, mean, variance, offset, scale, epsilon),
  Conv: (x, weight, ...rest) => {
    const { strides = [1, 1], pads } = rest.pop();
    const product = tf.conv2d(x, weight, strides, even(pads));
    return rest.length > 0 ? tf.add(product, rest[0]) : product;
  },
  Flatten: (x) => tf.reshape(x, [x.shape[0], -1]),
  Gemm: (x, weight, bias, { transB = 0 }) => tf.add(tf.matMul(x, weight, false, transB === 1), bias),
  GlobalAveragePool: (x) => tf.mean(x, [1, 2], true),
  MaxPool: (x, { kernel_shape: size, strides, pads }) => tf.maxPool(x, size, strides, even(pads)),
  Relu: (x) => tf.relu(x),
};

/** Computes from one value of the graph to another. */
function runner(model) {
  const weights = tensors(model.weights);
  return (given, from = model.input, to = model.output) => {
    const values = { ...weights, [from]: given };
    for (const { operator, inputs, output, attributes } of model.nodes) {
      if (to in values) break;
      const read = inputs.map((name) => values[name]);
      if (read.every((value) => value !== undefined)) values[output] = OPERATORS[operator](...read, attributes);
    }
    return values[to];
  };
}

/** The methods: each returns a tensor. `counts` has how many samples, steps and channels. */
function methods(run, image, target, layer, counts) {
  const score = (x, from) => tf.sum(tf.slice(run(x, from), [0, target], [-1, 1]));
  const gradients = tf.grad((x) => score(x));
  /** The sum of the gradients at `count` points, batch by batch. */
  const sum = (count, points) => {
    let total = tf.zerosLike(image);
    for (let start = 0; start < count; start += BATCH) {
      const length = Math.min(BATCH, count - start);
      total = tf.tidy(() => tf.add(total, tf.sum(gradients(points(start, length)), 0, true)));
    }
    return total;
  };
  return {
    saliency: () => gradients(image),
    "smooth-grad": () => tf.div(sum(counts.samples, (_, length) => tf.add(image, tf.randomNormal([length, ...image.shape.slice(1)], 0, 0.15))), counts.samples),
    "integrated-gradients": () => {
      const positions = (start, length) => tf.reshape(tf.div(tf.add(tf.range(start, start + length), 0.5), counts.steps), [-1, 1, 1, 1]);
      return tf.mul(image, tf.div(sum(counts.steps, (start, length) => tf.mul(image, positions(start, length))), counts.steps));
    },
    "grad-cam": () => {
      const found = run(image, undefined, layer);
      const weights = tf.mean(tf.grad((value) => score(value, layer))(found), [1, 2], true);
      const map = tf.relu(tf.sum(tf.mul(found, weights), 3, true));
      return tf.image.resizeBilinear(map, image.shape.slice(1, 3), false, true);
    },
    "score-cam": () => {
      const found = run(image, undefined, layer);
      const channels = Math.min(counts.channels || found.shape[3], found.shape[3]);
      const scores = [];
      for (let start = 0; start < channels; start += BATCH) {
        const planes = tf.transpose(tf.slice(found, [0, 0, 0, start], [1, -1, -1, Math.min(BATCH, channels - start)]), [3, 1, 2, 0]);
        const masks = tf.image.resizeBilinear(planes, image.shape.slice(1, 3), false, true);
        const [low, high] = [tf.min(masks, [1, 2], true), tf.max(masks, [1, 2], true)];
        const scaled = tf.div(tf.sub(masks, low), tf.add(tf.sub(high, low), 1e-8));
        scores.push(tf.squeeze(tf.slice(run(tf.mul(image, scaled)), [0, target], [-1, 1]), [1]));
      }
      const weights = tf.softmax(tf.concat(scores));
      const map = tf.relu(tf.sum(tf.mul(tf.slice(found, [0, 0, 0, 0], [1, -1, -1, channels]), weights), 3, true));
      return tf.image.resizeBilinear(map, image.shape.slice(1, 3), false, true);
    },
    rise: () => {
      const [height, width] = image.shape.slice(1, 3);
      let total = tf.zeros([1, height, width, 1]);
      for (let start = 0; start < counts.masks; start += counts.batch) {
        const length = Math.min(counts.batch, counts.masks - start);
        total = tf.tidy(() => {
          const coarse = tf.cast(tf.less(tf.randomUniform([length, GRID + 1, GRID + 1, 1]), KEEP), "float32");
          const cells = [height, width].map((side) => Math.ceil(side / GRID));
          const fine = tf.image.resizeBilinear(coarse, cells.map((cell) => (GRID + 1) * cell), false, true);
          const cropped = Array.from({ length }, (_, at) => {
            const [top, left] = cells.map((cell) => Math.floor(Math.random() * cell));
            return tf.slice(fine, [at, top, left, 0], [1, height, width, 1]);
          });
          const masks = tf.concat(cropped);
          const scores = tf.reshape(tf.slice(run(tf.mul(image, masks)), [0, target], [-1, 1]), [-1, 1, 1, 1]);
          return tf.add(total, tf.sum(tf.mul(scores, masks), 0, true));
        });
      }
      return tf.div(total, counts.masks * KEEP);
    },
  };
}

/** The pixels of a PNG from 0 to 1, channels last. */
async function pixels(address) {
  const bitmap = await createImageBitmap(await (await fetch(address)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
  const rgb = Float32Array.from({ length: (data.length / 4) * 3 }, (_, index) => data[Math.floor(index / 3) * 4 + (index % 3)] / 255);
  return tf.tensor(rgb, [1, bitmap.height, bitmap.width, 3]);
}

/**
 * The logit, and for each method its milliseconds: the quickest of three runs after the first, or the first if that took
 * longer than `long`; or the reason why there is none.
 */
export async function measure({ backend, layer, target, counts, long }) {
  tf.wasm?.setWasmPaths("./");
  await tf.setBackend(backend);
  await tf.ready();
  const run = runner(readOnnx(new Uint8Array(await (await fetch("model.onnx")).arrayBuffer())));
  const image = await pixels("image.png");
  const timed = async (method) => {
    const started = performance.now();
    const made = tf.tidy(method);
    await made.data();
    made.dispose();
    return performance.now() - started;
  };
  const found = { logit: (await run(image).data())[target] };
  for (const [name, method] of Object.entries(methods(run, image, target, layer, counts))) {
    try {
      found[name] = await timed(method);
      if (found[name] < long) found[name] = Math.min(await timed(method), await timed(method), await timed(method));
    } catch (error) {
      found[name] = error.message;
    }
  }
  return found;
}
