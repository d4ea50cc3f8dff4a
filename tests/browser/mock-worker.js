// A worker that computes nothing: it speaks the protocol, so that tests of the page alone need neither a model nor a
// device. What it does is decided by the names of the files it is given:
//   broken*  the file does not load      crash*  the worker dies      lost*  the device is lost
//   open*    the file leaves the picture's size to the card      detector*  the model finds boxes
// RISE refuses to run with 404 masks, and more than 100000 steps are refused while their cost is asked.
// Messages have the form that serde-wasm-bindgen gives to crates/protocol/src/message.rs.

const SIZE = 64;
const LABELS = ["grebe", "heron", "owl", "finch", "stork", "gull", "crane", "robin", "ibis", "wren"];

const say = (event) => postMessage(event);
const choice = (id, help) => ({ id, help });
const reference = (authors, year, title, venue) => ({ authors, year, title, venue });

const METHODS = [
  {
    id: "integrated-gradients",
    name: "Integrated Gradients",
    family: "path",
    summary:
      "Follows the model from a blank picture to yours and adds up how much every pixel moves the answer. All values add up to the whole change, but the map depends on what counts as blank.",
    reference: reference("M. Sundararajan, A. Taly, Q. Yan", 2017, "Axiomatic Attribution for Deep Networks", "ICML"),
    needs: ["forward", "gradient"],
    parameters: [
      { id: "steps", help: "Points on the path; more of them add up better.", kind: { type: "integer", min: 1, max: 1000000 }, default: 50 },
      { id: "baseline", help: "The blank picture the path starts from.", kind: { type: "infill" }, default: "black" },
      {
        id: "rule",
        help: "How points are placed and weighted.",
        kind: { type: "choice", choices: [choice("gauss-legendre", "most exact"), choice("left", "left ends")] },
        default: "gauss-legendre",
      },
      { id: "multiply-by-inputs", help: "Whether values are per pixel or per unit of change.", kind: { type: "boolean" }, default: true },
    ],
    promises: ["completeness"],
  },
  {
    id: "grad-cam",
    name: "Grad-CAM",
    family: "cam",
    summary:
      "Shows which places of a late layer speak for the answer. It is quick and tells classes apart, but it is as coarse as the layer.",
    reference: reference("R. R. Selvaraju and others", 2017, "Grad-CAM: Visual Explanations from Deep Networks", "ICCV"),
    needs: ["gradient", "spatial-layer"],
    parameters: [{ id: "relu", help: "Drop what speaks against the answer.", kind: { type: "boolean" }, default: true }],
    promises: [],
  },
  {
    id: "rise",
    name: "RISE",
    family: "sampling",
    summary:
      "Hides random parts of the picture again and again and watches the answer. It works with every model, and takes many hundreds of answers.",
    reference: reference("V. Petsiuk, A. Das, K. Saenko", 2018, "RISE: Randomized Input Sampling", "BMVC"),
    needs: ["forward", "image-input"],
    parameters: [
      { id: "masks", help: "Number of masks; more of them give a smoother map.", kind: { type: "integer", min: 1, max: 100000 }, default: 500 },
      { id: "keep", help: "Share of the picture that stays visible.", kind: { type: "number", min: 0.01, max: 0.99 }, default: 0.5 },
      { id: "regions", help: "The parts that are hidden as a whole.", kind: { type: "regions" }, default: "auto" },
      { id: "window", help: "Size of a part.", kind: { type: "extent" }, default: "auto" },
    ],
    promises: ["seeded", "partial"],
  },
  {
    id: "smooth-grad",
    name: "SmoothGrad",
    family: "gradient",
    summary:
      "Averages the maps of many slightly noisy copies of the picture, so that what flickers goes away. It calms any other method, and costs as much as that one for every copy.",
    reference: reference("D. Smilkov and others", 2017, "SmoothGrad: Removing Noise by Adding Noise", "ICML Workshop"),
    needs: ["forward", "gradient"],
    parameters: [
      { id: "method", help: "The method whose maps are combined.", kind: { type: "method", methods: ["integrated-gradients", "grad-cam"] }, default: "integrated-gradients" },
      { id: "samples", help: "How many copies.", kind: { type: "integer", min: 1, max: 10000 }, default: 50 },
    ],
    promises: ["seeded"],
  },
  {
    id: "score-cam",
    name: "Score-CAM",
    family: "cam",
    summary:
      "Looks at the picture through each channel of a layer and sees which views keep the answer. It needs no gradients, but it runs the model once for every channel.",
    reference: reference("H. Wang and others", 2020, "Score-CAM: Score-Weighted Visual Explanations", "CVPR Workshops"),
    needs: ["forward", "spatial-layer"],
    parameters: ["channels", "samples", "noise", "top", "batch", "grid"].map((id) => ({
      id,
      help: `How much ${id}.`,
      kind: { type: "integer", min: 0, max: 100 },
      default: 1,
    })),
    promises: [],
  },
  {
    id: "maco",
    name: "MACO",
    family: "visualisation",
    summary: "Makes a picture that the model takes for the answer.",
    reference: reference("T. Fel and others", 2023, "Unlocking Feature Visualization for Deeper Networks", "NeurIPS"),
    needs: ["forward", "gradient", "image-input"],
    parameters: [{ id: "steps", help: "Steps uphill.", kind: { type: "integer", min: 1, max: 100000 }, default: 40 }],
    promises: ["seeded", "picture"],
  },
];

