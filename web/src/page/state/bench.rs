//! What the visitor does to the picture by hand: hides parts to see the score move, or draws regions for methods to play with.

use std::rc::Rc;

use vitrine_protocol::{ExplainRequest, File, Map, Picture, Prediction, Request};

use super::{Command, State};
use crate::label_map::{self, LabelMap};

/// Requests of the bench are numbered from here, so that their answers are told from those of runs.
const FIRST: u32 = 1 << 30;
/// The method whose parameters say what hiding means and how the picture is cut.
const METHOD: &str = "feature-ablation";
/// The name under which drawn regions are handed to methods.
pub(crate) const DRAWN: &str = "drawn by hand.npy";
/// Steps that can be taken back.
const STEPS: usize = 50;

/// What is drawn for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// What is drawn is hidden, and the score told.
    #[default]
    Hide,
    /// What is drawn are regions.
    Regions,
}

/// What the pointer, or Space at the cursor, does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tool {
    #[default]
    Brush,
    Erase,
    /// Takes a whole region, or gives it back.
    Region,
    /// Sets the corners of an outline.
    Outline,
}

/// A picture that is drawn on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Bench {
    pub(crate) open: bool,
    pub(crate) purpose: Purpose,
    pub(crate) tool: Tool,
    /// The brush's diameter in pixels.
    pub(crate) size: usize,
    /// Regions to click, as on the command line.
    pub(crate) cells: String,
    /// What is put in the place of what is hidden.
    pub(crate) infill: String,
    /// The region being drawn.
    pub(crate) label: i32,
    /// Where the keyboard's cursor is, from the left and from the top.
    pub(crate) cursor: (usize, usize),
    /// Corners of an outline that is not closed yet.
    pub(crate) corners: Vec<(usize, usize)>,
    hidden: Layer,
    drawn: Layer,
    /// Regions that the worker has found.
    cut: Option<(String, Rc<LabelMap>)>,
    scored: Option<(Key, Scored)>,
    /// What the worker was asked.
    asked: Option<(u32, Asked)>,
    /// What it has against the last question.
    refused: Option<(Asked, String)>,
    count: u32,
}

/// What is drawn, and what was before.
#[derive(Clone, Debug, Default, PartialEq)]
struct Layer {
    labels: Rc<LabelMap>,
    before: Vec<Rc<LabelMap>>,
    /// Counts changes.
    version: u32,
}

/// What the model makes of the altered picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scored {
    pub(crate) before: f32,
    pub(crate) after: f32,
    pub(crate) picture: Rc<Picture>,
    pub(crate) predictions: Vec<Prediction>,
}

/// What a score depends on beside model and picture.
#[derive(Clone, Debug, PartialEq)]
struct Key {
    version: u32,
    target: String,
    infill: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Asked {
    Score(Key),
    Cut(String),
}

/// What the visitor does at the bench.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum BenchChange {
    Open(bool),
    Purpose(Purpose),
    Tool(Tool),
    Size(usize),
    Cells(String),
    Infill(String),
    Label(i32),
    /// The tool begins here; what follows can be taken back together.
    Begin(usize, usize),
    /// The tool is drawn on to here.
    Draw(usize, usize),
    /// The cursor moves by so many pixels.
    Move(i32, i32),
    /// The tool is used where the cursor is.
    Use,
    /// The outline is closed.
    Close,
    Undo,
    Clear,
    /// The drawn regions become the question's.
    Play,
}

impl Bench {
    /// A picture of this size, with nothing drawn.
    pub(super) fn renew(&mut self, picture: &Picture) {
        let empty = Layer { labels: Rc::new(LabelMap::empty(picture.width, picture.height)), ..Layer::default() };
        let shorter = picture.width.min(picture.height);
        let plain = self.cells.is_empty();
        *self = Bench {
            open: self.open,
            purpose: self.purpose,
            tool: self.tool,
            size: (shorter / 8).max(1),
            cells: if plain { "grid:8x8".to_owned() } else { self.cells.clone() },
            infill: if plain { "black".to_owned() } else { self.infill.clone() },
            cursor: (picture.width / 2, picture.height / 2),
            // So that what was asked of another picture is told from what is asked of this one.
            count: self.count,
            hidden: empty.clone(),
            drawn: empty,
            ..Bench::default()
        };
    }

    /// What is drawn for the purpose at hand.
    pub(crate) fn labels(&self) -> &Rc<LabelMap> {
        &self.layer().labels
    }

    /// The drawn regions.
    pub(crate) fn regions(&self) -> Vec<i32> {
        self.drawn.labels.used()
    }

    /// Whether there is something to take back.
    pub(crate) fn can_undo(&self) -> bool {
        !self.corners.is_empty() || !self.layer().before.is_empty()
    }

    /// The regions that can be clicked, once they are known.
    pub(crate) fn cut(&self) -> Option<&Rc<LabelMap>> {
        self.cut.as_ref().filter(|(cells, _)| *cells == self.cells && self.tool == Tool::Region).map(|(_, cut)| cut)
    }

