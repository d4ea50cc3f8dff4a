//! Toy models with answers known on paper, and questions about them.

use std::{collections::BTreeMap, env, process::Command, rc::Rc, sync::OnceLock};

use burn::tensor::{Device, wgpu::wgpu};
use vitrine_graph::{Graph, InputShapes, Value};
use vitrine_onnx::{Graph as OnnxGraph, Model, Node, Tensor, ValueInfo};
use vitrine_protocol::{ImageInput, Tokens};

use crate::{Context, Head, Scores, Target, Unobserved};

/// Set in the process that repeats all tests on the GPU.
const ON_GPU: &str = "VITRINE_TEST_ON_GPU";

/// Where the toys are: on the CPU backend, or on wgpu in the process that repeats all tests there.
pub(crate) fn device() -> Device {
    match env::var_os(ON_GPU) {
        None => Device::flex(),
        Some(_) => gpu().expect("no GPU adapter answers"),
    }
}

/// The wgpu backend, started once; nothing where no adapter answers but through OpenGL, on which burn does not run.
fn gpu() -> Option<Device> {
    static GPU: OnceLock<Option<Device>> = OnceLock::new();
    let start =
        || Device::wgpu_options().init_with_setup().ok().filter(|(_, setup)| setup.backend != wgpu::Backend::Gl);
    GPU.get_or_init(|| start().map(|(device, _)| device)).clone()
}

