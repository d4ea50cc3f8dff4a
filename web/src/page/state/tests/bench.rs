//! What the visitor does to the picture by hand.

use super::*;
use crate::state::{BenchChange, Purpose, Tool};

/// A page with a picture of 4 x 3 pixels, whose bench is open.
fn at_bench() -> State {
    let (mut state, _) = opened("");
    let Event::ImageLoaded { name, predictions, probabilities, .. } = image("sample 1") else { unreachable!() };
    let picture = Picture { width: 4, height: 3, rgba: vec![0; 48] };
    hear(&mut state, Event::ImageLoaded { name, picture, predictions, probabilities });
    bench(&mut state, BenchChange::Size(1));
    bench(&mut state, BenchChange::Open(true));
    state
}

fn bench(state: &mut State, change: BenchChange) -> Vec<Command> {
    act(state, Action::Bench(change))
}

/// The question and what is kept, of a request for a score.
fn score(commands: &[Command]) -> (ExplainRequest, Vec<f32>) {
    match commands {
        [Command::Send(Request::Hide { question, kept })] => (question.clone(), kept.values()),
        other => panic!("{other:?}"),
    }
}

fn scored(run: u32, after: f32) -> Event {
    let picture = Picture { width: 4, height: 3, rgba: vec![0; 48] };
    Event::Hidden { run, before: 8.0, after, picture, predictions: Vec::new() }
}

const WHOLE: [f32; 12] = [1.0; 12];

/// Everything but these pixels.
fn without(pixels: &[usize]) -> Vec<f32> {
    let mut kept = WHOLE.to_vec();
    pixels.iter().for_each(|pixel| kept[*pixel] = 0.0);
    kept
}

#[test]
fn a_stroke_is_scored_one_question_at_a_time_and_taken_back_as_one() {
    let mut state = at_bench();
    let (question, kept) = score(&bench(&mut state, BenchChange::Begin(1, 1)));
    assert_eq!(kept, without(&[5]));
    assert_eq!((question.method.as_str(), question.parameters["infill"].as_str()), ("feature-ablation", "black"));
    assert!(bench(&mut state, BenchChange::Draw(2, 1)).is_empty(), "the first answer is still to come");
    assert!(bench(&mut state, BenchChange::Draw(3, 1)).is_empty());
    let (second, kept) = score(&hear(&mut state, scored(question.run, 7.0)));
    assert_eq!(kept, without(&[5, 6, 7]), "what was drawn meanwhile");
    assert!(hear(&mut state, scored(question.run, 1.0)).is_empty(), "an old answer");
    assert!(hear(&mut state, scored(second.run, 5.0)).is_empty());
    assert_eq!(state.bench.scored().unwrap().after, 5.0);
    bench(&mut state, BenchChange::Undo);
    assert!(state.bench.labels().is_empty() && state.bench.scored().is_none() && !state.bench.can_undo());
}

#[test]
fn another_target_and_another_infill_are_other_scores() {
    let mut state = at_bench();
    let (question, _) = score(&bench(&mut state, BenchChange::Begin(0, 0)));
    hear(&mut state, scored(question.run, 7.0));
    let (question, _) = score(&act(&mut state, Action::Ask(Change::Target("prob:owl".into()))));
    assert_eq!(question.target, "prob:owl");
    hear(&mut state, scored(question.run, 7.0));
    let (question, _) = score(&bench(&mut state, BenchChange::Infill("white".into())));
    assert_eq!(question.parameters["infill"], "white");
    hear(&mut state, failed(Some(question.run), ProblemKind::Input));
    assert_eq!(state.bench.refusal(), Some("Something is wrong."));
    assert!(bench(&mut state, BenchChange::Move(1, 0)).is_empty(), "what was refused is not asked again");
    let (question, _) = score(&bench(&mut state, BenchChange::Infill("grey".into())));
    assert_eq!((question.parameters["infill"].as_str(), state.bench.refusal()), ("grey", None));
}

#[test]
fn the_score_waits_for_a_run_and_for_an_open_bench() {
    let mut state = at_bench();
    act(&mut state, Action::Run);
    assert!(bench(&mut state, BenchChange::Begin(0, 0)).is_empty());
    score(&hear(&mut state, done(1)));

    let mut state = at_bench();
    bench(&mut state, BenchChange::Open(false));
    assert!(bench(&mut state, BenchChange::Begin(0, 0)).is_empty());
    score(&bench(&mut state, BenchChange::Open(true)));
}

