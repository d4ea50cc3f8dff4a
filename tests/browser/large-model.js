// A model of 100 MB, nearly all of it weights: for the benchmark of memory while loading.

/** Channels of the convolutions, and how many there are. */
const CHANNELS = 512;
const DEPTH = 10;
const CLASSES = 2500;

function varint(value) {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return Buffer.from([...bytes, value]);
}

/** A field of the protobuf format: numbers as they are, everything else with its length in front. */
function field(number, value) {
  if (typeof value === "number") return Buffer.concat([varint(number * 8), varint(value)]);
  const content = Buffer.isBuffer(value) ? value : Buffer.from(value);
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

const message = (...fields) => Buffer.concat(fields.map(([number, value]) => field(number, value)));
const ints = (name, values) => message([1, name], [20, 7], ...values.map((value) => [8, value]));

function node(operator, inputs, output, ...attributes) {
  return message(...inputs.map((input) => [1, input]), [2, output], [4, operator], ...attributes.map((attribute) => [5, attribute]));
}

/** Small numbers that look random, the same ones every time. */
function weight(name, shape) {
  const values = new Float32Array(shape.reduce((product, length) => product * length, 1));
  const scale = Math.sqrt(6 / (values.length / shape[0]));
  let state = 1;
  for (let index = 0; index < values.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[index] = (scale * state) / 2 ** 31;
  }
  return message(...shape.map((length) => [1, length]), [2, 1], [8, name], [9, Buffer.from(values.buffer)]);
}

function value(name, shape) {
  const dimensions = shape.map((length) => [1, message([1, length])]);
  return message([1, name], [2, message([1, message([1, 1], [2, message(...dimensions)])])]);
}

/** The file's bytes. */
export function largeModel() {
  const nodes = [node("Conv", ["image", "w0"], "c0", ints("kernel_shape", [8, 8]), ints("strides", [8, 8]))];
  const weights = [weight("w0", [CHANNELS, 3, 8, 8])];
  for (let layer = 1; layer <= DEPTH; layer++) {
    nodes.push(node("Relu", [`c${layer - 1}`], `r${layer}`));
    nodes.push(node("Conv", [`r${layer}`, `w${layer}`], `c${layer}`, ints("kernel_shape", [3, 3]), ints("pads", [1, 1, 1, 1])));
    weights.push(weight(`w${layer}`, [CHANNELS, CHANNELS, 3, 3]));
  }
  nodes.push(node("GlobalAveragePool", [`c${DEPTH}`], "pooled"));
  nodes.push(node("Flatten", ["pooled"], "features"));
  nodes.push(node("MatMul", ["features", "head"], "scores"));
  weights.push(weight("head", [CHANNELS, CLASSES]));
  const graph = message(
    ...nodes.map((one) => [1, one]),
    [2, "large"],
    ...weights.map((one) => [5, one]),
    [11, value("image", [1, 3, 64, 64])],
    [12, value("scores", [1, CLASSES])],
  );
  return message([1, 8], [7, graph], [8, message([2, 17])]);
}
