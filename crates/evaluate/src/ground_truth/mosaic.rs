//! Mosaics of pictures (Rao, Böhle & Schiele, 2022): a method that is asked for the class of one cell should point there.
//!
//! - Grid pointing game: the model looks at the whole mosaic, whose cells it may well all need.
//! - DiPart: only one cell's features, of a look at the whole mosaic, reach the head; attribution elsewhere can only come
//!   from the windows that reach over the cell's edge.
//! - DiFull: each cell is looked at by itself, and only one cell's features reach the head; any attribution elsewhere is
//!   wrong.
//!
//! A score is the share of a map's positive values that lies in the cell; chance is one over the number of cells. For
//! DiPart and DiFull the model is rewritten: everything up to its pooling over all places is the backbone, the rest the
//! head. In DiFull, maps of layers look at the cells' features side by side, the value `mosaic.features`, so that all
//! methods can be compared at the same layer.

use std::collections::BTreeMap;

use vitrine_explain::{Context, HeatMap, LocalBoxFuture, Target, toolkit::integer};
use vitrine_graph::{Graph, InputShapes};
use vitrine_onnx::{Dimension, Model, Node, Tensor};
use vitrine_protocol::{Better, ImageInput, ProtocolInfo, Reference, Shows};
use vitrine_scenes::{Class, Image, Scene};

use crate::{
    EvaluateError,
    ground_truth::{FIRST_SEED, Findings, Measured, Protocol, Subject, Trial, confidence, positive_share, top},
    statistics::mean,
};

/// Grid pointing game.
pub struct GridPointingGame;

/// DiPart.
pub struct DiPart;

/// DiFull.
pub struct DiFull;

vitrine_explain::options! {
    /// What a protocol on mosaics can be told.
    pub struct MosaicOptions {
        /// Cells along each side of a mosaic.
        cells: usize [integer(2, 3)] = 2,
    }
}

impl Protocol for GridPointingGame {
    fn info(&self) -> ProtocolInfo {
        let meaning = "How much of the map lies in the cell whose class was asked for, of a mosaic that the model sees as a \
                       whole; chance is one over the number of cells.";
        let caveat = "Nobody knows that the model answers by that cell alone, so a low share may be the truth.";
        info("grid-pointing-game", "Grid pointing game", meaning, caveat)
    }

    fn measure<'a>(&'a self, trial: &'a Trial<'a>) -> LocalBoxFuture<'a, Result<Findings, EvaluateError>> {
        Box::pin(play(trial, Setting::Whole))
    }
}

impl Protocol for DiPart {
    fn info(&self) -> ProtocolInfo {
        let meaning = "How much of the map lies in the one cell of a mosaic whose features reach the model's head; chance is \
                       one over the number of cells.";
        let caveat =
            "The windows of that cell reach a little over its edge, so that a share below one may be the truth.";
        info("di-part", "DiPart", meaning, caveat)
    }

    fn measure<'a>(&'a self, trial: &'a Trial<'a>) -> LocalBoxFuture<'a, Result<Findings, EvaluateError>> {
        Box::pin(play(trial, Setting::Part))
    }
}

impl Protocol for DiFull {
    fn info(&self) -> ProtocolInfo {
        let meaning = "How much of the map lies in the one cell of a mosaic that is connected to the answer at all: less than \
                       one is wrong.";
        let caveat = "A method can pass by going back through the network and still say nothing about what matters within \
                      the cell.";
        info("di-full", "DiFull", meaning, caveat)
    }

    fn measure<'a>(&'a self, trial: &'a Trial<'a>) -> LocalBoxFuture<'a, Result<Findings, EvaluateError>> {
        Box::pin(play(trial, Setting::Full))
    }
}

fn info(id: &str, name: &str, meaning: &str, caveat: &str) -> ProtocolInfo {
    ProtocolInfo {
        id: id.to_owned(),
        name: name.to_owned(),
        meaning: meaning.to_owned(),
        caveat: caveat.to_owned(),
        reference: Reference {
            authors: "Rao, Böhle, Schiele".to_owned(),
            year: 2022,
            title: "Towards Better Understanding Attribution Methods".to_owned(),
            venue: "CVPR".to_owned(),
        },
        shows: Shows::Critters,
        models: ["critters", "critters-nobias", "critters-bagnet"].map(str::to_owned).to_vec(),
        beside: None,
        parameters: MosaicOptions::parameters(),
    }
}

