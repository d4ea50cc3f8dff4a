//! A model card in the making: what the form shows of it, as texts that may still be wrong.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use vitrine_protocol::{BoxFormat, BoxUnit, CandidateAxis, Channels, Detections, ImageInput, ModelCard, Tokens};

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CardField {
    Task,
    Layout,
    Width,
    Height,
    Channels,
    Range,
    Mean,
    Std,
    Labels,
    TargetLayer,
    FoldBatchNorm,
    Rows,
    Columns,
    Prefix,
    Boxes,
    Scores,
    Format,
    Unit,
    Candidates,
    BoxAt,
    ObjectnessAt,
    ScoresAt,
    GridStrides,
}

impl CardField {
    /// All of them.
    pub(crate) const ALL: [CardField; 23] = [
        CardField::Task,
        CardField::Layout,
        CardField::Width,
        CardField::Height,
        CardField::Channels,
        CardField::Range,
        CardField::Mean,
        CardField::Std,
        CardField::Labels,
        CardField::TargetLayer,
        CardField::FoldBatchNorm,
        CardField::Rows,
        CardField::Columns,
        CardField::Prefix,
        CardField::Boxes,
        CardField::Scores,
        CardField::Format,
        CardField::Unit,
        CardField::Candidates,
        CardField::BoxAt,
        CardField::ObjectnessAt,
        CardField::ScoresAt,
        CardField::GridStrides,
    ];

    /// Its name in a card, with dots for fields within fields.
    pub(crate) fn name(self) -> &'static str {
        match self {
            CardField::Task => "task",
            CardField::Layout => "input.layout",
            CardField::Width => "input.width",
            CardField::Height => "input.height",
            CardField::Channels => "input.channels",
            CardField::Range => "input.range",
            CardField::Mean => "input.mean",
            CardField::Std => "input.std",
            CardField::Labels => "labels",
            CardField::TargetLayer => "target-layer",
            CardField::FoldBatchNorm => "fold-batch-norm",
            CardField::Rows => "tokens.rows",
            CardField::Columns => "tokens.columns",
            CardField::Prefix => "tokens.prefix",
            CardField::Boxes => "detections.boxes",
            CardField::Scores => "detections.scores",
            CardField::Format => "detections.format",
            CardField::Unit => "detections.unit",
            CardField::Candidates => "detections.candidates",
            CardField::BoxAt => "detections.box-at",
            CardField::ObjectnessAt => "detections.objectness-at",
            CardField::ScoresAt => "detections.scores-at",
            CardField::GridStrides => "detections.grid-strides",
        }
    }

    /// Its id in the page.
    pub(crate) fn id(self) -> String {
        let name = self.name();
        format!("card-{}", name.rsplit('.').next().unwrap_or(name))
    }
}

/// What is wrong with a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CardProblem {
    /// Name of the field, or of the group of fields, that is at fault; nothing where none is known.
    pub(crate) field: Option<String>,
    pub(crate) message: String,
}

/// The texts of the form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Draft {
    /// The card in use, which also has what the form does not show.
    card: ModelCard,
    /// Texts of fields that were changed.
    changed: Vec<(CardField, String)>,
}

impl Draft {
    pub(crate) fn of(card: ModelCard) -> Self {
        Draft { card, changed: Vec::new() }
    }

    /// Whether anything differs from the card in use.
    pub(crate) fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The card in use.
    pub(crate) fn in_use(&self) -> &ModelCard {
        &self.card
    }

    /// The text of a field.
    pub(crate) fn text(&self, field: CardField) -> String {
        let changed = self.changed.iter().find(|(other, _)| *other == field);
        changed.map_or_else(|| written(&self.card, field), |(_, text)| text.clone())
    }

    /// Changes the text of a field.
    pub(crate) fn set(&mut self, field: CardField, text: String) {
        self.changed.retain(|(other, _)| *other != field);
        if text != written(&self.card, field) {
            self.changed.push((field, text));
        }
    }

    /// Everything back to the card in use.
    pub(crate) fn undo(&mut self) {
        self.changed.clear();
    }

    /// How many class names there are.
    pub(crate) fn label_count(&self) -> usize {
        labels(&self.text(CardField::Labels)).len()
    }

