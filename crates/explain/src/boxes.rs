//! A detector's table of candidates, read into boxes.

use vitrine_graph::{Graph, Value};
use vitrine_protocol::{BoxFormat, BoxUnit, CandidateAxis, DetectedBox, Detections, ImageInput};

use crate::ExplainError;

/// Candidates below this score are not shown, but for the best.
const LEAST_SCORE: f32 = 0.25;

/// Of two boxes of one class that overlap by more, as intersection over union, the better alone is shown.
const MOST_OVERLAP: f32 = 0.45;

/// Candidates that are compared with one another, best first.
const MAX_CANDIDATES: usize = 1000;

/// Boxes that are shown.
const MAX_BOXES: usize = 100;

/// Something that a detector finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Detected {
    /// What it is: the candidate's best class.
    pub class: usize,
    /// That class's score, times the score that there is anything at all where the model has one.
    pub score: f32,
    /// Where it is.
    pub place: DetectedBox,
}

/// How the outputs of a detector are read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    read: Detections,
    pub(crate) candidates: usize,
    pub(crate) classes: usize,
    scores: Shape,
    boxes: Shape,
    /// Width and height of the input.
    size: [f32; 2],
}

/// The last two axes of an output.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shape {
    axis: CandidateAxis,
    /// Numbers of a candidate.
    numbers: usize,
}

impl Shape {
    /// Position of a candidate's number in the output's data.
    fn at(self, candidates: usize, candidate: usize, number: usize) -> usize {
        match self.axis {
            CandidateAxis::Rows => candidate * self.numbers + number,
            CandidateAxis::Columns => number * candidates + candidate,
        }
    }
}

impl Table {
    pub(crate) fn new(
        graph: &Graph,
        read: &Detections,
        labels: usize,
        input: &ImageInput,
    ) -> Result<Table, ExplainError> {
        let refused = |field, problem| Err(ExplainError::NotBoxes { field, problem });
        let (rows, columns) = last_axes(graph, &read.scores, "detections.scores")?;
        let along = |axis, rows, columns| match axis {
            CandidateAxis::Rows => (rows, Shape { axis, numbers: columns }),
            CandidateAxis::Columns => (columns, Shape { axis, numbers: rows }),
        };
        let (candidates, scores) = along(read.candidates, rows, columns);
        let boxes = if read.boxes == read.scores {
            scores
        } else {
            let (rows, columns) = last_axes(graph, &read.boxes, "detections.boxes")?;
            // An output of boxes alone has four numbers a candidate, which tells its axes apart.
            let axis = if columns == 4 { CandidateAxis::Rows } else { read.candidates };
            let (others, boxes) = along(axis, rows, columns);
            if others != candidates {
                let problem =
                    format!("{:?} has {others} candidates and {:?} has {candidates}", read.boxes, read.scores);
                return refused("detections.candidates", problem);
            }
            boxes
        };
        let numbers = scores.numbers;
        if boxes.numbers < read.box_at.saturating_add(4) {
            let problem = format!("a box at {} needs four numbers, and a candidate has {}", read.box_at, boxes.numbers);
            return refused("detections.box-at", problem);
        }
        if let Some(at) = read.objectness_at.filter(|&at| at >= numbers) {
            return refused("detections.objectness-at", format!("there is no number {at}, a candidate has {numbers}"));
        }
        let classes = numbers.saturating_sub(read.scores_at);
        let classes = if labels > 0 { classes.min(labels) } else { classes };
        if classes == 0 || classes < labels {
            let needed = labels.max(1);
            let problem = format!(
                "{needed} scores from {} on are more than the {numbers} numbers of a candidate",
                read.scores_at
            );
            return refused("detections.scores-at", problem);
        }
        let [width, height] = [input.width, input.height];
        // Counted before anything of that size is made.
        let cells = |&stride: &usize| (width / stride.max(1)).saturating_mul(height / stride.max(1));
        let cells = read.grid_strides.iter().map(cells).fold(0, usize::saturating_add);
        if !read.grid_strides.is_empty() && cells != candidates {
            let strides = &read.grid_strides;
            let problem = format!("grids of the strides {strides:?} have {cells} cells for {candidates} candidates");
            return refused("detections.grid-strides", problem);
        }
        let size = [width as f32, height as f32];
        Ok(Table { read: read.clone(), candidates, classes, scores, boxes, size })
    }