/// The shares, and AggAtt: the mean maps of those that are alike.
async fn play(trial: &Trial<'_>, setting: Setting) -> Result<Findings, EvaluateError> {
    let MosaicOptions { cells } = MosaicOptions::parse(trial.subject.context.parameters)?;
    let model = trial.model.ok_or(EvaluateError::Scenes("the model's file"))?;
    let result = mosaic_game(&trial.subject, model, setting, cells, trial.pictures).await?;
    let maps = aggregate(&result).into_iter().filter(|bin| !bin.map.is_empty()).map(|bin| {
        let map = HeatMap { height: result.side, width: result.side, values: bin.map };
        (format!("aggatt-{}-{}", bin.from, bin.to), map)
    });
    Ok(Findings { maps: maps.collect(), measured: vec![result.share] })
}

/// How the cells of a mosaic are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Grid pointing game.
    Whole,
    /// DiPart.
    Part,
    /// DiFull.
    Full,
}

/// The value that holds all cells' features in DiFull.
const FEATURES: &str = "mosaic.features";
/// The softmax from which a picture is taken into a mosaic.
const CONFIDENT: f64 = 0.8;

/// A mosaic's maps.
#[derive(Clone, Debug)]
pub struct MosaicResult {
    /// The share of the maps in their cells, for each mosaic the mean over its cells.
    pub share: Measured,
    /// The share of each map in its cell.
    pub shares: Vec<f64>,
    /// The maps, with the cell that was asked for moved to the top left.
    pub maps: Vec<Vec<f32>>,
    /// Side of the maps in pixels.
    pub side: usize,
}

/// Mean maps of explanations of similar score (AggAtt).
#[derive(Clone, Debug, PartialEq)]
pub struct AggregateBin {
    /// From the best this part of the explanations, in percent.
    pub from: f64,
    /// To this one.
    pub to: f64,
    /// The mean of their maps, each divided by its largest absolute value; empty where no explanation falls in.
    pub map: Vec<f32>,
}

/// Plays with mosaics of `cells` by `cells` critters of different classes that the model is sure of; each cell of each
/// mosaic is asked for once. `model` is the file behind the subject's graph.
///
/// # Errors
/// [`EvaluateError::Scenes`] for a model that is no classifier of critters or has no pooling over all places, fewer than
/// two or more than three cells, and what graph and method refuse: models with a fixed picture size cannot take mosaics.
pub async fn mosaic_game(
    subject: &Subject<'_>,
    model: &Model,
    setting: Setting,
    cells: usize,
    mosaics: usize,
) -> Result<MosaicResult, EvaluateError> {
    if !(2..=3).contains(&cells) {
        return Err(EvaluateError::Scenes("mosaics of 2 x 2 or 3 x 3 cells"));
    }
    let side = usize::from(subject.side()?);
    let pixels = ImageInput { width: cells * side, height: cells * side, ..subject.pixels()?.clone() };
    let mut graphs = Vec::new();
    for cell in 0..cells * cells {
        let rewritten = mosaic_model(model, subject.context.graph, setting, cells, cell)?;
        graphs.push(Graph::new(rewritten, subject.context.graph.device(), &InputShapes::new())?);
    }
    let meaning = "How much of the map lies in the cell whose class was asked for.";
    let name = match setting {
        Setting::Whole => "grid pointing game",
        Setting::Part => "DiPart",
        Setting::Full => "DiFull",
    };
    let share = Measured::new(name, Better::Higher, meaning);
    let mut result = MosaicResult { share, shares: Vec::new(), maps: Vec::new(), side: cells * side };
    let mut progress = subject.progress(mosaics);
    let mut seed = FIRST_SEED;
    for _ in 0..mosaics {
        let before = result.shares.len();
        let members = members(subject, cells * cells, &mut seed).await?;
        let mut mosaic = Image::black(cells * side, cells * side);
        for (cell, (picture, _)) in members.iter().enumerate() {
            mosaic.paste(picture, cell % cells * side, cell / cells * side);
        }
        for (cell, ((_, class), graph)) in members.iter().zip(&graphs).enumerate() {
            let target = Target::logit(subject.context.target.head(), *class)?;
            let layers = if setting == Setting::Full { &[FEATURES][..] } else { subject.context.layers };
            let context = Context { graph, target: &target, layers, pixels: Some(&pixels), ..subject.context };
            let asked = Subject { context, ..*subject };
            let map = asked.map(&mosaic, *class).await?;
            if let Some(share) = positive_share(&map, &cell_mask(cells, side, cell)) {
                result.shares.push(share);
                result.maps.push(swapped(&map, cells, side, cell));
            }
        }
        let shares = result.shares.get(before..).unwrap_or_default();
        if !shares.is_empty() {
            result.share.values.push(mean(shares));
        }
        progress.advance(1).await?;
    }
    Ok(result)
}

