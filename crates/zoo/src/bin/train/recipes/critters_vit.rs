//! `critters-vit`: a tiny vision transformer (Dosovitskiy et al., 2021) with a class token and patches of 8x8 pixels.

use anyhow::Result;
use burn::module::{Module, Param};
use burn::nn::conv::Conv2d;
use burn::nn::{Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::{gelu, softmax};
use burn::tensor::{Device, Tensor};
use vitrine_onnx::Node;
use vitrine_protocol::{ModelCard, Tokens};
use vitrine_scenes::Class;

use crate::batch::Example;
use crate::export::{File, INPUT};
use crate::layers::Window;
use crate::recipe::{Network, Purpose, Recipe};
use crate::recipes::{SIZE, critter, critters_card};

/// Side of a patch in pixels.
const PATCH: usize = 8;
/// Patches along a side of the picture.
const ROWS: usize = SIZE as usize / PATCH;
/// Length of the sequence: the class token, then the patches row by row.
const TOKENS: usize = 1 + ROWS * ROWS;
/// Numbers in a token.
const WIDTH: usize = 64;
const HEADS: usize = 4;
const DEPTH: usize = 4;
/// Numbers inside the two-layer perceptron of a block.
const INNER: usize = 128;
const EPSILON: f64 = 1e-6;

pub(crate) struct CrittersVit;

impl Recipe for CrittersVit {
    type Network = Transformer;
    const ID: &'static str = "critters-vit";
    const STEPS: u64 = 600;
    const RATE: f64 = 1.5e-3;

    fn example(position: u64, purpose: Purpose) -> Example {
        critter(position, purpose)
    }

    fn card() -> ModelCard {
        let description = "The creatures of `critters`, told apart by a vision transformer with four blocks of four \
                           heads, patches of 8x8 pixels and a class token.";
        ModelCard {
            tokens: Some(Tokens { rows: ROWS, columns: ROWS, prefix: 1 }),
            ..critters_card("Critters by a vision transformer", description, SIZE)
        }
    }
}

#[derive(Module, Debug)]
pub(crate) struct Transformer {
    patches: Conv2d,
    /// Added to the sequence; its first row is the class token, which is nothing else.
    positions: Param<Tensor<3>>,
    blocks: Vec<Block>,
    norm: LayerNorm,
    classifier: Linear,
}

#[derive(Module, Debug)]
struct Block {
    norm1: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    projection: Linear,
    norm2: LayerNorm,
    inner: Linear,
    outer: Linear,
}

impl Network for Transformer {
    fn new(device: &Device) -> Self {
        let positions = Initializer::Normal { mean: 0.0, std: 0.02 };
        Transformer {
            patches: Window::inside(PATCH, PATCH).convolution(3, WIDTH).init(device),
            positions: positions.init([1, TOKENS, WIDTH], device),
            blocks: (0..DEPTH).map(|_| Block::new(device)).collect(),
            norm: norm(device),
            classifier: LinearConfig::new(WIDTH, Class::ALL.len()).init(device),
        }
    }

    fn forward(&self, pictures: Tensor<4>) -> Tensor<3> {
        let patches = self.patches.forward(pictures).flatten::<3>(2, 3).swap_dims(1, 2);
        let [count, _, _] = patches.dims();
        let class_token = Tensor::zeros([count, 1, WIDTH], &patches.device());
        let mut tokens = Tensor::cat(vec![class_token, patches], 1) + self.positions.val();
        for block in &self.blocks {
            tokens = block.forward(tokens);
        }
        let class_token = self.norm.forward(tokens).narrow(1, 0, 1).flatten::<2>(1, 2);
        self.classifier.forward(class_token).unsqueeze_dim(2)
    }

    fn export(&self, file: &mut File) -> Result<Option<String>> {
        file.convolution(&self.patches, INPUT, "patches")?;
        file.reshape("patches", &[0, WIDTH as i64, (TOKENS - 1) as i64], "patches.flat");
        file.transpose("patches.flat", &[0, 2, 1], "patches.tokens");
        let pads = file.integers("tokens.pads", &[0, 1, 0, 0, 0, 0]);
        file.node("Pad", &["patches.tokens", &pads], "tokens");
        let positions = file.weights("positions", self.positions.val())?;
        let mut tokens = file.node("Add", &["tokens", &positions], "embedding");
        for (index, block) in self.blocks.iter().enumerate() {
            tokens = block.export(file, &tokens, &format!("block{}", index + 1))?;
        }
        file.layer_norm(&self.norm, EPSILON, &tokens, "norm")?;
        // The class token alone.
        for (name, values) in [("class.start", [0]), ("class.end", [1]), ("class.axis", [1])] {
            file.integers(name, &values);
        }
        file.node("Slice", &["norm", "class.start", "class.end", "class.axis"], "class.slice");
        file.node("Flatten", &["class.slice"], "class");
        file.classifier(&self.classifier, "class")?;
        Ok(None)
    }
}

fn norm(device: &Device) -> LayerNorm {
    LayerNormConfig::new(WIDTH).with_epsilon(EPSILON).init(device)
}

impl Block {
    fn new(device: &Device) -> Self {
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        Block {
            norm1: norm(device),
            query: linear(WIDTH, WIDTH),
            key: linear(WIDTH, WIDTH),
            value: linear(WIDTH, WIDTH),
            projection: linear(WIDTH, WIDTH),
            norm2: norm(device),
            inner: linear(WIDTH, INNER),
            outer: linear(INNER, WIDTH),
        }
    }

    fn forward(&self, tokens: Tensor<3>) -> Tensor<3> {
        let input = self.norm1.forward(tokens.clone());
        let [count, length, _] = input.dims();
        let split = |layer: &Linear| {
            layer.forward(input.clone()).reshape([count, length, HEADS, WIDTH / HEADS]).swap_dims(1, 2)
        };
        let (query, key, value) = (split(&self.query), split(&self.key), split(&self.value));
        let weights = softmax(query.matmul(key.swap_dims(2, 3)) * scale(), 3);
        let mixed = weights.matmul(value).swap_dims(1, 2).reshape([count, length, WIDTH]);
        let tokens = tokens + self.projection.forward(mixed);
        let inner = gelu(self.inner.forward(self.norm2.forward(tokens.clone())));
        tokens + self.outer.forward(inner)
    }

    fn export(&self, file: &mut File, input: &str, name: &str) -> Result<String> {
        let named = |end: &str| format!("{name}.{end}");
        let normed = file.layer_norm(&self.norm1, EPSILON, input, &named("norm1"))?;
        let mut heads = Vec::new();
        for (layer, end, order) in [
            (&self.query, "query", [0, 2, 1, 3]),
            (&self.key, "key", [0, 2, 3, 1]),
            (&self.value, "value", [0, 2, 1, 3]),
        ] {
            let all = file.linear(layer, &normed, &named(end))?;
            let split =
                file.reshape(&all, &[0, 0, HEADS as i64, (WIDTH / HEADS) as i64], &named(&format!("{end}.split")));
            heads.push(file.transpose(&split, &order, &named(&format!("{end}.heads"))));
        }
        let products = file.node("MatMul", &[&heads[0], &heads[1]], &named("products"));
        let scale = file.numbers(&named("scale"), &[], &[scale()]);
        let scaled = file.node("Mul", &[&products, &scale], &named("scores"));
        let weights = file.push(Node::new("Softmax", &[&scaled], &[&named("attention")]).with("axis", -1));
        let mixed = file.node("MatMul", &[&weights, &heads[2]], &named("mixed"));
        let mixed = file.transpose(&mixed, &[0, 2, 1, 3], &named("mixed.tokens"));
        let mixed = file.reshape(&mixed, &[0, 0, WIDTH as i64], &named("mixed.flat"));
        let projected = file.linear(&self.projection, &mixed, &named("projection"))?;
        let tokens = file.node("Add", &[input, &projected], &named("add1"));

        let normed = file.layer_norm(&self.norm2, EPSILON, &tokens, &named("norm2"))?;
        let inner = file.linear(&self.inner, &normed, &named("inner"))?;
        let inner = export_gelu(file, &inner, &named("gelu"));
        let outer = file.linear(&self.outer, &inner, &named("outer"))?;
        Ok(file.node("Add", &[&tokens, &outer], &named("add2")))
    }
}

fn scale() -> f32 {
    1.0 / ((WIDTH / HEADS) as f32).sqrt()
}

/// x (1 + erf(x / sqrt 2)) / 2 in the nodes that exporters write.
fn export_gelu(file: &mut File, input: &str, name: &str) -> String {
    let named = |end: &str| format!("{name}.{end}");
    let mut constant = |end: &str, value| file.numbers(&named(end), &[], &[value]);
    let (root, one, half) = (constant("root", std::f32::consts::SQRT_2), constant("one", 1.0), constant("half", 0.5));
    let divided = file.node("Div", &[input, &root], &named("divided"));
    let erf = file.node("Erf", &[&divided], &named("erf"));
    let sum = file.node("Add", &[&erf, &one], &named("sum"));
    let product = file.node("Mul", &[input, &sum], &named("product"));
    file.node("Mul", &[&product, &half], name)
}