    /// The output that holds the boxes.
    pub(crate) fn boxes(&self) -> &str {
        &self.read.boxes
    }

    /// The output that holds the scores, of any batch, as `[batch, candidates, numbers]`.
    pub(crate) fn arranged(&self, scores: &Value) -> Result<Value, ExplainError> {
        let (candidates, numbers) = (self.candidates, self.scores.numbers);
        let batch = scores.len() / (candidates * numbers);
        Ok(match self.scores.axis {
            CandidateAxis::Rows => scores.reshape(&[batch, candidates, numbers])?,
            CandidateAxis::Columns => scores.reshape(&[batch, numbers, candidates])?.permute(&[0, 2, 1])?,
        })
    }

    /// Whether the score of a box is a product.
    pub(crate) fn multiplies(&self) -> bool {
        self.read.objectness_at.is_some()
    }

    /// The score of a candidate's class for each sample, `[batch, 1, 1]`, from the arranged scores.
    pub(crate) fn score(&self, arranged: &Value, candidate: usize, class: usize) -> Result<Value, ExplainError> {
        let row = arranged.narrow(1, candidate, 1)?;
        let score = row.narrow(2, self.read.scores_at + class, 1)?;
        Ok(match self.read.objectness_at {
            Some(at) => score.mul(&row.narrow(2, at, 1)?)?,
            None => score,
        })
    }

    /// What is found in the two outputs at one input, best first: the candidates' best classes above a score, without
    /// those that a better box of the same class covers.
    pub(crate) fn detect(&self, boxes: &[f32], scores: &[f32]) -> Vec<Detected> {
        let score = |candidate, number| scores[self.scores.at(self.candidates, candidate, number)];
        let mut best: Vec<(f32, usize, usize)> = (0..self.candidates)
            .map(|candidate| {
                let of_class = |class| score(candidate, self.read.scores_at + class);
                let top =
                    (1..self.classes).fold(0, |top, class| if of_class(class) > of_class(top) { class } else { top });
                let anything = self.read.objectness_at.map_or(1.0, |at| score(candidate, at));
                (of_class(top) * anything, candidate, top)
            })
            .collect();
        best.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let shown = best.iter().take_while(|(score, ..)| *score >= LEAST_SCORE).count();
        best.truncate(shown.clamp(1, MAX_CANDIDATES));
        let cells = self.cells();
        let mut found: Vec<Detected> = Vec::new();
        for (score, candidate, class) in best {
            let numbers =
                std::array::from_fn(|index| boxes[self.boxes.at(self.candidates, candidate, self.read.box_at + index)]);
            let place = self.place(candidate, numbers, cells.get(candidate));
            let covered = |other: &Detected| other.class == class && overlap(&other.place, &place) > MOST_OVERLAP;
            if found.len() < MAX_BOXES && !found.iter().any(covered) {
                found.push(Detected { class, score, place });
            }
        }
        found
    }

    /// A candidate's box in pixels of the input.
    fn place(&self, candidate: usize, [a, b, c, d]: [f32; 4], cell: Option<&[f32; 3]>) -> DetectedBox {
        let [a, b, c, d] = match cell {
            Some([x, y, stride]) => [(x + a) * stride, (y + b) * stride, c.exp() * stride, d.exp() * stride],
            None => [a, b, c, d],
        };
        let [left, top, right, bottom] = match self.read.format {
            BoxFormat::Corners => [a, b, c, d],
            BoxFormat::CornersYx => [b, a, d, c],
            BoxFormat::Centre => [a - c / 2.0, b - d / 2.0, a + c / 2.0, b + d / 2.0],
            BoxFormat::Size => [a, b, a + c, b + d],
        };
        let [width, height] = match self.read.unit {
            BoxUnit::Pixels => [1.0, 1.0],
            BoxUnit::Fractions => self.size,
        };
        DetectedBox { candidate, left: left * width, top: top * height, right: right * width, bottom: bottom * height }
    }