/// Pictures of different classes that the model is sure of, from this seed on.
async fn members(subject: &Subject<'_>, count: usize, seed: &mut u64) -> Result<Vec<(Image, usize)>, EvaluateError> {
    /// Pictures tried before a model counts as never sure.
    const MOST: u64 = 2000;
    let mut members: Vec<(Image, usize)> = Vec::new();
    let last = *seed + MOST;
    while members.len() < count {
        let class = Class::ALL.get(*seed as usize % Class::ALL.len()).copied().unwrap_or(Class::Bimble);
        let picture = Scene::sample(*seed, class).render(subject.side()?);
        *seed += 1;
        if *seed > last {
            return Err(EvaluateError::Scenes("critters, which this model is hardly ever sure of"));
        }
        let fresh = members.iter().all(|(_, other)| *other != class.index());
        if fresh {
            let logits = subject.logits(&picture).await?;
            if top(&logits) == class.index() && confidence(&logits) >= CONFIDENT {
                members.push((picture, class.index()));
            }
        }
    }
    Ok(members)
}

/// Mean maps of explanations, the best 2 % first, then to 5, 50, 95, 98 and 100 % (AggAtt).
pub fn aggregate(result: &MosaicResult) -> Vec<AggregateBin> {
    const EDGES: [f64; 7] = [0.0, 2.0, 5.0, 50.0, 95.0, 98.0, 100.0];
    let mut order: Vec<(&f64, &Vec<f32>)> = result.shares.iter().zip(&result.maps).collect();
    order.sort_by(|a, b| b.0.total_cmp(a.0));
    let at = |percent: f64| (percent / 100.0 * order.len() as f64).round() as usize;
    let bins = EDGES.iter().zip(EDGES.iter().skip(1)).map(|(&from, &to)| {
        let members = order.get(at(from)..at(to)).unwrap_or_default();
        let mut map = vec![0.0; members.first().map_or(0, |(_, map)| map.len())];
        for (_, member) in members {
            let most = member.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            for (sum, value) in map.iter_mut().zip(member.iter()) {
                *sum += if most > 0.0 { value / most / members.len() as f32 } else { 0.0 };
            }
        }
        AggregateBin { from, to, map }
    });
    bins.collect()
}

/// One in a cell of a mosaic, zero elsewhere.
fn cell_mask(cells: usize, side: usize, cell: usize) -> Vec<f32> {
    let width = cells * side;
    let inside = |pixel: usize| pixel % width / side == cell % cells && pixel / width / side == cell / cells;
    (0..width * width).map(|pixel| if inside(pixel) { 1.0 } else { 0.0 }).collect()
}

/// The map with a cell and the first one in each other's place.
fn swapped(map: &[f32], cells: usize, side: usize, cell: usize) -> Vec<f32> {
    let width = cells * side;
    let from = |pixel: usize| {
        let (x, y) = (pixel % width, pixel / width);
        let here = y / side * cells + x / side;
        let there = if here == 0 {
            cell
        } else if here == cell {
            0
        } else {
            here
        };
        (there / cells * side + y % side) * width + there % cells * side + x % side
    };
    (0..map.len()).map(|pixel| map.get(from(pixel)).copied().unwrap_or_default()).collect()
}