const metric = (id, name, group, better, needs, rest = {}) => ({
  id,
  name,
  group,
  better,
  range: [undefined, undefined],
  meaning: `What ${name} says.`,
  caveat: `what ${name} does not say.`,
  reference: reference("A. Uthor", 2020, "On Metrics", "ICML"),
  needs,
  parameters: [],
  ...rest,
});
const pictures = { parameters: [{ id: "pictures", help: "How many are kept.", kind: { type: "integer", min: 0, max: 100 }, default: 0 }] };

const METRICS = [
  metric("deletion", "Deletion", "faithfulness", "lower", [], pictures),
  metric("insertion", "Insertion", "faithfulness", "higher", [], pictures),
  metric("saco", "SaCo", "faithfulness", "higher", [], { range: [-1, 1] }),
  metric("query", "Ask the model", "faithfulness", "neither", [], {
    parameters: [
      { id: "what", help: "What is done.", kind: { type: "choice", choices: [{ id: "remove", help: "It goes." }, { id: "blur", help: "It fades." }] }, default: "remove" },
      { id: "regions", help: "Which parts there are.", kind: { type: "regions" }, default: "auto" },
      { id: "samples", help: "How often.", kind: { type: "integer", min: 2, max: 1000 }, default: 50 },
    ],
  }),
  metric("sensitivity-max", "Max sensitivity", "robustness", "lower", ["method"], { range: [0, undefined] }),
  metric("model-parameter-randomisation", "Randomised parameters", "randomisation", "lower", ["method"], { range: [-1, 1] }),
  metric("sparseness", "Sparseness", "complexity", "neither", [], { range: [0, 1] }),
  metric("spearman-agreement", "Agreement", "agreement", "neither", ["other-maps"]),
  metric("pointing-game", "Pointing game", "localisation", "higher", ["mask"], { range: [0, 1] }),
];

/** A round creature on a hill, another one for every `kind`. */
function picture(kind) {
  const rgba = new Uint8Array(4 * SIZE * SIZE);
  const [x0, y0] = [26 + 3 * kind, 36 - 2 * kind];
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const inside = (cx, cy, r) => (x - cx) ** 2 + (y - cy) ** 2 < r * r;
      let colour = y > 44 + 4 * Math.sin(x / 9 + kind) ? [120, 150 - 9 * kind, 90] : [180 - y, 205 - y / 2, 225];
      if (inside(x0, y0, 15)) colour = [190 - 25 * kind, 110 + 15 * kind, 70 + 25 * kind];
      if (inside(x0 + 12, y0 - 12, 8)) colour = [200 - 25 * kind, 130 + 15 * kind, 90 + 25 * kind];
      if (inside(x0 + 14, y0 - 14, 2)) colour = [20, 20, 25];
      rgba.set([...colour, 255], 4 * (y * SIZE + x));
    }
  }
  return { width: SIZE, height: SIZE, rgba };
}