/// What is known on paper holds on both backends, so every test runs twice.
#[test]
fn every_test_passes_on_the_gpu_too() {
    if env::var_os(ON_GPU).is_some() {
        return;
    }
    if gpu().is_none() {
        eprintln!("skipped: no GPU adapter answers");
        return;
    }
    let mut all = Command::new(env::current_exe().unwrap());
    let output = all.env(ON_GPU, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "on the GPU:\n{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// A graph of these nodes from `x`, `[1, ..shape]`, to `y`, `[1, classes]`.
pub(crate) fn graph(shape: &[usize], nodes: Vec<Node>, initializers: Vec<Tensor>, classes: usize) -> Graph {
    let batched = |axes: &[usize]| [&[1][..], axes].concat();
    let model = Model::new(
        13,
        OnnxGraph {
            nodes,
            initializers,
            inputs: vec![ValueInfo::float("x", &batched(shape))],
            outputs: vec![ValueInfo::float("y", &batched(&[classes]))],
            ..OnnxGraph::default()
        },
    );
    Graph::new(model, &device(), &InputShapes::new()).unwrap()
}

/// The weight of input value `i` in class `class` of [`linear`].
pub(crate) fn linear_weight(i: usize, class: usize) -> f32 {
    ((i * (class + 2) + class) as f32 * 0.7).sin()
}

/// Two classes, each a weighted sum of all input values plus its index.
pub(crate) fn linear(shape: &[usize]) -> Graph {
    let length = shape.iter().product();
    let weights: Vec<f32> = (0..length).flat_map(|i| [linear_weight(i, 0), linear_weight(i, 1)]).collect();
    let nodes = vec![Node::new("Flatten", &["x"], &["flat"]), Node::new("Gemm", &["flat", "w", "b"], &["y"])];
    let initializers = vec![Tensor::from_f32("w", &[length, 2], &weights), Tensor::from_f32("b", &[2], &[0.0, 1.0])];
    graph(shape, nodes, initializers, 2)
}

/// Two inputs, three units, whose weights are [1, 3], [1, 2] and [-1, -2], an activation, and class 1 by the weights
/// 1, -2 and 4. At [2, 1] the units have 5, 4 and -4, so ReLU leaves the third off; a leaky one has a slope of 1/2.
pub(crate) fn two_layers(activation: &str) -> Graph {
    let node = match activation {
        "Clip" => Node::new("Clip", &["h", "low", "high"], &["a"]),
        _ => Node::new(activation, &["h"], &["a"]).with("alpha", 0.5_f32),
    };
    let nodes = vec![Node::new("MatMul", &["x", "v"], &["h"]), node, Node::new("MatMul", &["a", "w"], &["y"])];
    let initializers = vec![
        Tensor::from_f32("v", &[2, 3], &[1.0, 1.0, -1.0, 3.0, 2.0, -2.0]),
        Tensor::from_f32("w", &[3, 2], &[0.0, 1.0, 0.0, -2.0, 0.0, 4.0]),
        Tensor::from_f32("low", &[], &[0.0]),
        Tensor::from_f32("high", &[], &[6.0]),
    ];
    graph(&[2], nodes, initializers, 2)
}

/// Three inputs x, y, z; both classes score 2 x + y z.
pub(crate) fn product() -> Graph {
    let nodes = vec![
        Node::new("Split", &["x"], &["a", "b", "c"]).with("axis", 1),
        Node::new("Mul", &["b", "c"], &["bc"]),
        Node::new("Mul", &["a", "two"], &["a2"]),
        Node::new("Add", &["a2", "bc"], &["s"]),
        Node::new("Concat", &["s", "s"], &["y"]).with("axis", 1),
    ];
    graph(&[3], nodes, vec![Tensor::from_f32("two", &[1], &[2.0])], 2)
}

/// The four pixels a, b, c, d of a picture, each one and a region of its own; both classes score a b c + d.
pub(crate) fn four_players() -> Question {
    let nodes = vec![
        Node::new("Flatten", &["x"], &["flat"]),
        Node::new("Split", &["flat"], &["a", "b", "c", "d"]).with("axis", 1),
        Node::new("Mul", &["a", "b"], &["ab"]),
        Node::new("Mul", &["ab", "c"], &["abc"]),
        Node::new("Add", &["abc", "d"], &["s"]),
        Node::new("Concat", &["s", "s"], &["y"]).with("axis", 1),
    ];
    Question::new(graph(&[1, 2, 2], nodes, Vec::new(), 2), &[1.0; 4]).with("regions", "grid:2x2")
}

/// Two classes: the sum of the squares of all input values, and its double.
pub(crate) fn squares(length: usize) -> Graph {
    let nodes = vec![Node::new("Mul", &["x", "x"], &["squared"]), Node::new("MatMul", &["squared", "w"], &["y"])];
    let weights = Tensor::from_f32("w", &[length, 2], &[1.0, 2.0].repeat(length));
    graph(&[length], nodes, vec![weights], 2)
}

/// Two classes whose scores come from a product with zero, rounded: no gradient leads to the input.
pub(crate) fn unconnected() -> Graph {
    let nodes = vec![
        Node::new("Cast", &["x"], &["whole"]).with("to", 7),
        Node::new("Cast", &["whole"], &["float"]).with("to", 1),
        Node::new("MatMul", &["float", "w"], &["y"]),
    ];
    graph(&[2], nodes, vec![Tensor::from_f32("w", &[2, 2], &[0.0; 4])], 2)
}

/// A 2 x 2 picture; layer `a` holds it and its double, `r` the same; their means `pooled` give class 0 by `weights` and
/// class 1 by the negative weights. Layer `beside` leads nowhere.
pub(crate) fn two_channels(weights: [f32; 2]) -> Graph {
    channels([1.0, 2.0], Node::new("Identity", &["a"], &["r"]), weights)
}

/// The same, but with the sums of the squares: class 0 scores `weights[0]` times that of the picture and `weights[1]` times
/// that of its double, so that with weights of 1 and -1 the gradients at `a` are 2 x and -4 x.
pub(crate) fn squared_channels(weights: [f32; 2]) -> Graph {
    channels([1.0, 2.0], Node::new("Mul", &["a", "a"], &["squared"]), weights.map(|weight| 4.0 * weight))
}

/// The same with the picture and its negative in `a`; class 0 scores the sum of the picture.
pub(crate) fn opposite_channels() -> Graph {
    channels([1.0, -1.0], Node::new("Identity", &["a"], &["r"]), [4.0, 0.0])
}

fn channels(factors: [f32; 2], node: Node, weights: [f32; 2]) -> Graph {
    let made = node.outputs[0].clone();
    let nodes = vec![
        Node::new("Conv", &["x", "factors"], &["a"]),
        Node::new("Identity", &["a"], &["beside"]),
        node,
        Node::new("GlobalAveragePool", &[&made], &["pooled"]),
        Node::new("Flatten", &["pooled"], &["flat"]),
        Node::new("MatMul", &["flat", "w"], &["y"]),
    ];
    let [first, second] = weights;
    let initializers = vec![
        Tensor::from_f32("factors", &[2, 1, 1, 1], &factors),
        Tensor::from_f32("w", &[2, 2], &[first, -first, second, -second]),
    ];
    graph(&[1, 2, 2], nodes, initializers, 2)
}

/// A 2 x 2 picture and its answer: each pixel x becomes a token of channels x and 3 x, after a first one of other
/// numbers, in `tokens`. Class 0 scores the sum of all tokens' first channels minus twice that of their second.
pub(crate) fn tokens() -> (Graph, [f32; 4]) {
    let nodes = vec![
        Node::new("Reshape", &["x", "column"], &["pixels"]),
        Node::new("MatMul", &["pixels", "channels"], &["patches"]),
        Node::new("Pad", &["patches", "before"], &["padded"]),
        Node::new("Add", &["padded", "class"], &["tokens"]),
        // Attention, of which nothing is left in the answer: all places are mixed evenly.
        Node::new("Transpose", &["tokens"], &["keys"]).with("perm", vec![0, 2, 1]),
        Node::new("MatMul", &["tokens", "keys"], &["scores"]),
        Node::new("Mul", &["scores", "nothing"], &["even"]),
        Node::new("Softmax", &["even"], &["weights"]).with("axis", -1),
        Node::new("MatMul", &["weights", "tokens"], &["mixed"]),
        Node::new("Slice", &["mixed", "start", "end", "axis"], &["first"]),
        Node::new("Flatten", &["first"], &["flat"]),
        Node::new("MatMul", &["flat", "w"], &["y"]),
    ];
    let initializers = vec![
        Tensor::from_i64("column", &[3], &[-1, 4, 1]),
        Tensor::from_f32("channels", &[1, 2], &[1.0, 3.0]),
        Tensor::from_i64("before", &[6], &[0, 1, 0, 0, 0, 0]),
        Tensor::from_f32("class", &[1, 5, 2], &[7.0, -5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        Tensor::from_f32("nothing", &[], &[0.0]),
        Tensor::from_i64("start", &[1], &[0]),
        Tensor::from_i64("end", &[1], &[1]),
        Tensor::from_i64("axis", &[1], &[1]),
        Tensor::from_f32("w", &[2, 2], &[5.0, 0.0, -10.0, 0.0]),
    ];
    (graph(&[1, 2, 2], nodes, initializers, 2), [1.0, -2.0, 0.5, 3.0])
}

/// A 2 x 2 picture; layer `h` holds three times of it, and class 0 scores the sum of its squares.
pub(crate) fn squared_layer() -> Graph {
    let nodes = vec![
        Node::new("Mul", &["x", "three"], &["h"]),
        Node::new("Mul", &["h", "h"], &["squared"]),
        Node::new("Flatten", &["squared"], &["flat"]),
        Node::new("MatMul", &["flat", "w"], &["y"]),
    ];
    let initializers =
        vec![Tensor::from_f32("three", &[1], &[3.0]), Tensor::from_f32("w", &[4, 2], &[1.0, 0.0].repeat(4))];
    graph(&[1, 2, 2], nodes, initializers, 2)
}

/// A 2 x 2 picture; layer `double` holds its double, and class 0 scores the sum of both.
pub(crate) fn bypassed() -> Graph {
    let nodes = vec![
        Node::new("Mul", &["x", "two"], &["double"]),
        Node::new("Add", &["double", "x"], &["both"]),
        Node::new("Flatten", &["both"], &["flat"]),
        Node::new("MatMul", &["flat", "w"], &["y"]),
    ];
    let initializers =
        vec![Tensor::from_f32("two", &[1], &[2.0]), Tensor::from_f32("w", &[4, 2], &[1.0, 0.0].repeat(4))];
    graph(&[1, 2, 2], nodes, initializers, 2)
}

/// Three scores equal to the three inputs, followed by nodes that lead to `y`.
pub(crate) fn ends_with(nodes: Vec<Node>) -> Graph {
    let mut all = vec![Node::new("Identity", &["x"], &["scores"])];
    all.extend(nodes);
    graph(&[3], all, Vec::new(), 3)
}

/// Owns what a [`Context`] borrows.
#[derive(Clone)]
pub(crate) struct Question {
    graph: Rc<Graph>,
    input: Value,
    pixels: Option<ImageInput>,
    target: Target,
    layers: Vec<&'static str>,
    tokens: Option<Tokens>,
    parameters: BTreeMap<String, String>,
    seed: u64,
    infill_files: BTreeMap<String, Vec<f32>>,
}

impl Question {
    /// About the logit of class 1, in batches of 4.
    pub(crate) fn new(graph: Graph, input: &[f32]) -> Question {
        let shape = graph.inputs()[0].1.clone();
        let target = Target::logit(&Head::of(&graph).unwrap(), 1).unwrap();
        Question {
            input: Value::from_f32(input, &shape, graph.device()),
            graph: Rc::new(graph),
            pixels: None,
            target,
            layers: Vec::new(),
            tokens: None,
            parameters: BTreeMap::new(),
            seed: 0,
            infill_files: BTreeMap::new(),
        }
    }

    pub(crate) fn with(mut self, parameter: &str, value: &str) -> Question {
        self.parameters.insert(parameter.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn target(mut self, class: &str) -> Question {
        self.target = Target::logit(self.target.head(), class.parse().unwrap()).unwrap();
        self
    }

    /// A target as typed; `auto` is class 0.
    pub(crate) fn target_text(mut self, text: &str) -> Question {
        let head = self.target.head().clone();
        let scores = Scores { logits: vec![0.0; head.classes()], ..Scores::default() };
        self.target = Target::parse(text, &head, &[], &scores).unwrap();
        self
    }

    /// Adds a layer to look at.
    pub(crate) fn layer(mut self, layer: &'static str) -> Question {
        self.layers.push(layer);
        self
    }

    pub(crate) fn tokens(mut self, rows: usize, columns: usize, prefix: usize) -> Question {
        self.tokens = Some(Tokens { rows, columns, prefix });
        self
    }

    pub(crate) fn pixels(mut self, pixels: ImageInput) -> Question {
        self.pixels = Some(pixels);
        self
    }

    pub(crate) fn seed(mut self, seed: u64) -> Question {
        self.seed = seed;
        self
    }

    pub(crate) fn infill_files(mut self, files: impl IntoIterator<Item = (String, Vec<f32>)>) -> Question {
        self.infill_files.extend(files);
        self
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            graph: &self.graph,
            input_name: "x",
            input: &self.input,
            pixels: self.pixels.as_ref(),
            target: &self.target,
            layers: &self.layers,
            tokens: self.tokens,
            parameters: &self.parameters,
            seed: self.seed,
            batch: 4,
            infill_files: &self.infill_files,
            observer: &Unobserved,
        }
    }
}

pub(crate) fn read(value: &Value) -> Vec<f32> {
    pollster::block_on(value.to_vec()).unwrap()
}

/// Compares by the largest difference relative to the largest expected value.
pub(crate) fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "lengths");
    let largest = expected.iter().fold(1e-12_f32, |largest, value| largest.max(value.abs()));
    let error = found.iter().zip(expected).fold(0.0_f32, |error, (a, b)| error.max((a - b).abs())) / largest;
    assert!(error <= tolerance, "relative error {error}\nfound    {found:?}\nexpected {expected:?}");
}