/// The model for mosaics of `cells` by `cells` pictures, of which DiPart and DiFull use one `cell` (counted row by row).
/// `graph` is the model as it is.
///
/// # Errors
/// [`EvaluateError::Scenes`] where the model has not one image of known size or no pooling over all places.
pub fn mosaic_model(
    model: &Model,
    graph: &Graph,
    setting: Setting,
    cells: usize,
    cell: usize,
) -> Result<Model, EvaluateError> {
    let mut model = model.clone();
    model.graph.value_infos.clear();
    let size = image_size(&mut model, cells)?;
    if setting == Setting::Whole {
        return Ok(model);
    }
    let nodes = std::mem::take(&mut model.graph.nodes);
    let Some(pooling) = nodes.iter().position(|node| node.operator == "GlobalAveragePool") else {
        return Err(EvaluateError::Scenes("a model that pools over all places"));
    };
    let (backbone, head) = nodes.split_at(pooling);
    let features = head.first().and_then(|node| node.inputs.first()).cloned().unwrap_or_default();
    let planned = graph.values()?.into_iter().find(|value| value.name == features).map(|value| value.shape);
    let Some(&[_, _, height, width]) = planned.as_deref() else {
        return Err(EvaluateError::Scenes("a model whose features have height and width"));
    };

    let mut rewriter = Rewriter { model, cells };
    let all = match setting {
        Setting::Full => {
            let parts: Vec<String> =
                (0..cells * cells).map(|part| rewriter.look_at(backbone, &features, part, size)).collect();
            rewriter.side_by_side(&parts)
        }
        _ => {
            rewriter.model.graph.nodes.extend(backbone.iter().cloned());
            features.clone()
        }
    };
    let own = rewriter.cut(&all, cell, [height, width], "mosaic.cell");
    let mut head = head.to_vec();
    for input in head.iter_mut().flat_map(|node| &mut node.inputs).filter(|input| **input == features) {
        input.clone_from(&own);
    }
    rewriter.model.graph.nodes.extend(head);
    Ok(rewriter.model)
}

/// Makes the model's picture larger and gives its former height and width.
fn image_size(model: &mut Model, cells: usize) -> Result<[usize; 2], EvaluateError> {
    let refused = EvaluateError::Scenes("a model with one image of known size");
    let shape = model.graph.inputs.first_mut().and_then(|input| input.shape.as_mut());
    let Some([_, _, height, width]) = shape.map(Vec::as_mut_slice) else { return Err(refused) };
    let (Some(rows), Some(columns)) = (height.known(), width.known()) else { return Err(refused) };
    *height = Dimension::from(cells * rows);
    *width = Dimension::from(cells * columns);
    Ok([rows, columns])
}

struct Rewriter {
    model: Model,
    cells: usize,
}

impl Rewriter {
    /// The features of one cell's picture: the backbone once more, with names of its own.
    fn look_at(&mut self, backbone: &[Node], features: &str, cell: usize, size: [usize; 2]) -> String {
        let image = self.model.graph.inputs.first().map(|input| input.name.clone()).unwrap_or_default();
        let own = self.cut(&image, cell, size, &format!("cell{cell}.image"));
        let made: BTreeMap<&str, String> = backbone
            .iter()
            .flat_map(|node| &node.outputs)
            .map(|name| (name.as_str(), format!("cell{cell}.{name}")))
            .chain([(image.as_str(), own)])
            .collect();
        let renamed = |name: &String| made.get(name.as_str()).unwrap_or(name).clone();
        for node in backbone {
            self.model.graph.nodes.push(Node {
                name: format!("cell{cell}.{}", node.name),
                inputs: node.inputs.iter().map(renamed).collect(),
                outputs: node.outputs.iter().map(renamed).collect(),
                ..node.clone()
            });
        }
        renamed(&features.to_owned())
    }

    /// The cells' features in one value, as the cells lie in the mosaic.
    fn side_by_side(&mut self, parts: &[String]) -> String {
        let mut rows = Vec::new();
        for (index, row) in parts.chunks(self.cells).enumerate() {
            let name = format!("mosaic.row{index}");
            let row: Vec<&str> = row.iter().map(String::as_str).collect();
            self.model.graph.nodes.push(Node::new("Concat", &row, &[&name]).with("axis", 3));
            rows.push(name);
        }
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        self.model.graph.nodes.push(Node::new("Concat", &rows, &[FEATURES]).with("axis", 2));
        FEATURES.to_owned()
    }

