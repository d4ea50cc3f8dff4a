//! Reading a model card, or inferring one: what is known before planning from the file, the rest from the graph.

use vitrine_explain::{ExplainError, Head, attention, default_layer, sequence, token_grid};
use vitrine_graph::{Graph, InputShapes};
use vitrine_image::ImageError;
use vitrine_onnx::{Dimension, ElementType, Model, ValueInfo};
use vitrine_protocol::{
    BoxFormat, BoxUnit, CandidateAxis, Channels, Detections, ImageInput, Layout, ModelCard, Task, Tokens,
};

use crate::EngineError;

/// Side of the input when a file leaves it open.
const USUAL_SIDE: usize = 224;

/// Parses a card's JSON.
///
/// # Errors
/// [`EngineError::CardText`] with the line and what was expected; [`EngineError::Card`] for an input that pixels cannot
/// become.
pub(crate) fn parse(name: &str, json: &str) -> Result<ModelCard, EngineError> {
    let card: ModelCard = serde_json::from_str(json)
        .map_err(|error| EngineError::CardText { name: name.to_owned(), reason: error.to_string() })?;
    vitrine_image::check_input(&card.input).map_err(|error| {
        let problem = match error {
            ImageError::Input { reason } => reason,
            error => error.to_string(),
        };
        wrong(name, "input", problem, "correct the numbers of the input")
    })?;
    if let Some(Tokens { rows, columns, .. }) = card.tokens
        && (rows == 0 || columns == 0)
    {
        let found = format!("it has {rows} rows and {columns} columns, where there must be one of each at least");
        return Err(wrong(name, "tokens", found, "count the patches of the picture"));
    }
    Ok(card)
}

fn wrong(name: &str, field: &'static str, problem: impl Into<String>, advice: &'static str) -> EngineError {
    EngineError::Card { name: name.to_owned(), field, problem: problem.into(), advice }
}

/// The card that a graph's input suggests: nothing when it does not look like an image.
pub(crate) fn infer(name: &str, model: &Model) -> Option<ModelCard> {
    let input = model.graph.required_inputs().next()?;
    let shape = input.shape.as_ref()?;
    let [_, a, b, c] = &shape[..] else { return None };
    let side = |dimension: &Dimension| dimension.known().unwrap_or(USUAL_SIDE);
    let channels = |dimension: &Dimension| match dimension.known() {
        Some(1) => Some(Channels::Grey),
        Some(3) => Some(Channels::Rgb),
        _ => None,
    };
    let pixels = match (channels(a), channels(c)) {
        (Some(channels), _) => ImageInput::plain(Layout::Nchw, channels, side(b), side(c)),
        (None, Some(channels)) => ImageInput::plain(Layout::Nhwc, channels, side(a), side(b)),
        (None, None) => return None,
    };
    Some(ModelCard::plain(name, pixels))
}

/// Whether a model takes text or the numbers of words, which are no pixels whatever their shape.
pub(crate) fn is_text(input: &ValueInfo) -> bool {
    use ElementType::{Int32, Int64, String};
    let rank = input.shape.as_ref().map_or(0, Vec::len);
    match input.element_type {
        Some(String) => true,
        Some(Int32 | Int64) => rank <= 2,
        _ => false,
    }
}

/// Checks that a card's sizes are the graph's, and gives the full input shape where the graph leaves it open.
///
/// # Errors
/// [`EngineError::Card`] when they contradict each other.
pub(crate) fn input_shapes(name: &str, card: Option<&ModelCard>, model: &Model) -> Result<InputShapes, EngineError> {
    let mut shapes = InputShapes::new();
    let (Some(card), Some(input)) = (card, model.graph.required_inputs().next()) else { return Ok(shapes) };
    let own = shape(&card.input);
    let declared = input.shape.clone().unwrap_or_else(|| vec![Dimension::Unknown; 4]);
    let fits = declared.len() == 4
        && declared[1..].iter().zip(own).all(|(length, own)| length.known().is_none_or(|length| length == own));
    if !fits {
        let problem = format!("it means {own:?} after the batch, but the graph's input {:?} is {input}", input.name);
        return Err(wrong(name, "input", problem, "correct layout, channels, width and height"));
    }
    let batch = declared[0].known().unwrap_or(1);
    shapes.insert(input.name.clone(), [&[batch], &own[..]].concat());
    Ok(shapes)
}