    /// Column, row and stride of the cell that each candidate belongs to; nothing for boxes that need none.
    fn cells(&self) -> Vec<[f32; 3]> {
        let grid = |&stride: &usize| {
            let stride = stride.max(1) as f32;
            let [columns, rows] = self.size.map(|side| (side / stride) as usize);
            (0..rows).flat_map(move |row| (0..columns).map(move |column| [column as f32, row as f32, stride]))
        };
        self.read.grid_strides.iter().flat_map(grid).collect()
    }
}

/// The lengths of an output's last two axes at a batch of one.
fn last_axes(graph: &Graph, output: &str, field: &'static str) -> Result<(usize, usize), ExplainError> {
    let shape = graph.values()?.into_iter().find(|value| value.name == output).map(|value| value.shape);
    match shape.as_deref() {
        Some([before @ .., rows, columns]) if before.iter().all(|&length| length == 1) && rows * columns > 0 => {
            Ok((*rows, *columns))
        }
        Some(shape) => {
            let problem = format!("{output:?} has shape {shape:?}, which is no table of candidates");
            Err(ExplainError::NotBoxes { field, problem })
        }
        None => {
            let problem = format!("there is no value {output:?} with floating-point numbers");
            Err(ExplainError::NotBoxes { field, problem })
        }
    }
}