    /// The preset that the numbers are those of.
    pub(crate) fn preset(&self) -> Option<&'static Preset> {
        let card = self.card().ok()?;
        PRESETS.iter().find(|preset| preset.matches(&card.input))
    }

    /// The presets that fit the number of channels.
    pub(crate) fn presets(&self) -> impl Iterator<Item = &'static Preset> + use<> {
        let colours = self.text(CardField::Channels) != word(&Channels::Grey);
        PRESETS.iter().filter(move |preset| colours || preset.channels.is_none())
    }

    /// Takes the numbers of a preset.
    pub(crate) fn choose(&mut self, preset: &Preset) {
        self.set(CardField::Range, list(&preset.range));
        self.set(CardField::Mean, list(preset.mean));
        self.set(CardField::Std, list(preset.std));
        if let Some(channels) = preset.channels {
            self.set(CardField::Channels, word(&channels));
        }
    }

    /// The card that the texts say.
    pub(crate) fn card(&self) -> Result<ModelCard, CardProblem> {
        use CardField::*;
        let [rows, columns, prefix] = [Rows, Columns, Prefix].map(|field| self.text(field));
        let tokens = match [&rows, &columns].iter().all(|text| text.trim().is_empty()) {
            true => None,
            false => Some(Tokens {
                rows: self.whole(Rows)?,
                columns: self.whole(Columns)?,
                prefix: if prefix.trim().is_empty() { 0 } else { self.whole(Prefix)? },
            }),
        };
        let range = self.numbers(Range)?;
        let [low, high] = range[..] else {
            return Err(problem(Range, format!("{:?} is not two numbers, such as 0, 1.", self.text(Range))));
        };
        let input = ImageInput {
            layout: self.choice(Layout)?,
            width: self.whole(Width)?,
            height: self.whole(Height)?,
            channels: self.choice(Channels)?,
            range: [low, high],
            mean: self.numbers(Mean)?,
            std: self.numbers(Std)?,
        };
        Ok(ModelCard {
            task: self.choice(Task)?,
            input,
            labels: labels(&self.text(Labels)),
            target_layer: Some(self.text(TargetLayer)).filter(|name| !name.is_empty()),
            fold_batch_norm: self.text(FoldBatchNorm) == "true",
            tokens,
            detections: self.detections()?,
            ..self.card.clone()
        })
    }

    /// How boxes are read; nothing while no output is named.
    fn detections(&self) -> Result<Option<Detections>, CardProblem> {
        use CardField::*;
        let [boxes, scores, objectness] = [Boxes, Scores, ObjectnessAt].map(|field| self.text(field).trim().to_owned());
        if boxes.is_empty() && scores.is_empty() {
            return Ok(None);
        }
        Ok(Some(Detections {
            // One name stands for both.
            boxes: if boxes.is_empty() { scores.clone() } else { boxes.clone() },
            scores: if scores.is_empty() { boxes } else { scores },
            format: self.choice(Format)?,
            unit: self.choice(Unit)?,
            candidates: self.choice(Candidates)?,
            box_at: self.whole(BoxAt)?,
            objectness_at: if objectness.is_empty() { None } else { Some(self.whole(ObjectnessAt)?) },
            scores_at: self.whole(ScoresAt)?,
            grid_strides: self.list(GridStrides, "8, 16, 32")?,
        }))
    }

    fn choice<T: DeserializeOwned>(&self, field: CardField) -> Result<T, CardProblem> {
        let text = self.text(field);
        serde_json::from_value(text.clone().into()).map_err(|_| problem(field, format!("{text:?} is no choice.")))
    }

    fn whole(&self, field: CardField) -> Result<usize, CardProblem> {
        let text = self.text(field);
        text.trim().parse().map_err(|_| problem(field, format!("{text:?} is not a whole number.")))
    }

    fn numbers(&self, field: CardField) -> Result<Vec<f32>, CardProblem> {
        self.list(field, "0.5, 0.5, 0.5")
    }

    fn list<T: FromStr>(&self, field: CardField, example: &str) -> Result<Vec<T>, CardProblem> {
        let text = self.text(field);
        let parts = text.split([',', ' ', ';']).filter(|part| !part.is_empty());
        let numbers: Result<Vec<T>, _> = parts.map(str::parse).collect();
        numbers.map_err(|_| problem(field, format!("{text:?} is not a list of numbers, such as {example}.")))
    }
}