/// Shape of one picture in the input tensor.
fn shape(input: &ImageInput) -> [usize; 3] {
    match input.layout {
        Layout::Nchw => [input.channels.count(), input.height, input.width],
        Layout::Nhwc => [input.height, input.width, input.channels.count()],
    }
}

/// Whether a file leaves sizes to its card.
pub(crate) fn is_size_open(model: &Model) -> bool {
    let declared = model.graph.required_inputs().next().and_then(|input| input.shape.as_ref());
    declared.is_none_or(|axes| axes.iter().skip(1).any(|length| length.known().is_none()))
}

/// Checks that a card that replaces another asks for the same graph: sizes, and batch normalisations folded or not.
///
/// # Errors
/// [`EngineError::Card`] with what each says.
pub(crate) fn check_replacement(
    name: &str,
    card: &ModelCard,
    former: Option<&ModelCard>,
    graph: &Graph,
) -> Result<(), EngineError> {
    let folded = former.is_some_and(|former| former.fold_batch_norm);
    if card.fold_batch_norm != folded {
        let problem = format!("it says {}, but the model was loaded with {folded}", card.fold_batch_norm);
        return Err(wrong(name, "fold-batch-norm", problem, "load the file with this card"));
    }
    let planned = graph.inputs().into_iter().next().map(|(_, shape)| shape).unwrap_or_default();
    let own = shape(&card.input);
    if planned.get(1..) == Some(&own) {
        return Ok(());
    }
    let problem = format!("it means {own:?} after the batch, but the model was loaded for {planned:?}");
    Err(wrong(name, "input", problem, "correct layout, channels, width and height, or load the file with this card"))
}

/// Checks what a card says of the planned graph: labels, layer, tokens and outputs.
///
/// # Errors
/// [`EngineError::Card`] with the field, what it says and what the graph has.
pub(crate) fn check(name: &str, card: &ModelCard, graph: &Graph) -> Result<(), EngineError> {
    let head = match card.task {
        Task::Classification | Task::MultiLabel => Head::of(graph).ok(),
        Task::Segmentation => Head::pixels(graph, card.input.layout).ok(),
        Task::Detection | Task::Embedding => None,
    };
    if let Some(head) = head
        && !card.labels.is_empty()
        && card.labels.len() != head.classes()
    {
        let problem = format!("there are {} for {} classes", card.labels.len(), head.classes());
        return Err(wrong(name, "labels", problem, "give one for each class, or none"));
    }
    if let Some(layer) = &card.target_layer
        && let Err(error) = graph.check_value(layer)
    {
        let problem = error.to_string().trim_end_matches('.').to_owned();
        return Err(wrong(name, "target-layer", problem, "name a value that `vitrine inspect` lists"));
    }
    if let (Some(tokens), Some(sequence)) = (card.tokens, sequence(graph)?)
        && tokens.count() != sequence
    {
        let Tokens { rows, columns, prefix } = tokens;
        let problem = format!(
            "{prefix} + {rows} x {columns} is {}, but the graph's attention is over {sequence} tokens",
            tokens.count()
        );
        return Err(wrong(name, "tokens", problem, "count the patches of the picture and the tokens before them"));
    }
    if let Some(read) = &card.detections {
        let Detections { boxes, scores, .. } = read;
        let outputs = graph.outputs();
        for (field, output) in [("detections.boxes", boxes), ("detections.scores", scores)] {
            if !outputs.contains(&output.as_str()) {
                let problem = format!("there is no output {output:?}, only {outputs:?}");
                return Err(wrong(name, field, problem, "name one of the outputs"));
            }
        }
        if let Err(ExplainError::NotBoxes { field, problem }) = Head::boxes(graph, read, card.labels.len(), &card.input)
        {
            return Err(wrong(name, field, problem, "correct it, or leave `detections` out"));
        }
    }
    Ok(())
}