/** Which pixels show the body and which the head. */
function parts(kind) {
  const [x0, y0] = [26 + 3 * kind, 36 - 2 * kind];
  const labels = Float32Array.from({ length: SIZE * SIZE }, (_, at) => {
    const inside = (cx, cy, r) => ((at % SIZE) - cx) ** 2 + (Math.floor(at / SIZE) - cy) ** 2 < r * r;
    return inside(x0 + 12, y0 - 12, 8) ? 1 : inside(x0, y0, 15) ? 0 : -1;
  });
  return { names: ["body", "head"], labels: { width: SIZE, height: SIZE, bytes: new Uint8Array(labels.buffer) } };
}

/** The picture with a quarter of it black, another one for every `number`, as small as pictures of tries are. */
function tried(number) {
  const whole = picture(0).rgba;
  const rgba = whole.map((level, index) => {
    const [x, y] = [(index >> 2) % SIZE, Math.floor((index >> 2) / SIZE)];
    const corner = (x < SIZE / 2) + 2 * (y < SIZE / 2);
    return index % 4 < 3 && corner === number % 4 ? 0 : level;
  });
  return { picture: { width: SIZE, height: SIZE, rgba }, score: 7.3125 - (number % 4) };
}

/** A disc that grows, as clear as it has grown, on nothing. */
function made(share) {
  const rgba = new Uint8Array(4 * SIZE * SIZE);
  for (let at = 0; at < SIZE * SIZE; at++) {
    const [x, y] = [at % SIZE, Math.floor(at / SIZE)];
    const inside = (x - 32) ** 2 + (y - 32) ** 2 < (6 + 24 * share) ** 2;
    rgba.set([200, 90, 60, inside ? Math.round(255 * share) : 0], 4 * at);
  }
  return { width: SIZE, height: SIZE, rgba };
}

function heatMap(signed, share) {
  const values = new Float32Array(SIZE * SIZE);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const bump = (cx, cy, r) => Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * r * r));
      values[y * SIZE + x] = share * (bump(38, 24, 7) - (signed ? 0.7 * bump(22, 42, 8) : 0));
    }
  }
  return { width: SIZE, height: SIZE, bytes: new Uint8Array(values.buffer) };
}

function predictions() {
  if (summary?.ModelLoaded.card.task === "detection") {
    return [
      { class: 2, label: "owl", score: 0.9, place: { candidate: 17, left: 11, top: 14, right: 46, bottom: 51 } },
      { class: 3, label: "finch", score: 0.6, place: { candidate: 4, left: 40.5, top: 2, right: 60, bottom: 20 } },
      { class: 2, label: "owl", score: 0.3, place: { candidate: 99, left: -3, top: 40, right: 30, bottom: 66 } },
    ];
  }
  return LABELS.map((label, index) => ({ class: (index + 2) % LABELS.length, label: LABELS[(index + 2) % LABELS.length], score: 0.93 * 0.07 ** index }));
}

const CARD = {
  description: "Tells ten kinds of drawn creatures apart by how their parts go together.",
  task: "classification",
  input: { layout: "NCHW", width: SIZE, height: SIZE, channels: "rgb", range: [0, 1], mean: [], std: [] },
  labels: LABELS,
  "target-layer": "stage3",
  licence: "MIT OR Apache-2.0",
  "test-accuracy": 0.983,
};

let summary;

function model(name, inferred, notes = [], card = { name, ...CARD }) {
  summary = {
    ModelLoaded: {
      name,
      card,
      inferred,
      open_size: name.startsWith("open"),
      split_off: "softmax",
      sequence: name.includes("vit") ? 197 : undefined,
      layers: ["stage1", "stage2", "stage3"].map((layer, index) => ({ name: layer, operator: "Relu", shape: [32 << index, 32 >> index, 32 >> index] })),
      notes,
    },
  };
  return summary;
}

/** What the model at hand answers to the picture at hand. */
function answerAgain() {
  say({ ImageLoaded: { ...current.ImageLoaded, predictions: predictions() } });
}

