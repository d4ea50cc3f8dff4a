//! Writes a ResNet-18 for images of 224x224 with random weights: `resnet18 FILE`.
//!
//! The network is that of He et al., "Deep residual learning for image recognition" (CVPR 2016), as PyTorch exports it
//! for inference: batch norm is folded into the convolutions before it. The seed is fixed, so the file is always the same.

use std::{env, error::Error, fs};

use chacha20::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use vitrine_onnx::{Dimension, Graph, Model, Node, Tensor, ValueInfo};

const CLASSES: usize = 1000;

/// Channels, blocks and first stride of each stage.
const STAGES: [(usize, usize, i64); 4] = [(64, 2, 1), (128, 2, 2), (256, 2, 2), (512, 2, 2)];

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("name the file to write")?;
    let model = resnet18();
    model.validate()?;
    let parameters: usize = model.graph.initializers.iter().map(Tensor::len).sum();
    fs::write(&path, model.encode())?;
    println!("{path}: ResNet-18 with {parameters} random weights");
    Ok(())
}

fn resnet18() -> Model {
    let mut network = Network { graph: Graph::default(), random: ChaCha8Rng::from_seed([18; 32]) };
    let mut value = network.convolution("stem", "image", [3, 64], 7, 2);
    value = network.node(Node::new("Relu", &[&value], &["stem/relu"]));
    let pool = Node::new("MaxPool", &[&value], &["stem/pool"]);
    value = network.node(pool.with("kernel_shape", vec![3, 3]).with("strides", vec![2, 2]).with("pads", vec![1; 4]));
    let mut channels = 64;
    for (stage, (width, blocks, first_stride)) in STAGES.into_iter().enumerate() {
        for block in 0..blocks {
            let name = format!("stage{stage}/block{block}");
            value = network.block(&name, &value, [channels, width], if block == 0 { first_stride } else { 1 });
            channels = width;
        }
    }
    value = network.node(Node::new("GlobalAveragePool", &[&value], &["pool"]));
    value = network.node(Node::new("Flatten", &[&value], &["features"]));
    network.weight("head/weight", &[CLASSES, channels], channels);
    network.weight("head/bias", &[CLASSES], channels);
    network.node(Node::new("Gemm", &[&value, "head/weight", "head/bias"], &["logits"]).with("transB", 1));
    let batch = || Dimension::from("batch");
    network.graph.inputs = vec![ValueInfo::float("image", &[batch(), 3.into(), 224.into(), 224.into()])];
    network.graph.outputs = vec![ValueInfo::float("logits", &[batch(), CLASSES.into()])];
    Model::new(17, Graph { name: "resnet18".into(), ..network.graph })
}

/// A network under construction.
struct Network {
    graph: Graph,
    random: ChaCha8Rng,
}

impl Network {
    /// Adds a node and returns the value it makes.
    fn node(&mut self, node: Node) -> String {
        let value = node.name.clone();
        self.graph.nodes.push(node);
        value
    }

    /// Adds a weight, uniform with the deviation that keeps activations at their size (He et al., 2015).
    fn weight(&mut self, name: &str, shape: &[usize], inputs: usize) {
        let bound = (6.0 / inputs as f32).sqrt();
        let unit = |word: u32| (word >> 8) as f32 / 8_388_608.0 - 1.0;
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| bound * unit(self.random.next_u32())).collect();
        self.graph.initializers.push(Tensor::from_f32(name, shape, &values));
    }

    /// Adds a convolution of a square kernel, padded so that only the stride shrinks the image.
    fn convolution(&mut self, name: &str, input: &str, channels: [usize; 2], side: usize, stride: i64) -> String {
        let [from, to] = channels;
        let (weight, bias, half) = (format!("{name}/weight"), format!("{name}/bias"), side as i64 / 2);
        self.weight(&weight, &[to, from, side, side], from * side * side);
        self.weight(&bias, &[to], from * side * side);
        let node = Node::new("Conv", &[input, &weight, &bias], &[name]);
        self.node(node.with("strides", vec![stride; 2]).with("pads", vec![half; 4]))
    }

    /// Adds a residual block: two convolutions beside the identity, or beside a projection where the shape changes.
    fn block(&mut self, name: &str, input: &str, channels: [usize; 2], stride: i64) -> String {
        let [from, to] = channels;
        let first = self.convolution(&format!("{name}/conv0"), input, [from, to], 3, stride);
        let relu = self.node(Node::new("Relu", &[&first], &[&format!("{name}/relu0")]));
        let second = self.convolution(&format!("{name}/conv1"), &relu, [to, to], 3, 1);
        let shortcut = match from == to {
            true => input.to_owned(),
            false => self.convolution(&format!("{name}/projection"), input, channels, 1, stride),
        };
        let sum = self.node(Node::new("Add", &[&second, &shortcut], &[&format!("{name}/sum")]));
        self.node(Node::new("Relu", &[&sum], &[&format!("{name}/relu1")]))
    }
}