    /// What the model makes of what is hidden; it may be of a moment ago.
    pub(crate) fn scored(&self) -> Option<&Scored> {
        let (_, scored) = self.scored.as_ref()?;
        (!self.hidden.labels.is_empty()).then_some(scored)
    }

    /// Whether the score, or the cut, is on its way.
    pub(crate) fn is_waiting(&self) -> bool {
        self.asked.is_some()
    }

    /// What the worker has against what is asked.
    pub(crate) fn refusal(&self) -> Option<&str> {
        self.refused.as_ref().map(|(_, message)| message.as_str())
    }

    /// What is under the cursor, in words.
    pub(crate) fn under_cursor(&self) -> String {
        let (x, y) = self.cursor;
        let what = match (self.purpose, self.labels().at(x, y)) {
            (Purpose::Hide, Some(_)) => "hidden".to_owned(),
            (Purpose::Hide, None) => "visible".to_owned(),
            (Purpose::Regions, Some(label)) => format!("region {}", label + 1),
            (Purpose::Regions, None) => "no region".to_owned(),
        };
        format!("Column {}, row {}: {what}.", x + 1, y + 1)
    }

    fn layer(&self) -> &Layer {
        match self.purpose {
            Purpose::Hide => &self.hidden,
            Purpose::Regions => &self.drawn,
        }
    }

    fn layer_mut(&mut self) -> &mut Layer {
        match self.purpose {
            Purpose::Hide => &mut self.hidden,
            Purpose::Regions => &mut self.drawn,
        }
    }

    /// What is drawn now: hidden parts have one label.
    fn pen(&self) -> i32 {
        if self.purpose == Purpose::Hide { 0 } else { self.label }
    }

    fn change(&mut self, change: BenchChange) {
        match change {
            BenchChange::Open(open) => self.open = open,
            BenchChange::Purpose(purpose) => {
                self.corners.clear();
                self.purpose = purpose;
            }
            BenchChange::Tool(tool) => {
                self.corners.clear();
                self.tool = tool;
            }
            BenchChange::Size(size) => self.size = size.max(1),
            BenchChange::Cells(cells) => self.cells = cells,
            BenchChange::Infill(infill) => self.infill = infill,
            BenchChange::Label(label) => self.label = label,
            BenchChange::Begin(x, y) => self.begin((x, y)),
            BenchChange::Draw(x, y) => self.draw((x, y)),
            BenchChange::Move(across, down) => self.move_cursor(across, down),
            BenchChange::Use => self.begin(self.cursor),
            BenchChange::Close => self.close(),
            BenchChange::Undo if !self.corners.is_empty() => {
                self.corners.pop();
            }
            BenchChange::Undo => {
                let layer = self.layer_mut();
                if let Some(before) = layer.before.pop() {
                    layer.labels = before;
                    layer.version += 1;
                }
            }
            BenchChange::Clear => {
                self.corners.clear();
                let layer = self.layer_mut();
                if !layer.labels.is_empty() {
                    layer.edit(LabelMap::clear);
                }
            }
            BenchChange::Play => {}
        }
    }

    fn begin(&mut self, place: (usize, usize)) {
        self.cursor = place;
        let (pen, size) = (self.pen(), self.size);
        match self.tool {
            Tool::Brush => self.layer_mut().edit(|labels| labels.stroke(place, place, size, Some(pen))),
            Tool::Erase => self.layer_mut().edit(|labels| labels.stroke(place, place, size, None)),
            Tool::Outline => self.corners.push(place),
            Tool::Region => {
                let Some(cut) = self.cut().cloned() else { return };
                let (x, y) = place;
                let taken = self.labels().at(x, y) == Some(pen);
                let label = (!taken).then_some(pen);
                self.layer_mut().edit(|labels| labels.fill_like(&cut, place, label));
            }
        }
    }

    /// A stroke goes on; it is taken back as one with its beginning.
    fn draw(&mut self, place: (usize, usize)) {
        let (from, size) = (self.cursor, self.size);
        let pen = match self.tool {
            Tool::Brush => Some(self.pen()),
            Tool::Erase => None,
            Tool::Region | Tool::Outline => return,
        };
        self.cursor = place;
        let layer = self.layer_mut();
        layer.version += 1;
        Rc::make_mut(&mut layer.labels).stroke(from, place, size, pen);
    }

    fn close(&mut self) {
        let corners = std::mem::take(&mut self.corners);
        let pen = self.pen();
        if corners.len() > 2 {
            self.layer_mut().edit(|labels| labels.fill_outline(&corners, pen));
        }
    }

    fn move_cursor(&mut self, across: i32, down: i32) {
        let labels = self.labels();
        let moved =
            |from: usize, by: i32, length: usize| from.saturating_add_signed(by as isize).min(length.saturating_sub(1));
        self.cursor = (moved(self.cursor.0, across, labels.width), moved(self.cursor.1, down, labels.height));
    }