/** Another card for the model at hand. */
function setCard(text) {
  const { name, notes } = summary.ModelLoaded;
  const card = JSON.parse(text);
  const refused = (field, message) => say({ Failed: { run: undefined, problem: { kind: "input", message, field } } });
  if (card.labels.length !== LABELS.length) return refused("labels", `There are ${card.labels.length} for 10 classes.`);
  if (card.input.layout === "NHWC") return refused("input", "It means [64, 64, 3], but the model was loaded for [1, 3, 64, 64].");
  say(model(name, false, notes, card));
  answerAgain();
}

function image(name, kind) {
  return { ImageLoaded: { name, picture: picture(kind), predictions: predictions(), probabilities: true } };
}

const failed = (run, kind, message, field) => ({ Failed: { run, problem: { kind, message, field } } });

let device = { kind: "cpu", name: "CPU", reason: "No graphics processor answered, so the processor does the work." };
let current = image("sample 1", 0);
let cancelled = new Set();

function start({ version, device: wanted }) {
  if (wanted === "gpu") device = { kind: "gpu", name: "WebGPU (mock)", reason: "It was asked for." };
  const samples = [0, 1, 2, 3, 4, 5].map((kind) => ({ label: `a ${LABELS[kind + 2]}`, picture: picture(kind), parts: kind < 5 ? parts(kind) : undefined }));
  say({ Ready: { version, device, methods: METHODS, metrics: METRICS, models: [["critters", "Critters"], ["digits", "Digits"]], samples } });
  say(model("critters", false));
  say(current);
}

function load(file, done) {
  if (file.name.startsWith("crash")) {
    return setTimeout(() => {
      throw new Error("unreachable executed");
    });
  }
  if (file.name.startsWith("lost")) return say(failed(undefined, "device", "The graphics processor was lost."));
  if (file.name.startsWith("broken")) {
    return say(failed(undefined, "input", `${file.name} is not an image that can be read. Give a PNG or JPEG file.`));
  }
  done(file.name);
}