fn problem(field: CardField, message: String) -> CardProblem {
    CardProblem { field: Some(field.name().to_owned()), message }
}

/// What a card says in a field.
fn written(card: &ModelCard, field: CardField) -> String {
    let input = &card.input;
    let count = |number: fn(&Tokens) -> usize| card.tokens.as_ref().map(number).unwrap_or_default();
    let tokens = |number| if card.tokens.is_some() { count(number).to_string() } else { String::new() };
    let read = card.detections.clone().unwrap_or_else(|| Detections {
        boxes: String::new(),
        scores: String::new(),
        format: BoxFormat::default(),
        unit: BoxUnit::default(),
        candidates: CandidateAxis::default(),
        box_at: 0,
        objectness_at: None,
        scores_at: 0,
        grid_strides: Vec::new(),
    });
    match field {
        CardField::Boxes => read.boxes,
        CardField::Scores => read.scores,
        CardField::Format => word(&read.format),
        CardField::Unit => word(&read.unit),
        CardField::Candidates => word(&read.candidates),
        CardField::BoxAt => read.box_at.to_string(),
        CardField::ObjectnessAt => read.objectness_at.map(|at| at.to_string()).unwrap_or_default(),
        CardField::ScoresAt => read.scores_at.to_string(),
        CardField::GridStrides => list(&read.grid_strides),
        CardField::Task => word(&card.task),
        CardField::Layout => word(&input.layout),
        CardField::Width => input.width.to_string(),
        CardField::Height => input.height.to_string(),
        CardField::Channels => word(&input.channels),
        CardField::Range => list(&input.range),
        CardField::Mean => list(&input.mean),
        CardField::Std => list(&input.std),
        CardField::Labels => card.labels.join("\n"),
        CardField::TargetLayer => card.target_layer.clone().unwrap_or_default(),
        CardField::FoldBatchNorm => card.fold_batch_norm.to_string(),
        CardField::Rows => tokens(|tokens| tokens.rows),
        CardField::Columns => tokens(|tokens| tokens.columns),
        CardField::Prefix => tokens(|tokens| tokens.prefix),
    }
}