    /// One cell of a value whose cells have this height and width.
    fn cut(&mut self, value: &str, cell: usize, [height, width]: [usize; 2], name: &str) -> String {
        let (row, column) = (cell / self.cells, cell % self.cells);
        let starts = [row * height, column * width].map(|start| start as i64);
        let ends = [(row + 1) * height, (column + 1) * width].map(|end| end as i64);
        let mut inputs = vec![value.to_owned()];
        for (what, values) in [("starts", starts), ("ends", ends), ("axes", [2, 3])] {
            let constant = format!("{name}.{what}");
            self.model.graph.initializers.push(Tensor::from_i64(&constant, &[2], &values));
            inputs.push(constant);
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        self.model.graph.nodes.push(Node::new("Slice", &inputs, &[name]));
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use vitrine_graph::{Run, Value};
    use vitrine_onnx::{Graph as OnnxGraph, ValueInfo};

    use super::*;

    /// The mean over a picture of 2 x 2 of the sum of each pixel and its right neighbour.
    fn model() -> Model {
        let node = Node::new("Conv", &["x", "w"], &["features"])
            .with("kernel_shape", vec![1, 3])
            .with("pads", vec![0, 1, 0, 1]);
        Model::new(
            17,
            OnnxGraph {
                nodes: vec![
                    node,
                    Node::new("GlobalAveragePool", &["features"], &["pool"]),
                    Node::new("Flatten", &["pool"], &["y"]),
                ],
                initializers: vec![Tensor::from_f32("w", &[1, 1, 1, 3], &[0.0, 1.0, 1.0])],
                inputs: vec![ValueInfo::float("x", &[1, 1, 2, 2])],
                outputs: vec![ValueInfo::float("y", &[1, 1])],
                ..OnnxGraph::default()
            },
        )
    }

    /// The answer to a mosaic of 4 x 4 pixels with 1 in the first column of the second cell, zero elsewhere.
    fn answer(setting: Setting, cell: usize) -> f32 {
        let device = Device::flex();
        let graph = Graph::new(model(), &device, &InputShapes::new()).unwrap();
        let rewritten = mosaic_model(&model(), &graph, setting, 2, cell).unwrap();
        let mosaic = Graph::new(rewritten, &device, &InputShapes::new()).unwrap();
        let pixels: Vec<f32> = (0..16).map(|pixel| if pixel % 4 == 2 && pixel < 8 { 1.0 } else { 0.0 }).collect();
        let trace = mosaic.run(&Run::of(["y"]).feed("x", Value::from_f32(&pixels, &[1, 1, 4, 4], &device))).unwrap();
        pollster::block_on(trace.value("y").unwrap().to_vec()).unwrap()[0]
    }

    #[test]
    fn cells_are_seen_together_over_their_edges_or_apart() {
        // Each one counts where it is and in its left neighbour: four counts over sixteen places.
        assert_eq!(answer(Setting::Whole, 0), 4.0 / 16.0);
        // The window of the first cell reaches over its edge: two counts over four places.
        assert_eq!(answer(Setting::Part, 0), 2.0 / 4.0);
        assert_eq!(answer(Setting::Part, 1), 2.0 / 4.0);
        assert_eq!(answer(Setting::Full, 0), 0.0);
        assert_eq!(answer(Setting::Full, 1), 2.0 / 4.0);
        assert_eq!(answer(Setting::Full, 2), 0.0);
    }

    #[test]
    fn masks_and_swaps_follow_the_cells() {
        assert_eq!(cell_mask(2, 1, 2), [0.0, 0.0, 1.0, 0.0]);
        assert_eq!(swapped(&[1.0, 2.0, 3.0, 4.0], 2, 1, 2), [3.0, 2.0, 1.0, 4.0]);
    }

    #[test]
    fn bins_hold_the_mean_of_maps_from_the_best_on() {
        let share = Measured::new("share", Better::Higher, "A share.");
        let maps = vec![vec![0.0, 2.0], vec![4.0, 0.0]];
        let result = MosaicResult { share, shares: vec![0.1, 0.9], maps, side: 1 };
        let bins = aggregate(&result);
        assert_eq!(bins.len(), 6);
        let filled: Vec<&AggregateBin> = bins.iter().filter(|bin| !bin.map.is_empty()).collect();
        assert_eq!((filled[0].map.as_slice(), filled[0].to), (&[1.0, 0.0][..], 50.0));
        assert_eq!((filled[1].map.as_slice(), filled[1].to), (&[0.0, 1.0][..], 95.0));
    }
}