async function loadModel(source, file) {
  if (source.Builtin) {
    say(model(source.Builtin, false));
    return say(current);
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  // Tells the tests that all bytes have come, and in their order.
  const mark = bytes.reduce((mark, byte) => (31 * mark + byte) | 0, 7);
  const notes = [`${bytes.length} bytes, mark ${mark}.`];
  const { name, card } = source.File;
  load({ name }, (name) => {
    // Of a card, the size alone is of interest to the tests.
    const input = card?.startsWith("{") ? { ...CARD.input, ...JSON.parse(card).input } : CARD.input;
    const detections = { boxes: "output", scores: "output", format: "centre", unit: "pixels", candidates: "rows", "box-at": 0, "objectness-at": 4, "scores-at": 5 };
    const task = name.startsWith("detector") ? { task: "detection", detections } : {};
    say(model(name, card === undefined, notes, { name, ...CARD, ...task, input }));
    answerAgain();
  });
}

function loadImage(source) {
  const loaded = (name, kind) => {
    current = image(name, kind);
    say(current);
  };
  if (source.Sample !== undefined) return loaded(`sample ${Number(source.Sample) + 1}`, Number(source.Sample));
  load(source.File, (name) => loaded(name, 5));
}

/** The picture with parts black; every hidden pixel takes as much from the score as any other. Noise is refused. */
function hide({ question, kept }) {
  const { run, parameters } = question;
  if (parameters.get("infill") === "noise") return say(failed(run, "input", "This mock makes no noise."));
  const values = new Float32Array(kept.bytes.slice().buffer);
  const { picture } = current.ImageLoaded;
  const level = parameters.get("infill") === "white" ? 255 : 0;
  const rgba = picture.rgba.map((value, index) => (index % 4 < 3 && values[index >> 2] === 0 ? level : value));
  const left = values.reduce((sum, value) => sum + value, 0) / values.length;
  const answers = predictions().map((entry) => ({ ...entry, score: entry.score * left }));
  say({ Hidden: { run, before: 8, after: 8 * left, picture: { ...picture, rgba }, predictions: answers } });
}

/** Cells, of which `slic:N` makes N columns. */
function regions({ run, parameters }) {
  const [kind, number] = parameters.get("regions").split(":");
  const [rows, columns] = kind === "grid" ? number.split("x").map(Number) : [1, Number(number)];
  if (rows > SIZE) return say(failed(run, "input", `The picture has ${SIZE} rows of pixels only.`));
  const cell = (at, cells) => Math.floor((at * cells) / SIZE);
  const labels = Float32Array.from({ length: SIZE * SIZE }, (_, at) => cell(Math.floor(at / SIZE), rows) * columns + cell(at % SIZE, columns));
  say({ Regions: { run, labels: { width: SIZE, height: SIZE, bytes: new Uint8Array(labels.buffer) } } });
}

/** What labels an NPY file of 32-bit whole numbers holds, and how often. */
function labelsOf(bytes) {
  const start = 10 + bytes[8] + 256 * bytes[9];
  const counts = {};
  for (const label of new Int32Array(bytes.slice(start).buffer)) counts[label] = (counts[label] ?? 0) + 1;
  return JSON.stringify(counts).replaceAll('"', "");
}

/** How many steps or masks a request asks for. */
function length({ parameters }) {
  return Number(parameters.get("masks") ?? parameters.get("steps") ?? 20);
}

function estimate(request) {
  const { run, method } = request;
  const passes = length(request);
  if (passes > 100_000) return say(failed(run, "input", `Parameter "steps": ${passes} is more than anybody waits for.`, "steps"));
  const backward = method === "rise" ? 0 : passes;
  say({ Estimated: { run, forward_passes: passes + 2, backward_passes: backward, pass_seconds: 0.01 } });
}

/** Every metric takes ten passes, which took a tenth of a second each; one says nothing. */
function estimateMetrics({ run }) {
  say({ MetricsEstimated: { run, passes: METRICS.map(({ id }) => (id === "sparseness" ? undefined : [10, 0])) } });
}

async function explain(request) {
  const { run, method } = request;
  const total = length(request);
  if (method === "rise" && total === 404) return say(failed(run, "input", "These masks hide nothing."));
  const signed = method === "integrated-gradients";
  if (request.target.includes("phoenix")) {
    return say(failed(run, "input", "There is no class phoenix; the nearest name is finch."));
  }
  for (let done = 1; done <= total; done += Math.min(50, Math.ceil(total / 20))) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    if (cancelled.has(run)) return say({ Cancelled: { run } });
    say({ Progress: { run, done, total, seconds_left: (total - done) * 0.01 } });
    if (method === "maco" && done > 1) say({ Frame: { run, picture: made(done / total) } });
    if (method === "rise") {
      say({ Partial: { run, map: heatMap(false, done / total) } });
      say({ Tried: { run, tried: [tried(done), tried(done + 1)] } });
    }
  }
  const [best] = predictions();
  const box = request.target.match(/box:(\d+)/)?.[1];
  const report = {
    schema: "vitrine-report-1",
    version: "0.1.0",
    method,
    parameters: new Map([[method === "rise" ? "masks" : "steps", total]]),
    layer: method.endsWith("-cam") ? request.layer ?? "stage3" : undefined,
    seed: request.seed,
    target: box ? `score of box ${box}` : `logit of ${best.class} (${best.label})`,
    target_index: best.class,
    model: { name: "critters", sha256: "0".repeat(64) },
    input: "sample",
    device: device.name,
    predictions: [best],
    prediction: 7.3125,
    baseline_prediction: signed || method === "maco" ? 0.25 : undefined,
    completeness_gap: signed ? 0.0125 : undefined,
    shape: [3, SIZE, SIZE],
    batch: 16,
    forward_passes: total,
    backward_passes: method === "rise" ? 0 : total,
    seconds: { load: 0.1, first_run: 0.05, explain: 0.731 },
    // Tells the tests of a label map that came along.
    notes: request.infill_files.filter(({ name }) => name.endsWith(".npy")).map(({ name, bytes }) => `${name}: ${labelsOf(bytes)}.`),
  };
  // Each in a unit of its own.
  const picture = method === "maco" ? made(1) : undefined;
  // RISE is the less sure the fewer masks it had.
  const error = method === "rise" ? heatMap(false, 20 / Math.sqrt(total)) : undefined;
  say({ Done: { run, map: heatMap(signed, method === "rise" ? 20 : 1), error, picture, report } });
}