/// Intersection over union.
fn overlap(a: &DetectedBox, b: &DetectedBox) -> f32 {
    let area = |width: f32, height: f32| width.max(0.0) * height.max(0.0);
    let of = |place: &DetectedBox| area(place.right - place.left, place.bottom - place.top);
    let both = area(a.right.min(b.right) - a.left.max(b.left), a.bottom.min(b.bottom) - a.top.max(b.top));
    both / (of(a) + of(b) - both).max(f32::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use vitrine_graph::{InputShapes, Probe, Run};
    use vitrine_onnx::{Graph as OnnxGraph, Model, Node, Tensor, ValueInfo};
    use vitrine_protocol::{Channels, Layout};

    use super::*;
    use crate::{
        Head, Scores, Target,
        testing::{device, read},
    };

    /// A model whose table of candidates, `y`, is its input.
    fn table(candidates: i64, numbers: i64, axis: CandidateAxis) -> Graph {
        let onnx = OnnxGraph {
            nodes: vec![
                Node::new("Reshape", &["x", "shape"], &["rows"]),
                match axis {
                    CandidateAxis::Rows => Node::new("Identity", &["rows"], &["y"]),
                    CandidateAxis::Columns => Node::new("Transpose", &["rows"], &["y"]).with("perm", vec![0, 2, 1]),
                },
            ],
            initializers: vec![Tensor::from_i64("shape", &[3], &[-1, candidates, numbers])],
            inputs: vec![ValueInfo::float("x", &[1, (candidates * numbers) as usize])],
            outputs: vec![ValueInfo { name: "y".into(), ..ValueInfo::default() }],
            ..OnnxGraph::default()
        };
        Graph::new(Model::new(13, onnx), &device(), &InputShapes::new()).unwrap()
    }

    fn read_as(candidates: CandidateAxis) -> Detections {
        Detections {
            boxes: "y".into(),
            scores: "y".into(),
            format: BoxFormat::Centre,
            unit: BoxUnit::Pixels,
            candidates,
            box_at: 0,
            objectness_at: Some(4),
            scores_at: 5,
            grid_strides: Vec::new(),
        }
    }

    fn input() -> ImageInput {
        ImageInput::plain(Layout::Nchw, Channels::Rgb, 8, 16)
    }

    /// Four numbers of a box, that there is something, two classes.
    #[rustfmt::skip]
    const CANDIDATES: [f32; 28] = [
        10.0, 10.0, 4.0, 4.0,  0.9,  0.5, 0.8,
        // Overlaps the first by 12 of 20 square pixels.
        10.0, 11.0, 4.0, 4.0,  0.8,  0.1, 0.8,
        // In the first one's place, and something else.
        10.0, 10.0, 4.0, 4.0,  1.0,  0.6, 0.1,
        // Too weak.
         3.0,  3.0, 4.0, 4.0,  0.1,  0.9, 0.9,
    ];

    fn scores(head: &Head, graph: &Graph) -> Scores {
        let input = Value::from_f32(&CANDIDATES, &[1, 28], &device());
        pollster::block_on(head.scores(graph, "x", &input)).unwrap()
    }

    #[test]
    fn the_better_of_two_boxes_of_a_class_in_one_place_is_found() {
        for axis in [CandidateAxis::Rows, CandidateAxis::Columns] {
            let graph = table(4, 7, axis);
            let head = Head::boxes(&graph, &read_as(axis), 0, &input()).unwrap();
            let found = scores(&head, &graph).boxes;
            let [first, second] = &found[..] else { panic!("{found:?}") };
            assert_eq!((first.class, first.place.candidate), (1, 0));
            assert_eq!((second.class, second.place.candidate), (0, 2));
            assert!((first.score - 0.72).abs() < 1e-6 && (second.score - 0.6).abs() < 1e-6, "{found:?}");
            assert_eq!(first.place, DetectedBox { candidate: 0, left: 8.0, top: 8.0, right: 12.0, bottom: 12.0 });
        }
    }

    #[test]
    fn a_box_is_a_target_with_its_score() {
        let labels = ["cat", "dog"].map(str::to_owned);
        for axis in [CandidateAxis::Rows, CandidateAxis::Columns] {
            let graph = table(4, 7, axis);
            let head = Head::boxes(&graph, &read_as(axis), 2, &input()).unwrap();
            let scores = scores(&head, &graph);
            for (text, words, value) in [
                ("auto", "score of box 0 as 1 (dog)", 0.72),
                ("box:2", "score of box 2 as 0 (cat)", 0.6),
                ("cat", "score of box 2 as 0 (cat)", 0.6),
                ("box:1/cat", "score of box 1 as 0 (cat)", 0.08),
                ("box:0-box:2/1", "score of box 0 as 1 (dog) minus box 2 as 1 (dog)", 0.62),
            ] {
                let target = Target::parse(text, &head, &labels, &scores).unwrap();
                assert_eq!(target.to_string(), words);
                let twice = Value::from_f32(&[CANDIDATES, CANDIDATES].concat(), &[2, 28], &device());
                let trace = graph.run(&Run::of(["y"]).feed("x", twice)).unwrap();
                let found = read(&target.objective(trace.value("y").unwrap()).unwrap());
                assert!(
                    found.len() == 2 && found.iter().all(|found| (found - value).abs() < 1e-6),
                    "{text}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn the_gradient_of_a_box_is_that_of_its_product() {
        let graph = table(4, 7, CandidateAxis::Columns);
        let head = Head::boxes(&graph, &read_as(CandidateAxis::Columns), 0, &input()).unwrap();
        let target = Target::parse("auto", &head, &[], &scores(&head, &graph)).unwrap();
        let input = Value::from_f32(&CANDIDATES, &[1, 28], &device());
        let trace = graph.run(&Run::of(["y"]).feed("x", input).probe("x", Probe::Gradient)).unwrap();
        let objective = target.objective(trace.value("y").unwrap()).unwrap();
        let found = read(&trace.gradients(&objective).unwrap()["x"]);
        let mut expected = [0.0; 28];
        (expected[4], expected[6]) = (0.8, 0.9);
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6), "{found:?}");
    }

    #[test]
    fn boxes_that_do_not_exist_are_refused_with_those_that_do() {
        let graph = table(4, 7, CandidateAxis::Rows);
        let head = Head::boxes(&graph, &read_as(CandidateAxis::Rows), 0, &input()).unwrap();
        let scores = scores(&head, &graph);
        let refusal = |text| Target::parse(text, &head, &[], &scores).unwrap_err().to_string();
        for text in ["box:1", "box:4/0", "box:one"] {
            assert!(refusal(text).contains("detected are box:0, box:2"), "{}", refusal(text));
        }
        assert!(refusal("prob:box:0").contains("leave out `prob:`"), "{}", refusal("prob:box:0"));
        assert!(refusal("box:1/7").contains("no class 7"), "{}", refusal("box:1/7"));
    }

    #[test]
    fn every_form_of_a_box_becomes_corners_in_pixels() {
        let graph = table(4, 7, CandidateAxis::Rows);
        let place = |numbers, format, unit| {
            let read = Detections { format, unit, ..read_as(CandidateAxis::Rows) };
            let table = Table::new(&graph, &read, 0, &input()).unwrap();
            let DetectedBox { left, top, right, bottom, .. } = table.place(0, numbers, None);
            [left, top, right, bottom]
        };
        // Of 16 x 8 pixels.
        for (format, numbers) in [
            (BoxFormat::Corners, [0.25, 0.5, 0.75, 1.0]),
            (BoxFormat::CornersYx, [0.5, 0.25, 1.0, 0.75]),
            (BoxFormat::Centre, [0.5, 0.75, 0.5, 0.5]),
            (BoxFormat::Size, [0.25, 0.5, 0.5, 0.5]),
        ] {
            assert_eq!(place(numbers, format, BoxUnit::Fractions), [4.0, 4.0, 12.0, 8.0], "{format:?}");
            assert_eq!(place(numbers, format, BoxUnit::Pixels), [0.25, 0.5, 0.75, 1.0], "{format:?}");
        }
    }

    #[test]
    fn boxes_of_a_grid_are_counted_from_its_cells() {
        // Two cells of 8 x 8 pixels, then two rows of four cells of 4 x 4.
        let graph = table(10, 7, CandidateAxis::Rows);
        let read = Detections { grid_strides: vec![8, 4], ..read_as(CandidateAxis::Rows) };
        let table = Table::new(&graph, &read, 0, &input()).unwrap();
        let candidate = 2 + 4 + 1;
        let place = table.place(candidate, [0.5, 0.25, 2.0_f32.ln(), 0.0], table.cells().get(candidate));
        // The centre is at (1.5, 1.25) cells, the size 2 x 1 cells.
        assert_eq!(place, DetectedBox { candidate, left: 2.0, top: 3.0, right: 10.0, bottom: 7.0 });
    }

    #[test]
    fn a_description_that_the_graph_contradicts_is_refused_by_field() {
        let graph = table(4, 7, CandidateAxis::Rows);
        let plain = || read_as(CandidateAxis::Rows);
        for (read, labels, wrong, words) in [
            (Detections { scores: "z".into(), ..plain() }, 0, "detections.scores", "no value \"z\""),
            (Detections { boxes: "x".into(), ..plain() }, 0, "detections.boxes", "\"x\""),
            (Detections { box_at: 4, ..plain() }, 0, "detections.box-at", "a candidate has 7"),
            (Detections { objectness_at: Some(7), ..plain() }, 0, "detections.objectness-at", "no number 7"),
            (Detections { scores_at: 7, ..plain() }, 0, "detections.scores-at", "1 scores from 7 on"),
            (plain(), 3, "detections.scores-at", "3 scores from 5 on"),
            (Detections { grid_strides: vec![8], ..plain() }, 0, "detections.grid-strides", "2 cells for 4 candidates"),
            (Detections { grid_strides: vec![0; 99], ..plain() }, 0, "detections.grid-strides", "for 4 candidates"),
        ] {
            match Head::boxes(&graph, &read, labels, &input()) {
                Err(ExplainError::NotBoxes { field, problem }) => {
                    assert_eq!(field, wrong, "{problem}");
                    assert!(problem.contains(words), "{problem}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