/// Where a model keeps its answer, as its card says; single numbers where that cannot be read.
///
/// # Errors
/// [`ExplainError::NotClassScores`] for a model whose first output holds no floating-point numbers.
pub(crate) fn head(card: Option<&ModelCard>, graph: &Graph) -> Result<Head, EngineError> {
    let head = match card {
        Some(ModelCard { task: Task::Detection, detections: Some(read), labels, input, .. }) => {
            Head::boxes(graph, read, labels.len(), input)
        }
        Some(ModelCard { task: Task::Segmentation, input, .. }) => Head::pixels(graph, input.layout),
        Some(ModelCard { task: Task::Embedding, .. }) => Head::numbers(graph),
        _ => Head::of(graph),
    };
    head.or_else(|error| Head::numbers(graph).map_err(|_| error.into()))
}

/// Fills in what a card leaves open: the layer, the tokens, how to read boxes, and the task where the whole card was
/// inferred.
///
/// # Errors
/// None on a graph that was planned.
pub(crate) fn complete(card: &mut ModelCard, inferred: bool, graph: &Graph) -> Result<(), EngineError> {
    if inferred {
        card.task = task(graph)?;
    }
    let ImageInput { height, width, .. } = card.input;
    if card.tokens.is_none() {
        card.tokens = sequence(graph)?.and_then(|sequence| token_grid(sequence, height, width));
    }
    if card.target_layer.is_none() {
        card.target_layer = default_layer(graph, Some([height, width]), card.tokens)?.map(|layer| layer.name);
    }
    if card.detections.is_none() && card.task == Task::Detection {
        card.detections = detections(card, graph)?;
    }
    Ok(())
}

/// How the outputs of a detector may be read, by the forms that are in wide use: one table of YOLO's kind, or boxes and
/// scores apart.
fn detections(card: &ModelCard, graph: &Graph) -> Result<Option<Detections>, EngineError> {
    let values = graph.values()?;
    let outputs = graph.outputs();
    let shape = |output: &&str| values.iter().find(|value| value.name == **output).map(|value| &value.shape[..]);
    let plain = |boxes: &str, scores: &str| Detections {
        boxes: boxes.to_owned(),
        scores: scores.to_owned(),
        format: BoxFormat::Corners,
        unit: BoxUnit::Pixels,
        candidates: CandidateAxis::Rows,
        box_at: 0,
        objectness_at: None,
        scores_at: 0,
        grid_strides: Vec::new(),
    };
    let boxes = outputs.iter().find(|output| matches!(shape(output), Some([1, _, 4])));
    let scores = outputs.iter().find(|output| matches!(shape(output), Some([1, _, numbers]) if *numbers != 4));
    let guess = match (boxes, scores) {
        (Some(boxes), Some(scores)) => plain(boxes, scores),
        (None, Some(table)) => {
            let columns = matches!(shape(table), Some([_, rows, columns]) if rows < columns);
            let table = Detections { format: BoxFormat::Centre, ..plain(table, table) };
            if columns {
                // As of YOLOv8.
                Detections { candidates: CandidateAxis::Columns, scores_at: 4, ..table }
            } else {
                // YOLOX has one candidate for each cell of three grids, YOLOv5 three.
                let table = Detections { objectness_at: Some(4), scores_at: 5, ..table };
                let gridded = Detections { grid_strides: vec![8, 16, 32], ..table.clone() };
                if readable(card, &gridded, graph) { gridded } else { table }
            }
        }
        (_, None) => return Ok(None),
    };
    Ok(Some(guess).filter(|guess| readable(card, guess, graph)))
}

fn readable(card: &ModelCard, read: &Detections, graph: &Graph) -> bool {
    Head::boxes(graph, read, card.labels.len(), &card.input).is_ok()
}