/** A curve of eleven points, which falls or rises, with pictures along it. */
function followed(inserted, count) {
  const xs = Array.from({ length: 11 }, (_, step) => step / 10);
  const ys = xs.map((x) => (inserted ? x : (1 - x) ** 3));
  const { picture: whole } = current.ImageLoaded;
  const at = (step) => {
    const x = step / Math.max(1, count - 1);
    const rows = Math.round((inserted ? 1 - x : x) * SIZE);
    const rgba = whole.rgba.map((level, index) => (index % 4 < 3 && index < 4 * SIZE * rows ? 0 : level));
    return { curve: "", x, y: inserted ? x : (1 - x) ** 3, picture: { ...whole, rgba } };
  };
  const x_label = `part of the picture ${inserted ? "inserted" : "removed"}`;
  return {
    curves: [{ name: "", x_label, y_label: "target", xs, ys }],
    pictures: Array.from({ length: count }, (_, step) => at(step)),
  };
}

/** Scores a map; sensitivity takes its time, and SaCo fails for maps without numbers below zero. */
async function evaluate(request) {
  const { run, metric, parameters, map, others, explained, seed, infill_files } = request;
  const follows = metric === "deletion" || metric === "insertion";
  const total = metric === "sensitivity-max" ? 240 : follows ? 40 : 2;
  for (let done = 1; done <= total; done++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    if (cancelled.has(run)) return say({ Cancelled: { run } });
    say({ Progress: { run, done, total, seconds_left: 0.1 } });
    // What a method that runs once more says is not of the map on screen.
    say({ Partial: { run, map: heatMap(true, -5) } });
    if (follows) {
      const { xs, ys, ...labels } = followed(metric === "insertion", 0).curves[0];
      const known = 1 + Math.floor(done / 4);
      say({ Curve: { run, curve: { ...labels, xs: xs.slice(0, known), ys: ys.slice(0, known) } } });
    }
  }
  const values = new Float32Array(map.bytes.slice().buffer);
  if (metric === "saco" && !values.some((value) => value < 0)) return say(failed(run, "input", "There is nothing to rank here."));
  const found = { value: 0.5, curves: [], pictures: [], notes: [] };
  if (follows) Object.assign(found, followed(metric === "insertion", Number(parameters.get("pictures"))));
  if (metric === "model-parameter-randomisation") {
    found.curves = [{ name: "", x_label: "stage", y_label: "similarity", xs: [0, 1, 2, 3], ys: [1, 0.6, 0.2, 0.1] }];
    found.maps = found.curves[0].xs.map((x) => ({ x, map: heatMap(x < 2, 1 - 0.1 * x) }));
  }
  if (metric === "spearman-agreement") found.notes = [`Beside ${others.map(([name]) => name).join(" and ")}.`];
  if (metric === "pointing-game") found.value = 1;
  if (metric === "query") {
    const files = infill_files.map((file) => `${file.name} of ${file.bytes.length} bytes`);
    found.notes = [`Told ${[...parameters].map((pair) => pair.join("=")).join(", ") || "nothing"}${files.length > 0 ? ` with ${files}` : ""}.`];
  }
  if (metric === "sensitivity-max") found.notes = [`Of ${explained.method}.`];
  say({ Scored: { run, score: { metric, ...found, parameters, seed, forward_passes: total, backward_passes: 0, seconds: 0.25 } } });
}

/** Files are answered in the order in which they came. */
let loads = Promise.resolve();

// A model's file comes beside its message.
self.onmessage = ({ data }) => {
  const [message, file] = Array.isArray(data) ? data : [data];
  if (message.Start) start(message.Start);
  else if (message.LoadModel) loads = loads.then(() => loadModel(message.LoadModel, file));
  else if (message.SetCard) loads = loads.then(() => setCard(message.SetCard));
  else if (message.LoadImage) loads = loads.then(() => loadImage(message.LoadImage));
  else if (message.Estimate) estimate(message.Estimate);
  else if (message.EstimateMetrics) estimateMetrics(message.EstimateMetrics);
  else if (message.Hide) hide(message.Hide);
  else if (message.Regions) regions(message.Regions);
  else if (message.Evaluate) evaluate(message.Evaluate);
  else if (message.Explain) explain(message.Explain);
  else if (message.Cancel) cancelled.add(message.Cancel.run);
};