/// A choice as a card writes it.
pub(crate) fn word(choice: &impl Serialize) -> String {
    serde_json::to_value(choice).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn list(numbers: &[impl ToString]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Class names, one per line; empty lines at the end are none.
fn labels(text: &str) -> Vec<String> {
    text.trim_end().lines().map(|line| line.trim().to_owned()).collect()
}

/// A widespread way to turn brightness into numbers.
#[derive(Debug, PartialEq)]
pub(crate) struct Preset {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    /// The order of the colours that belongs to it; any where absent.
    channels: Option<Channels>,
    range: [f32; 2],
    mean: &'static [f32],
    std: &'static [f32],
}

impl Preset {
    /// The preset of this id.
    pub(crate) fn find(id: &str) -> Option<&'static Preset> {
        PRESETS.iter().find(|preset| preset.id == id)
    }

    fn matches(&self, input: &ImageInput) -> bool {
        let own = ImageInput { mean: self.mean.to_vec(), std: self.std.to_vec(), ..input.clone() };
        let same =
            |channel| own.mean_of(channel) == input.mean_of(channel) && own.std_of(channel) == input.std_of(channel);
        self.range == input.range
            && self.channels.is_none_or(|channels| channels == input.channels)
            && (0..input.channels.count()).all(same)
    }
}

const PRESETS: [Preset; 5] = [
    Preset { id: "unit", name: "0 to 1", channels: None, range: [0.0, 1.0], mean: &[], std: &[] },
    Preset {
        id: "imagenet",
        name: "ImageNet's mean and standard deviation (PyTorch, timm)",
        channels: Some(Channels::Rgb),
        range: [0.0, 1.0],
        mean: &[0.485, 0.456, 0.406],
        std: &[0.229, 0.224, 0.225],
    },
    Preset { id: "signed", name: "−1 to 1 (TensorFlow)", channels: None, range: [-1.0, 1.0], mean: &[], std: &[] },
    Preset { id: "bytes", name: "0 to 255", channels: None, range: [0.0, 255.0], mean: &[], std: &[] },
    Preset {
        id: "caffe",
        name: "0 to 255 less the mean, blue first (Caffe)",
        channels: Some(Channels::Bgr),
        range: [0.0, 255.0],
        mean: &[103.939, 116.779, 123.68],
        std: &[],
    },
];

#[cfg(test)]
mod tests {
    use vitrine_protocol::{Layout, Task};

    use super::*;

    fn draft() -> Draft {
        Draft::of(ModelCard::plain("net", ImageInput::plain(Layout::Nchw, Channels::Rgb, 8, 6)))
    }

    #[test]
    fn a_draft_that_nobody_changed_is_the_card_in_use() {
        let card = ModelCard {
            task: Task::MultiLabel,
            labels: vec!["owl".into(), "duck".into()],
            target_layer: Some("conv".into()),
            fold_batch_norm: true,
            tokens: Some(Tokens { rows: 2, columns: 3, prefix: 1 }),
            licence: "MIT".into(),
            ..ModelCard::plain("net", ImageInput::plain(Layout::Nhwc, Channels::Grey, 8, 6))
        };
        let draft = Draft::of(card.clone());
        assert_eq!(draft.card().unwrap(), card);
        assert!(!draft.is_changed());
    }

    #[test]
    fn a_text_that_is_typed_back_is_no_change() {
        let mut draft = draft();
        draft.set(CardField::Width, "7".into());
        assert!(draft.is_changed());
        draft.set(CardField::Width, "6".into());
        assert!(!draft.is_changed());
    }

    #[test]
    fn texts_become_the_card() {
        let mut draft = draft();
        for (field, text) in [
            (CardField::Mean, "0.5 0.25,  1"),
            (CardField::Labels, "owl\n barn owl \r\nduck\n\n"),
            (CardField::Channels, "bgr"),
            (CardField::Rows, "2"),
            (CardField::Columns, " 3 "),
        ] {
            draft.set(field, text.into());
        }
        let card = draft.card().unwrap();
        assert_eq!(card.input.mean, [0.5, 0.25, 1.0]);
        assert_eq!(card.labels, ["owl", "barn owl", "duck"]);
        assert_eq!(card.input.channels, Channels::Bgr);
        assert_eq!(card.tokens, Some(Tokens { rows: 2, columns: 3, prefix: 0 }));
    }

    #[test]
    fn one_named_output_is_enough_to_read_boxes() {
        let mut draft = draft();
        for (field, text) in [
            (CardField::Boxes, "output"),
            (CardField::Format, "centre"),
            (CardField::ObjectnessAt, "4"),
            (CardField::ScoresAt, "5"),
            (CardField::GridStrides, "8, 16"),
        ] {
            draft.set(field, text.into());
        }
        let card = draft.card().unwrap();
        let read = card.detections.clone().unwrap();
        assert_eq!((read.boxes.as_str(), read.scores.as_str()), ("output", "output"));
        assert_eq!((read.objectness_at, read.scores_at, &read.grid_strides[..]), (Some(4), 5, &[8, 16][..]));
        assert_eq!(Draft::of(card.clone()).card().unwrap(), card, "and back");
        draft.set(CardField::Boxes, " ".into());
        assert_eq!(draft.card().unwrap().detections, None);
    }

    #[test]
    fn a_text_that_makes_no_sense_is_named_by_its_field() {
        for (field, text, words) in [
            (CardField::Range, "0", "is not two numbers"),
            (CardField::Std, "1, one", "is not a list of numbers"),
            (CardField::Height, "-3", "is not a whole number"),
            (CardField::Rows, "2.5", "is not a whole number"),
        ] {
            let mut draft = draft();
            draft.set(field, text.into());
            let problem = draft.card().unwrap_err();
            assert_eq!(problem.field.as_deref(), Some(field.name()));
            assert!(problem.message.contains(words) && problem.message.contains(text), "{problem:?}");
        }
    }

    #[test]
    fn each_preset_is_recognised_after_it_is_chosen() {
        for preset in &PRESETS {
            let mut draft = draft();
            draft.choose(preset);
            assert_eq!(draft.preset(), Some(preset));
        }
        let mut own = draft();
        own.set(CardField::Std, "2, 2, 2".into());
        assert_eq!(own.preset(), None);
        own.set(CardField::Channels, "grey".into());
        let ids: Vec<&str> = own.presets().map(|preset| preset.id).collect();
        assert_eq!(ids, ["unit", "signed", "bytes"], "of one channel");
    }
}