    fn key(&self, target: &str) -> Key {
        Key { version: self.hidden.version, target: target.to_owned(), infill: self.infill.clone() }
    }

    /// What the worker should be asked.
    fn wanted(&self, target: &str) -> Vec<Asked> {
        let uncut = self.tool == Tool::Region && self.cut.as_ref().is_none_or(|(cells, _)| *cells != self.cells);
        let cut = uncut.then(|| Asked::Cut(self.cells.clone()));
        let key = self.key(target);
        let known = self.scored.as_ref().is_some_and(|(known, _)| *known == key);
        let unknown = self.purpose == Purpose::Hide && !known && !self.hidden.labels.is_empty();
        let score = unknown.then_some(Asked::Score(key));
        cut.into_iter().chain(score).filter(|_| self.open).collect()
    }
}

impl Layer {
    /// One step, which can be taken back.
    fn edit(&mut self, edit: impl FnOnce(&mut LabelMap)) {
        if self.before.len() == STEPS {
            self.before.remove(0);
        }
        self.before.push(self.labels.clone());
        self.version += 1;
        edit(Rc::make_mut(&mut self.labels));
    }
}

/// Drawn regions as the file that methods and metrics take.
pub(crate) fn drawn_file(labels: &LabelMap) -> File {
    File { name: DRAWN.to_owned(), bytes: label_map::npy(labels) }
}

impl State {
    pub(super) fn change_bench(&mut self, change: BenchChange) {
        match change {
            BenchChange::Play => self.play_drawn(),
            change => self.bench.change(change),
        }
    }

    /// Whether the question's method plays with regions, so that drawn ones are of use.
    pub(crate) fn takes_regions(&self) -> bool {
        self.method().is_some_and(|method| method.parameters.iter().any(|parameter| parameter.id == "regions"))
    }

    /// Whether the question plays with the drawn regions.
    pub(crate) fn plays_drawn(&self) -> bool {
        self.question.parameters.get("regions").is_some_and(|regions| regions == DRAWN)
    }

    fn play_drawn(&mut self) {
        self.question.infill("regions".to_owned(), drawn_file(&self.bench.drawn.labels));
    }

    /// The drawn regions; nothing while there are none.
    pub(crate) fn drawn(&self) -> Option<Rc<LabelMap>> {
        let labels = &self.bench.drawn.labels;
        (!labels.is_empty()).then(|| labels.clone())
    }

    /// Asks the worker for what the bench misses, one thing at a time and only while nothing runs.
    pub(super) fn ask_for_bench(&mut self) -> Option<Command> {
        if self.run.is_some() || !self.is_settled() || self.bench.asked.is_some() {
            return None;
        }
        let target = &self.question.target;
        let mut wanted = self.bench.wanted(target);
        self.bench.refused = self.bench.refused.take().filter(|(refused, _)| wanted.contains(refused));
        wanted.retain(|wanted| self.bench.refused.as_ref().is_none_or(|(refused, _)| refused != wanted));
        let wanted = wanted.into_iter().next()?;
        let run = FIRST + self.bench.count;
        self.bench.count = (self.bench.count + 1) % FIRST;
        let parameter = match &wanted {
            Asked::Score(key) => ("infill".to_owned(), key.infill.clone()),
            Asked::Cut(cells) => ("regions".to_owned(), cells.clone()),
        };
        let question = ExplainRequest {
            run,
            method: METHOD.to_owned(),
            target: target.clone(),
            parameters: [parameter].into(),
            ..ExplainRequest::default()
        };
        let request = match &wanted {
            Asked::Cut(_) => Request::Regions(question),
            Asked::Score(_) => {
                let labels = &self.bench.hidden.labels;
                Request::Hide { question, kept: Map::new(labels.height, labels.width, &labels.kept()) }
            }
        };
        self.bench.asked = Some((run, wanted));
        Some(Command::Send(request))
    }

    pub(super) fn is_of_bench(&self, run: u32) -> bool {
        self.bench.asked.as_ref().is_some_and(|(asked, _)| *asked == run)
    }

    pub(super) fn take_score(&mut self, scored: Scored) {
        if let Some((_, Asked::Score(key))) = self.bench.asked.take() {
            self.bench.scored = Some((key, scored));
        }
    }

    pub(super) fn take_cut(&mut self, labels: &Map) {
        if let Some((_, Asked::Cut(cells))) = self.bench.asked.take() {
            let found = LabelMap::of(labels.width, labels.values().into_iter().map(|label| label as i32).collect());
            self.bench.cut = Some((cells, Rc::new(found)));
        }
    }

    pub(super) fn take_bench_refusal(&mut self, message: String) {
        self.bench.refused = self.bench.asked.take().map(|(_, asked)| (asked, message));
    }

    /// The worker is gone, and with it what it was asked.
    pub(super) fn forget_bench_question(&mut self) {
        self.bench.asked = None;
    }
}
