// Reads nodes and float weights of an ONNX file, as much as the benchmarks' reference needs; runs in Node.js and in a page.

/** The number at a position, and the position after it. */
function varint(bytes, at) {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[at++];
    value += (byte & 127) * factor;
    if (byte < 128) return [value, at];
  }
}

/** The fields of a message of the protobuf format: pairs of a field's number and a number or bytes. */
function* fields(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0, tag, value; at < bytes.length; ) {
    [tag, at] = varint(bytes, at);
    const kind = tag % 8;
    if (kind === 0 || kind === 2) [value, at] = varint(bytes, at);
    if (kind === 1 || kind === 5) {
      value = kind === 5 ? view.getFloat32(at, true) : view.getFloat64(at, true);
      at += kind === 5 ? 4 : 8;
    }
    if (kind === 2) value = bytes.subarray(at, (at += value));
    yield [Math.floor(tag / 8), value];
  }
}

const text = (bytes) => new TextDecoder().decode(bytes);
const all = (bytes, wanted) => [...fields(bytes)].filter(([field]) => field === wanted).map(([, value]) => value);
const one = (bytes, wanted) => all(bytes, wanted)[0];

/** Numbers that a field repeats, one by one or packed. */
function numbers(bytes, wanted) {
  return all(bytes, wanted).flatMap((value) => {
    if (typeof value === "number") return value;
    const unpacked = [];
    for (let at = 0, number; at < value.length; unpacked.push(number)) [number, at] = varint(value, at);
    return unpacked;
  });
}

function attribute(bytes) {
  const [float, int, list] = [one(bytes, 2), one(bytes, 3), numbers(bytes, 8)];
  return [text(one(bytes, 1)), list.length > 0 ? list : (int ?? float)];
}

function node(bytes) {
  return {
    operator: text(one(bytes, 4)),
    inputs: all(bytes, 1).map(text),
    output: text(one(bytes, 2)),
    attributes: Object.fromEntries(all(bytes, 5).map(attribute)),
  };
}

/** A float weight whose numbers lie in the file as they are; of others nothing but the shape. */
function weight(bytes) {
  const raw = one(bytes, 9);
  const values = raw && new Float32Array(raw.slice().buffer);
  return [text(one(bytes, 8)), { shape: numbers(bytes, 1), values }];
}

/** The graph's nodes, weights by name, and the names of its input and output. */
export function readOnnx(bytes) {
  const graph = one(bytes, 7);
  const weights = Object.fromEntries(all(graph, 5).map(weight));
  const names = (field) => all(graph, field).map((info) => text(one(info, 1)));
  const [input] = names(11).filter((name) => !(name in weights));
  return { nodes: all(graph, 1).map(node), weights, input, output: names(12)[0] };
}
