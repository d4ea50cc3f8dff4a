//! What the page keeps of methods that draw at random.

use vitrine_protocol::{Promise, Tried};

use super::*;
use crate::state::Longer;

/// A page whose RISE draws masks, 500 unless it is told otherwise and at most 1000.
fn with_rise() -> State {
    let mut first = ready();
    let Event::Ready { methods, .. } = &mut first else { unreachable!() };
    let rise = methods.iter_mut().find(|method| method.id == "rise").unwrap();
    rise.promises = vec![Promise::Seeded];
    let steps = rise.parameters[0].clone();
    rise.parameters.push(Parameter { id: "masks".into(), default: ParameterValue::Integer(500), ..steps });
    let mut state = State::new(Link::parse("#method=rise"));
    for event in [first, model("critters"), image("sample 0")] {
        hear(&mut state, event);
    }
    state
}

fn done_with(run: u32, masks: i64, error: Option<Map>) -> Event {
    let Event::Done { map, picture, mut report, .. } = done(run) else { unreachable!() };
    report.method = "rise".into();
    report.parameters = [("masks".to_owned(), ParameterValue::Integer(masks))].into();
    Event::Done { run, map, error, picture, report }
}

fn tried(score: f32) -> Tried {
    Tried { picture: Picture { width: 1, height: 1, rgba: vec![0; 4] }, score }
}

#[test]
fn the_last_masked_pictures_are_kept_and_those_of_other_runs_are_not() {
    let mut state = with_rise();
    for start in 0..4_u8 {
        let three = [0, 1, 2].map(|add| tried(f32::from(3 * start + add)));
        hear(&mut state, Event::Tried { run: 1, tried: three.to_vec() });
    }
    hear(&mut state, Event::Tried { run: 7, tried: vec![tried(100.0)] });
    let scores: Vec<f32> = state.tried.iter().map(|tried| tried.score).collect();
    assert_eq!(scores, [11.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0]);
    hear(&mut state, done_with(1, 500, None));
    assert_eq!(state.tried.len(), 8, "they stay for a look");
    act(&mut state, Action::Run);
    assert!(state.tried.is_empty());
}

#[test]
fn the_error_of_a_finished_map_goes_with_the_map() {
    let mut state = with_rise();
    hear(&mut state, done_with(1, 500, Some(Map::new(1, 1, &[0.25]))));
    assert_eq!(state.error.as_ref().unwrap().values, [0.25]);
    act(&mut state, Action::ShowBand(true));
    assert!(state.view.band);
    act(&mut state, Action::Run);
    assert!(state.error.is_none());
}

#[test]
fn a_longer_run_doubles_the_draws_up_to_the_methods_limit() {
    let mut state = with_rise();
    assert_eq!(state.longer(), None, "nothing is finished");
    hear(&mut state, done_with(1, 300, None));
    assert_eq!(state.longer(), Some(Longer { parameter: "masks", from: 300, to: 600 }));
    // The question has moved on; what is run longer is what is on screen.
    act(&mut state, Action::Ask(Change::Target("owl".into())));
    let commands = act(&mut state, Action::RunLonger);
    let [Command::Send(Request::Explain(request))] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!((request.target.as_str(), request.parameters["masks"].as_str()), ("auto", "600"));
    assert_eq!(state.longer(), None, "it runs");
    hear(&mut state, done_with(2, 600, None));
    assert_eq!(state.longer().unwrap().to, 1000);
    act(&mut state, Action::RunLonger);
    hear(&mut state, done_with(3, 1000, None));
    assert_eq!(state.longer(), None);
    assert!(act(&mut state, Action::RunLonger).is_empty());
}

#[test]
fn what_is_not_drawn_at_random_cannot_run_longer() {
    let (mut state, _) = opened("#method=integrated-gradients");
    let Event::Done { run, map, error, picture, mut report } = done(1) else { unreachable!() };
    report.method = "integrated-gradients".into();
    report.parameters = [("masks".to_owned(), ParameterValue::Integer(5))].into();
    hear(&mut state, Event::Done { run, map, error, picture, report });
    assert_eq!(state.longer(), None);
}