/// What the outputs look like: one score per class, a plane of scores per class, or a table of boxes.
fn task(graph: &Graph) -> Result<Task, EngineError> {
    if let Ok(head) = Head::of(graph) {
        let one_by_one = !head.is_exclusive() && head.classes() > 1;
        return Ok(if one_by_one { Task::MultiLabel } else { Task::Classification });
    }
    let values = graph.values()?;
    let outputs = graph.outputs();
    let shapes = outputs.iter().filter_map(|output| values.iter().find(|value| value.name == *output));
    let shapes: Vec<&[usize]> = shapes.map(|value| value.shape.as_slice()).collect();
    let boxes = shapes.len() > 1 && shapes.iter().any(|shape| shape.last() == Some(&4));
    Ok(match shapes[..] {
        _ if boxes => Task::Detection,
        [[_, _, height, width], ..] if *height > 1 && *width > 1 => Task::Segmentation,
        // A table of many candidates; the tokens of a transformer would look the same.
        [[_, rows, columns]] if *rows.max(columns) >= 300 && *rows.min(columns) > 4 && attention(graph)?.is_empty() => {
            Task::Detection
        }
        _ => Task::Classification,
    })
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use vitrine_onnx::{Graph as OnnxGraph, Node, Tensor};

    use super::*;

    fn model(shape: &[Dimension]) -> Model {
        Model::new(17, OnnxGraph { inputs: vec![ValueInfo::float("x", shape)], ..OnnxGraph::default() })
    }

    /// A graph of these nodes from a picture of 8 x 8 pixels to `y`.
    fn graph(nodes: Vec<Node>, initializers: Vec<Tensor>) -> Graph {
        let onnx = OnnxGraph {
            nodes,
            initializers,
            inputs: vec![ValueInfo::float("x", &[1, 3, 8, 8])],
            outputs: vec![ValueInfo { name: "y".into(), ..ValueInfo::default() }],
            ..OnnxGraph::default()
        };
        Graph::new(Model::new(13, onnx), &Device::flex(), &InputShapes::new()).unwrap()
    }

    fn pooled(last: Node) -> Graph {
        let pool = Node::new("GlobalAveragePool", &["h"], &["p"]);
        graph(vec![Node::new("Relu", &["x"], &["h"]), pool, Node::new("Flatten", &["p"], &["f"]), last], vec![])
    }

    fn plain() -> ModelCard {
        ModelCard::plain("m", ImageInput::plain(Layout::Nchw, Channels::Rgb, 8, 8))
    }

    #[test]
    fn a_trailing_three_is_read_as_channels_last() {
        let card = infer("m", &model(&["n".into(), 32.into(), 48.into(), 3.into()])).unwrap();
        assert_eq!(card.input.layout, Layout::Nhwc);
        assert_eq!((card.input.height, card.input.width), (32, 48));
    }

    #[test]
    fn an_open_side_gets_the_usual_size() {
        let card = infer("m", &model(&[1.into(), 3.into(), "h".into(), "w".into()])).unwrap();
        assert_eq!((card.input.height, card.input.width), (USUAL_SIDE, USUAL_SIDE));
    }

    #[test]
    fn a_table_row_is_no_image() {
        assert!(infer("m", &model(&[1.into(), 10.into()])).is_none());
    }

    #[test]
    fn a_card_of_another_size_is_refused_with_both_sizes() {
        let model = model(&[1.into(), 3.into(), 64.into(), 64.into()]);
        let mut card = infer("m", &model).unwrap();
        card.input.width = 32;
        let message = input_shapes("m", Some(&card), &model).unwrap_err().to_string();
        assert!(message.contains("[3, 64, 32]") && message.contains("float[1, 3, 64, 64]"), "{message}");
    }

    #[test]
    fn a_card_that_makes_no_sense_is_refused_by_field() {
        let message = |json: &str| parse("m", json).unwrap_err().to_string();
        let input = r#""width": 2, "height": 2"#;
        let text = message(r#"{"name": "m"}"#);
        assert!(text.contains("missing field `input`"), "{text}");
        let mean = message(&format!(r#"{{"name": "m", "input": {{{input}, "mean": [0.5]}}}}"#));
        assert!(mean.contains("`input`") && mean.contains("mean has 1 numbers for 3 channels"), "{mean}");
        let tokens =
            message(&format!(r#"{{"name": "m", "input": {{{input}}}, "tokens": {{"rows": 0, "columns": 3}}}}"#));
        assert!(tokens.contains("`tokens`") && tokens.contains("0 rows"), "{tokens}");
    }

    #[test]
    fn a_card_that_contradicts_the_graph_is_refused_with_both() {
        let graph = pooled(Node::new("Softmax", &["f"], &["y"]));
        let refused = |card: ModelCard| check("m", &card, &graph).unwrap_err().to_string();
        let labels = refused(ModelCard { labels: vec!["owl".into()], ..plain() });
        assert_eq!(
            labels,
            "The model card of \"m\" is not right in `labels`: there are 1 for 3 classes; give one for each class, or none."
        );
        let layer = refused(ModelCard { target_layer: Some("hh".into()), ..plain() });
        assert!(layer.contains("`target-layer`") && layer.contains("\"hh\""), "{layer}");
        let read = Detections {
            boxes: "y".into(),
            scores: "z".into(),
            format: Default::default(),
            unit: Default::default(),
            candidates: Default::default(),
            box_at: 0,
            objectness_at: None,
            scores_at: 0,
            grid_strides: Vec::new(),
        };
        let scores = refused(ModelCard { detections: Some(read), ..plain() });
        assert!(scores.contains("`detections.scores`") && scores.contains("no output \"z\", only [\"y\"]"), "{scores}");
        assert!(check("m", &plain(), &graph).is_ok());
    }

    #[test]
    fn the_end_of_the_graph_tells_the_task() {
        let task_of = |graph: &Graph| task(graph).unwrap();
        assert_eq!(task_of(&pooled(Node::new("Softmax", &["f"], &["y"]))), Task::Classification);
        assert_eq!(task_of(&pooled(Node::new("Identity", &["f"], &["y"]))), Task::Classification);
        assert_eq!(task_of(&pooled(Node::new("Sigmoid", &["f"], &["y"]))), Task::MultiLabel);
        assert_eq!(task_of(&graph(vec![Node::new("Relu", &["x"], &["y"])], vec![])), Task::Segmentation);
    }

    #[test]
    fn layer_and_tokens_are_filled_in() {
        // Patches of 4 x 4 pixels, so four tokens, which attend to one another.
        let nodes = vec![
            Node::new("AveragePool", &["x"], &["patches"]).with("kernel_shape", vec![4, 4]).with("strides", vec![4, 4]),
            Node::new("Reshape", &["patches", "shape"], &["keys"]),
            Node::new("Transpose", &["keys"], &["tokens"]).with("perm", vec![0, 2, 1]),
            Node::new("MatMul", &["tokens", "keys"], &["scores"]),
            Node::new("Softmax", &["scores"], &["weights"]).with("axis", -1),
            Node::new("MatMul", &["weights", "tokens"], &["y"]),
        ];
        let graph = graph(nodes, vec![Tensor::from_i64("shape", &[3], &[1, 3, 4])]);
        let mut card = plain();
        complete(&mut card, true, &graph).unwrap();
        assert_eq!(card.target_layer.as_deref(), Some("tokens"));
        assert_eq!(card.tokens, Some(Tokens { rows: 2, columns: 2, prefix: 0 }));

        card.tokens = Some(Tokens { rows: 2, columns: 2, prefix: 1 });
        let message = check("m", &card, &graph).unwrap_err().to_string();
        assert!(message.contains("1 + 2 x 2 is 5, but the graph's attention is over 4 tokens"), "{message}");
    }

    #[test]
    fn words_are_no_pixels() {
        let input = |element_type, shape: &[usize]| ValueInfo::new("x", element_type, shape);
        assert!(is_text(&input(ElementType::String, &[1, 1, 1, 1])) && is_text(&input(ElementType::Int64, &[1, 77])));
        assert!(
            !is_text(&input(ElementType::Uint8, &[1, 3, 8, 8])) && !is_text(&input(ElementType::Float32, &[1, 77]))
        );
    }
}