#[test]
fn whole_regions_are_those_that_the_worker_finds() {
    let mut state = at_bench();
    let asked = bench(&mut state, BenchChange::Tool(Tool::Region));
    let [Command::Send(Request::Regions(question))] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(question.parameters["regions"], "grid:8x8");
    assert!(bench(&mut state, BenchChange::Begin(0, 0)).is_empty(), "nothing to click yet");
    let halves: Vec<f32> = (0..12).map(|pixel| if pixel % 4 < 2 { 0.0 } else { 1.0 }).collect();
    hear(&mut state, Event::Regions { run: question.run, labels: Map::new(3, 4, &halves) });
    let (_, kept) = score(&bench(&mut state, BenchChange::Begin(3, 2)));
    assert_eq!(kept, halves.iter().map(|half| 1.0 - half).collect::<Vec<_>>());
    bench(&mut state, BenchChange::Begin(2, 0));
    assert!(state.bench.labels().is_empty(), "the second click gives it back");
}

#[test]
fn the_keyboard_draws_where_its_cursor_is_and_stays_within_the_picture() {
    let mut state = at_bench();
    assert_eq!(state.bench.cursor, (2, 1));
    bench(&mut state, BenchChange::Move(-1, 0));
    bench(&mut state, BenchChange::Move(0, 9));
    assert_eq!(state.bench.under_cursor(), "Column 2, row 3: visible.");
    let (_, kept) = score(&bench(&mut state, BenchChange::Use));
    assert_eq!(kept, without(&[9]));
    assert_eq!(state.bench.under_cursor(), "Column 2, row 3: hidden.");
    bench(&mut state, BenchChange::Tool(Tool::Erase));
    bench(&mut state, BenchChange::Use);
    assert!(state.bench.labels().is_empty());
}

#[test]
fn an_outline_is_closed_from_three_corners_on() {
    let mut state = at_bench();
    bench(&mut state, BenchChange::Purpose(Purpose::Regions));
    bench(&mut state, BenchChange::Tool(Tool::Outline));
    for (x, y) in [(0, 0), (3, 0)] {
        bench(&mut state, BenchChange::Begin(x, y));
    }
    bench(&mut state, BenchChange::Close);
    assert!(state.bench.labels().is_empty() && state.bench.corners.is_empty());
    for (x, y) in [(0, 0), (3, 0), (3, 2), (0, 2), (1, 1)] {
        bench(&mut state, BenchChange::Begin(x, y));
    }
    bench(&mut state, BenchChange::Undo);
    assert_eq!(state.bench.corners.len(), 4, "one corner is taken back");
    bench(&mut state, BenchChange::Close);
    assert_eq!(state.bench.labels().at(1, 1), Some(0));
}

#[test]
fn drawn_regions_go_with_the_question_and_hide_nothing() {
    let mut state = at_bench();
    bench(&mut state, BenchChange::Purpose(Purpose::Regions));
    assert!(bench(&mut state, BenchChange::Begin(0, 0)).is_empty(), "regions need no score");
    bench(&mut state, BenchChange::Label(3));
    bench(&mut state, BenchChange::Begin(1, 0));
    assert_eq!(state.bench.regions(), [0, 3]);
    assert!(!state.takes_regions() && !state.plays_drawn());
    bench(&mut state, BenchChange::Play);
    assert!(state.plays_drawn());
    let [file] = &state.question.infills[..] else { panic!() };
    let data = &file.bytes[file.bytes.len() - 48..];
    assert_eq!(data[..12], [0, 0, 0, 0, 3, 0, 0, 0, 255, 255, 255, 255]);
    bench(&mut state, BenchChange::Purpose(Purpose::Hide));
    assert!(state.bench.labels().is_empty());
}

#[test]
fn another_picture_is_a_clean_sheet() {
    let mut state = at_bench();
    let (question, _) = score(&bench(&mut state, BenchChange::Begin(0, 0)));
    hear(&mut state, image("sample 2"));
    assert!(state.bench.labels().is_empty() && state.bench.open);
    hear(&mut state, scored(question.run, 1.0));
    assert!(state.bench.scored().is_none(), "an answer about the old picture");
}
