use std::collections::BTreeMap;

use vitrine_protocol::{
    Better, Channels, DeviceKind, ExplainRequest, Family, ImageInput, ImageSource, Layer, Layout, MetricGroup,
    MetricInfo, ModelCard, ModelIdentity, ModelSource, Need, Parameter, ParameterKind, ParameterValue, Problem,
    Reference, Seconds,
};

use wasm_bindgen::{JsCast, JsValue};

use super::*;
use crate::card_draft::{CardField, CardProblem};
use crate::model_file::{Content, KeptModel};
use crate::place::Repository;

mod bench;
mod sampling;

fn method(id: &str, needs: &[Need]) -> MethodInfo {
    let steps = Parameter {
        id: "steps".into(),
        help: String::new(),
        kind: ParameterKind::Integer { min: 1, max: 1000 },
        default: ParameterValue::Integer(50),
    };
    let baseline = Parameter {
        id: "baseline".into(),
        kind: ParameterKind::Infill,
        default: ParameterValue::Text("black".into()),
        ..steps.clone()
    };
    let reference = Reference { authors: String::new(), year: 2017, title: String::new(), venue: String::new() };
    MethodInfo {
        id: id.into(),
        name: id.into(),
        family: Family::Path,
        summary: String::new(),
        reference,
        needs: needs.to_vec(),
        parameters: vec![steps, baseline],
        promises: Vec::new(),
    }
}

/// A method that goes around one of others.
fn around(id: &str, others: &[&str]) -> MethodInfo {
    let method = method(id, &[]);
    let inner = Parameter {
        id: "method".into(),
        help: String::new(),
        kind: ParameterKind::Method { methods: others.iter().map(|id| (*id).to_owned()).collect() },
        default: ParameterValue::Text("integrated-gradients".into()),
    };
    let steps = method.parameters[0].clone();
    MethodInfo { parameters: vec![inner, steps], ..method }
}

fn ready() -> Event {
    let picture = Picture { width: 1, height: 1, rgba: vec![0; 4] };
    Event::Ready {
        version: PROTOCOL_VERSION,
        device: Device { kind: DeviceKind::Gpu, name: "WebGPU".into(), reason: String::new() },
        methods: vec![
            method("integrated-gradients", &[]),
            method("grad-cam", &[Need::SpatialLayer]),
            method("rise", &[]),
            around("smooth", &["integrated-gradients", "grad-cam"]),
        ],
        metrics: Vec::new(),
        models: vec![("critters".into(), "Critters".into()), ("digits".into(), "Digits".into())],
        samples: (0..3)
            .map(|index| Sample { label: format!("sample {index}"), picture: picture.clone(), parts: None })
            .collect(),
    }
}

fn model(name: &str) -> Event {
    let card = ModelCard::plain(name, ImageInput::plain(Layout::Nchw, Channels::Rgb, 1, 1));
    let layers = vec![Layer { name: "conv1".into(), operator: "Conv".into(), shape: vec![8, 4, 4] }];
    let summary = ModelSummary {
        name: name.into(),
        card,
        inferred: false,
        open_size: false,
        split_off: None,
        sequence: None,
        layers,
        notes: Vec::new(),
    };
    Event::ModelLoaded(Box::new(summary))
}

fn image(name: &str) -> Event {
    Event::ImageLoaded {
        name: name.into(),
        picture: Picture { width: 1, height: 1, rgba: vec![0; 4] },
        predictions: vec![Prediction { class: 0, label: "owl".into(), score: 1.0, place: None }],
        probabilities: true,
    }
}

fn map() -> Map {
    Map::new(1, 1, &[-1.0])
}

fn done(run: u32) -> Event {
    done_in(run, 1, 0.0)
}

/// A run of so many forward passes and seconds.
fn done_in(run: u32, forward_passes: u64, explain: f64) -> Event {
    let report = Report {
        schema: String::new(),
        version: String::new(),
        method: String::new(),
        parameters: BTreeMap::new(),
        layer: None,
        seed: 0,
        target: String::new(),
        target_index: 0,
        model: ModelIdentity { name: String::new(), sha256: String::new() },
        input: String::new(),
        device: String::new(),
        predictions: Vec::new(),
        prediction: 0.0,
        baseline_prediction: None,
        completeness_gap: None,
        shape: vec![1],
        batch: 1,
        forward_passes,
        backward_passes: 0,
        seconds: Seconds { explain, ..Seconds::default() },
        notes: Vec::new(),
    };
    Event::Done { run, map: map(), error: None, picture: None, report: Box::new(report) }
}

fn failed(run: Option<u32>, kind: ProblemKind) -> Event {
    Event::Failed { run, problem: Problem { kind, message: "Something is wrong.".into(), field: None } }
}

fn file(name: &str) -> File {
    File { name: name.into(), bytes: vec![1] }
}

fn given(name: &str) -> Given {
    if name.to_lowercase().ends_with(".onnx") { Given::Model(model_file(name)) } else { Given::Other(file(name)) }
}

/// A file whose bytes nobody looks at, as the state does not.
fn model_file(name: &str) -> ModelFile {
    ModelFile {
        name: name.into(),
        size: 45_000_000,
        content: Content::new(JsValue::UNDEFINED.unchecked_into()),
        card: None,
        key: format!("file:{name}"),
        version: None,
        keep: false,
    }
}

/// The same from an address.
fn remote_file(address: &str) -> ModelFile {
    ModelFile { key: address.into(), keep: true, ..model_file("net.onnx") }
}

fn kept(file: &ModelFile) -> Shelf {
    let ModelFile { key, name, size, version, .. } = file.clone();
    Shelf::Models(vec![KeptModel { key, name, size, version }].into())
}

fn place(text: &str) -> Origin {
    Origin::Place(Place::parse(text).unwrap())
}

fn arrived(file: &ModelFile) -> Delivery {
    Delivery::Arrived { file: file.clone(), note: None }
}

fn remote(path: &str, size: Option<u64>) -> RemoteFile {
    RemoteFile { path: path.into(), size }
}

/// A page that was opened by `fragment`, after the worker's first three events, and the commands since then.
fn opened(fragment: &str) -> (State, Vec<Command>) {
    let mut state = State::new(Link::parse(fragment));
    let mut commands = Vec::new();
    for event in [ready(), model("critters"), image("sample 0")] {
        commands.extend(hear(&mut state, event));
    }
    (state, commands)
}

/// What an action leads to, but for questions about costs, which tests of their own look at.
fn act(state: &mut State, action: Action) -> Vec<Command> {
    let mut commands = state.update(action, 0.0);
    commands.retain(|command| !matches!(command, Command::Send(Request::Estimate(_))));
    commands
}

fn hear(state: &mut State, event: Event) -> Vec<Command> {
    act(state, Action::Heard(event))
}

fn load_image(source: ImageSource) -> Command {
    Command::Send(Request::LoadImage(source))
}

fn load_model(source: ModelSource) -> Command {
    Command::Send(Request::LoadModel(source))
}

#[test]
fn a_page_is_ready_after_the_workers_first_three_events() {
    let mut state = State::new(Link::default());
    for event in [ready(), model("critters")] {
        assert_eq!(state.status(), Status::Loading);
        assert_eq!(hear(&mut state, event), []);
    }
    assert!(!state.can_run(), "no answer yet");
    hear(&mut state, image("sample 0"));
    assert_eq!(state.status(), Status::Ready);
    assert!(state.can_run());
    assert_eq!(state.question.method, "integrated-gradients", "the first of the menu");
    assert_eq!(state.chosen_sample(), Some(0));
}

#[test]
fn an_image_that_is_to_be_the_baseline_goes_along_as_long_as_it_is_asked_for() {
    let (mut state, _) = opened("");
    let image = File { name: "sky.png".into(), bytes: vec![1, 2, 3] };
    act(&mut state, Action::Ask(Change::Infill("baseline".into(), image.clone())));
    let sent = |state: &mut State| match act(state, Action::Run).as_slice() {
        [Command::Send(Request::Explain(request))] => request.clone(),
        other => panic!("{other:?}"),
    };
    let request = sent(&mut state);
    assert_eq!(request.parameters["baseline"], "sky.png");
    assert_eq!(request.infill_files, [image]);
    hear(&mut state, Event::Cancelled { run: 1 });
    act(&mut state, Action::Ask(Change::Parameter("baseline".into(), "white".into())));
    assert_eq!(sent(&mut state).infill_files, []);
}

#[test]
fn a_run_goes_from_progress_over_partial_maps_to_done() {
    let (mut state, _) = opened("");
    act(&mut state, Action::Ask(Change::Parameter("steps".into(), "8".into())));
    act(&mut state, Action::Ask(Change::Parameter("of another method".into(), "1".into())));
    let request = ExplainRequest {
        run: 1,
        method: "integrated-gradients".into(),
        target: "auto".into(),
        layer: None,
        parameters: BTreeMap::from([("steps".into(), "8".into())]),
        seed: 0,
        infill_files: Vec::new(),
    };
    assert_eq!(act(&mut state, Action::Run), [Command::Send(Request::Explain(request))]);
    assert_eq!(state.status(), Status::Running);
    assert_eq!(act(&mut state, Action::Run), [], "one run at a time");
    hear(&mut state, Event::Progress { run: 1, done: 3, total: 8, seconds_left: Some(1.0) });
    assert_eq!(state.run, Some(Run { number: 1, done: 3, total: Some(8), seconds_left: Some(1.0) }));
    hear(&mut state, Event::Partial { run: 1, map: map() });
    assert!(state.map.is_some() && state.report.is_none());
    hear(&mut state, done(1));
    assert!(state.report.is_some());
    assert_eq!(state.status(), Status::Done);
    assert_eq!(state.palette(), Palette::default_for(true), "a map with negative values");
}

#[test]
fn a_picture_in_the_making_is_replaced_by_the_finished_one_and_leaves_with_the_next_run() {
    let (mut state, _) = opened("");
    let frame = |shade| Picture { width: 1, height: 1, rgba: vec![shade; 4] };
    act(&mut state, Action::Run);
    hear(&mut state, Event::Frame { run: 7, picture: frame(7) });
    assert_eq!(state.made, None, "of another run");
    hear(&mut state, Event::Frame { run: 1, picture: frame(1) });
    hear(&mut state, Event::Frame { run: 1, picture: frame(2) });
    assert_eq!(state.made.as_deref(), Some(&frame(2)));
    let Event::Done { run, map, error, report, .. } = done(1) else { unreachable!() };
    hear(&mut state, Event::Done { run, map, error, picture: Some(frame(3)), report });
    assert_eq!(state.made.as_deref(), Some(&frame(3)));
    act(&mut state, Action::Run);
    assert_eq!(state.made, None);
    hear(&mut state, Event::Frame { run: 2, picture: frame(4) });
    hear(&mut state, Event::Cancelled { run: 2 });
    assert_eq!(state.made.as_deref(), Some(&frame(4)));
    assert_eq!(state.status_sentence(), "Stopped. The picture shows what was made by then.");
    act(&mut state, Action::Run);
    hear(&mut state, done(3));
    assert_eq!(state.made, None, "a method that makes none");
}

#[test]
fn cancelling_keeps_the_partial_map_and_the_next_run_has_another_number() {
    let (mut state, _) = opened("");
    assert_eq!(act(&mut state, Action::Cancel), [], "nothing runs");
    act(&mut state, Action::Run);
    hear(&mut state, Event::Partial { run: 1, map: map() });
    assert_eq!(act(&mut state, Action::Cancel), [Command::Send(Request::Cancel { run: 1 })]);
    hear(&mut state, Event::Cancelled { run: 1 });
    assert_eq!(state.status(), Status::Cancelled);
    assert!(state.map.is_some());
    act(&mut state, Action::Run);
    assert_eq!(state.run.map(|run| run.number), Some(2));
    hear(&mut state, done(1));
    assert_eq!(state.status(), Status::Running, "an old run's events mean nothing");
}

#[test]
fn a_wrong_parameter_forbids_to_run_and_says_why() {
    let (mut state, _) = opened("");
    act(&mut state, Action::Ask(Change::Parameter("steps".into(), "0".into())));
    assert_eq!(act(&mut state, Action::Run), []);
    assert_eq!(state.problem().unwrap(), "Parameter \"steps\": \"0\" is not a whole number from 1 to 1000.");
    act(&mut state, Action::Ask(Change::Reset));
    act(&mut state, Action::Ask(Change::Seed("-1".into())));
    assert!(state.problem().unwrap().contains("18446744073709551615"), "{:?}", state.problem());
}

#[test]
fn a_layer_is_sent_only_to_methods_that_look_at_one() {
    for (id, layer) in [("grad-cam", Some("conv1".to_owned())), ("integrated-gradients", None)] {
        let (mut state, _) = opened("");
        act(&mut state, Action::Ask(Change::Method(id.into())));
        act(&mut state, Action::Ask(Change::Layer(Some("conv1".into()))));
        let commands = act(&mut state, Action::Run);
        let [Command::Send(Request::Explain(request))] = commands.as_slice() else { panic!("{commands:?}") };
        assert_eq!(request.layer, layer, "{id}");
    }
}

#[test]
fn another_image_ends_the_run_and_replaces_the_map_once_it_is_there() {
    let (mut state, _) = opened("");
    act(&mut state, Action::Run);
    hear(&mut state, Event::Partial { run: 1, map: map() });
    let commands = act(&mut state, Action::ChooseSample(2));
    assert_eq!(commands, [Command::Send(Request::Cancel { run: 1 }), load_image(ImageSource::Sample(2))]);
    assert_eq!(state.status(), Status::Loading);
    assert!(state.map.is_some());
    hear(&mut state, Event::Cancelled { run: 1 });
    assert_eq!(state.status(), Status::Loading);
    hear(&mut state, image("sample 2"));
    assert_eq!((state.status(), state.chosen_sample()), (Status::Ready, Some(2)));
    assert!(state.map.is_none());
}

#[test]
fn a_file_that_does_not_load_leaves_everything_usable() {
    let (mut state, _) = opened("");
    act(&mut state, Action::Run);
    hear(&mut state, done(1));
    act(&mut state, Action::Files(vec![given("broken.png")]));
    assert_eq!(state.own_image().as_deref(), Some("broken.png"), "on its way");
    hear(&mut state, failed(None, ProblemKind::Input));
    assert_eq!(state.status(), Status::Error);
    assert_eq!(state.notice.as_ref().unwrap().message, "Something is wrong.");
    assert_eq!((state.own_image(), state.chosen_sample()), (None, Some(0)));
    assert!(state.map.is_some(), "the last result is still on screen");
    assert!(state.can_run());
    act(&mut state, Action::Dismiss);
    assert_eq!((state.status(), state.notice.clone()), (Status::Ready, None));
}

#[test]
fn a_model_that_does_not_load_takes_its_image_answer_out_of_the_queue() {
    let (mut state, _) = opened("");
    act(&mut state, Action::Files(vec![given("broken.onnx")]));
    hear(&mut state, failed(None, ProblemKind::Input));
    assert_eq!(state.status(), Status::Error);
    assert_eq!(state.model_link().as_deref(), Some("critters"));
    act(&mut state, Action::ChooseModel("digits".into()));
    hear(&mut state, model("digits"));
    assert!(!state.can_run(), "the answers of the old model are gone");
    assert_eq!(state.status(), Status::Loading);
    hear(&mut state, image("sample 0"));
    assert_eq!((state.status(), state.model_link().as_deref()), (Status::Ready, Some("digits")));
}

#[test]
fn files_are_told_apart_by_their_names() {
    let (mut state, _) = opened("");
    let model = model_file("NET.ONNX");
    let files = vec![given("net.card.json"), Given::Model(model.clone())];
    let expected = ModelFile { card: Some("\u{1}".into()), ..model };
    assert_eq!(act(&mut state, Action::Files(files)), [Command::SendModel(expected)]);
    let wrong = [vec!["a.onnx", "b.onnx"], vec!["a.card.json"], vec!["a.png", "b.png"], vec![]];
    for names in wrong {
        let (mut state, _) = opened("");
        let files = names.iter().map(|name| given(name)).collect();
        assert_eq!(act(&mut state, Action::Files(files)), [], "{names:?}");
        assert!(state.notice.is_some(), "{names:?}");
    }
}

#[test]
fn a_link_loads_what_it_names_and_runs_once() {
    let (mut state, commands) = opened("#model=digits&image=sample-1&method=grad-cam&target=1&p.steps=4&seed=9");
    let expected = [load_model(ModelSource::Builtin("digits".into())), load_image(ImageSource::Sample(1))];
    assert_eq!(commands, expected);
    assert_eq!(state.status(), Status::Loading);
    assert_eq!(hear(&mut state, model("digits")), []);
    assert_eq!(hear(&mut state, image("sample 0")), []);
    let commands = hear(&mut state, image("sample 1"));
    let [Command::Send(Request::Explain(request))] = commands.as_slice() else { panic!("{commands:?}") };
    assert_eq!((request.method.as_str(), request.target.as_str(), request.seed), ("grad-cam", "1", 9));
    assert_eq!(request.parameters, BTreeMap::from([("steps".into(), "4".into())]));
    hear(&mut state, done(1));
    assert_eq!(act(&mut state, Action::ChooseSample(0)), [load_image(ImageSource::Sample(0))]);
    assert_eq!(hear(&mut state, image("sample 0")), [], "only once");
}

#[test]
fn a_shared_link_leads_back_to_the_same_question() {
    let fragment = "model=digits&image=sample-1&method=grad-cam&target=1&layer=conv1&seed=9&compare=rise%2Csmooth\
         &p.method=grad-cam&p.method.steps=7&p.steps=4&embed=1&hide=model";
    let (mut state, _) = opened(fragment);
    for event in [model("digits"), image("sample 0"), image("sample 1")] {
        hear(&mut state, event);
    }
    assert_eq!(state.link().to_fragment(), fragment);
    act(&mut state, Action::Cancel);
    act(&mut state, Action::Files(vec![given("own.png")]));
    assert_eq!(state.link().image, None, "the visitor's own file stays in the tab");
}

#[test]
fn a_link_to_what_does_not_exist_says_what_there_is() {
    for (fragment, hint) in [
        ("method=magic", "integrated-gradients, grad-cam"),
        ("model=alexnet", "critters, digits"),
        ("image=sample-3", "sample-0 to sample-2"),
    ] {
        let (state, commands) = opened(fragment);
        assert_eq!(commands, [], "{fragment}");
        let message = &state.notice.as_ref().unwrap().message;
        assert!(message.contains(hint), "{message}");
        assert!(state.can_run(), "{fragment}");
    }
}

#[test]
fn addresses_in_links_are_fetched_and_waited_for() {
    let address = "https://example.org/owl.png";
    let (mut state, commands) = opened("image=https://example.org/owl.png&method=grad-cam");
    assert_eq!(commands, [Command::FetchImage(address.into())]);
    assert_eq!(state.status(), Status::Loading);
    let commands = act(&mut state, Action::ImageFetched(address.into(), Ok(file("owl.png"))));
    assert_eq!(commands, [load_image(ImageSource::File(file("owl.png")))]);
    let commands = hear(&mut state, image("owl.png"));
    assert!(matches!(commands.as_slice(), [Command::Send(Request::Explain(_))]), "{commands:?}");
    assert_eq!(state.link().image.as_deref(), Some(address));

    let (mut state, _) = opened("image=https://example.org/owl.png&method=grad-cam");
    assert_eq!(act(&mut state, Action::ImageFetched(address.into(), Err("Not found.".into()))), []);
    assert_eq!(state.status(), Status::Error, "and nothing ran in its place");
}

#[test]
fn a_model_of_a_link_is_downloaded_before_the_link_runs() {
    let address = "https://example.org/net.onnx";
    let (mut state, commands) = opened("model=https://example.org/net.onnx&method=grad-cam&target=1");
    assert_eq!(commands, [Command::Download { number: 1, origin: place(address), size: None }]);
    assert_eq!(state.status(), Status::Loading);
    let same = Link::parse("model=https://example.org/net.onnx&method=grad-cam&target=1");
    assert_eq!(act(&mut state, Action::Follow(same)), [], "it is on its way");

    let file = remote_file(address);
    let commands = act(&mut state, Action::Delivered(1, arrived(&file)));
    assert_eq!(commands, [Command::SendModel(file.clone())]);
    assert_eq!(hear(&mut state, model("net.onnx")), [Command::Keep(file)], "since it is a model");
    let commands = hear(&mut state, image("sample 0"));
    let [Command::Send(Request::Explain(request))] = commands.as_slice() else { panic!("{commands:?}") };
    assert_eq!(request.target, "1");
    assert_eq!(state.link().model.as_deref(), Some(address));

    let (mut state, _) = opened("model=https://example.org/net.onnx&method=grad-cam");
    assert_eq!(act(&mut state, Action::Delivered(1, Delivery::Failed("Not found.".into()))), []);
    assert_eq!(state.status(), Status::Error, "and nothing ran in its place");
    assert!(state.can_run(), "the model from before is usable");
}

#[test]
fn a_download_tells_how_far_it_is_and_can_be_stopped() {
    let (mut state, _) = opened("");
    act(&mut state, Action::Run);
    let commands = act(&mut state, Action::LoadFrom("https://example.org/net.onnx".into()));
    let download = Command::Download { number: 1, origin: place("https://example.org/net.onnx"), size: None };
    assert_eq!(commands, [Command::Send(Request::Cancel { run: 1 }), download]);
    act(&mut state, Action::Delivered(1, Delivery::Received { received: 12, total: Some(45) }));
    let progress = state.download.as_ref().map(|download| (download.received, download.total));
    assert_eq!(progress, Some((12, Some(45))));
    assert!(state.status_sentence().contains("net.onnx"), "{}", state.status_sentence());

    assert_eq!(act(&mut state, Action::Cancel), [Command::StopDownload]);
    assert_eq!((state.status(), state.model_link().as_deref()), (Status::Ready, Some("critters")));
    assert!(state.model_note.as_ref().unwrap().contains("stopped"));
    let late = arrived(&remote_file("https://example.org/net.onnx"));
    assert_eq!(act(&mut state, Action::Delivered(1, late)), [], "too late");
    assert_eq!(act(&mut state, Action::Cancel), [], "nothing goes on");
}

#[test]
fn every_other_model_takes_the_place_of_a_download() {
    let own = model_file("own.onnx");
    for (action, command) in [
        (Action::ChooseModel("digits".into()), load_model(ModelSource::Builtin("digits".into()))),
        (Action::LoadFrom("digits".into()), load_model(ModelSource::Builtin("digits".into()))),
        (Action::Follow(Link::parse("model=digits")), load_model(ModelSource::Builtin("digits".into()))),
        (Action::Files(vec![Given::Model(own.clone())]), Command::SendModel(own)),
        (
            Action::LoadFrom("https://example.org/b.onnx".into()),
            Command::Download { number: 2, origin: place("https://example.org/b.onnx"), size: None },
        ),
    ] {
        let (mut state, _) = opened("");
        act(&mut state, Action::LoadFrom("https://example.org/a.onnx".into()));
        assert_eq!(act(&mut state, action), [Command::StopDownload, command]);
    }
    let (mut state, _) = opened("");
    act(&mut state, Action::LoadFrom("https://example.org/a.onnx".into()));
    assert_eq!(act(&mut state, Action::ChooseSample(1)), [load_image(ImageSource::Sample(1))]);
    assert!(state.download.is_some(), "a picture is no model");
}

#[test]
fn what_is_no_address_is_refused_at_once() {
    let (mut state, _) = opened("");
    assert_eq!(act(&mut state, Action::LoadFrom("alexnet".into())), []);
    assert!(state.notice.as_ref().unwrap().message.contains("owner/name"));
    assert!(state.can_run());
}

#[test]
fn a_repository_with_one_model_loads_it_and_one_with_several_asks() {
    let (mut state, _) = opened("");
    let commands = act(&mut state, Action::LoadFrom("me/net".into()));
    assert_eq!(commands, [Command::Download { number: 1, origin: place("me/net"), size: None }]);
    let commands = act(&mut state, Action::Delivered(1, Delivery::Listed(vec![remote("net.onnx", Some(7))])));
    let expected = Command::Download { number: 2, origin: place("me/net/net.onnx"), size: Some(7) };
    assert_eq!(commands, [expected]);

    let (mut state, commands) = opened("model=hf://me/net@v1&method=grad-cam&target=1");
    assert_eq!(commands, [Command::Download { number: 1, origin: place("me/net@v1"), size: None }]);
    let files = vec![remote("onnx/a.onnx", Some(7)), remote("onnx/b.onnx", None)];
    assert_eq!(act(&mut state, Action::Delivered(1, Delivery::Listed(files))), []);
    let repository = Repository { id: "me/net".into(), revision: Some("v1".into()) };
    assert_eq!(state.offer.as_ref().map(|offer| &offer.repository), Some(&repository));
    assert!(state.run.is_none(), "nothing runs with the model from before");
    assert!(state.can_run(), "but it is usable");
    let commands = act(&mut state, Action::ChooseOffered("onnx/a.onnx".into()));
    let chosen = place("hf://me/net@v1/onnx/a.onnx");
    assert_eq!(commands, [Command::Download { number: 2, origin: chosen, size: Some(7) }]);
    assert!(state.offer.is_none());
    act(&mut state, Action::Delivered(2, arrived(&remote_file("https://hub/me/net/resolve/v1/onnx/a.onnx"))));
    assert_eq!(state.question.target, "1", "as the link asked");
    assert_eq!(state.link().model.as_deref(), Some("hf://me/net@v1/onnx/a.onnx"));
}

#[test]
fn a_file_that_is_no_model_is_not_kept() {
    let (mut state, _) = opened("");
    act(&mut state, Action::LoadFrom("https://example.org/net.onnx".into()));
    act(&mut state, Action::Delivered(1, arrived(&remote_file("https://example.org/net.onnx"))));
    assert_eq!(hear(&mut state, failed(None, ProblemKind::Input)), []);
    assert_eq!(state.model_link().as_deref(), Some("critters"));
}

#[test]
fn a_kept_model_is_chosen_by_its_key_and_has_its_address_in_links() {
    let (mut state, _) = opened("");
    let file = ModelFile { keep: false, ..remote_file("https://example.org/net.onnx") };
    act(&mut state, Action::Kept(kept(&file), None));
    let commands = act(&mut state, Action::ChooseKept(file.key.clone()));
    let [Command::Download { number: 1, origin: Origin::Kept(model), .. }] = commands.as_slice() else {
        panic!("{commands:?}")
    };
    assert_eq!(model.key, file.key);
    act(&mut state, Action::Delivered(1, arrived(&file)));
    assert_eq!(hear(&mut state, self::model("net.onnx")), [], "it is kept already");
    assert_eq!(state.model_key().as_deref(), Some("https://example.org/net.onnx"));
    assert_eq!(state.link().model.as_deref(), Some("https://example.org/net.onnx"));
    assert!(!state.can_keep());

    let commands = act(&mut state, Action::Forget(file.key.clone()));
    assert_eq!(commands, [Command::Forget(file.key.clone())]);
    act(&mut state, Action::Kept(Shelf::Models(Vec::new().into()), None));
    assert!(state.can_keep(), "it is still loaded");
    assert_eq!(act(&mut state, Action::ChooseKept(file.key)), [], "it is gone");
}

#[test]
fn a_visitors_own_file_is_kept_only_when_asked_for() {
    let (mut state, _) = opened("");
    act(&mut state, Action::Kept(Shelf::Models(Vec::new().into()), None));
    assert!(!state.can_keep(), "a built-in model is always there");
    assert_eq!(act(&mut state, Action::KeepModel), []);
    let own = model_file("own.onnx");
    act(&mut state, Action::Files(vec![Given::Model(own.clone())]));
    assert_eq!(hear(&mut state, model("own.onnx")), []);
    assert!(state.can_keep());
    assert_eq!(act(&mut state, Action::KeepModel), [Command::Keep(own.clone())]);
    act(&mut state, Action::Kept(kept(&own), None));
    assert!(!state.can_keep());
    act(&mut state, Action::ChooseKept(own.key.clone()));
    act(&mut state, Action::Delivered(1, arrived(&own)));
    assert_eq!(state.link().model, None, "nobody else has it");
}

#[test]
fn a_full_storage_is_told_and_stops_nothing() {
    let (mut state, _) = opened("");
    act(&mut state, Action::Kept(Shelf::Absent("No room.".into()), None));
    act(&mut state, Action::Kept(Shelf::default(), Some("net.onnx is not kept.".into())));
    assert_eq!((state.notice.clone(), state.status()), (None, Status::Ready));
    assert_eq!(state.model_note.as_deref(), Some("net.onnx is not kept."));
}

#[test]
fn a_model_that_arrives_while_the_worker_starts_again_is_loaded_then() {
    let (mut state, _) = opened("");
    act(&mut state, Action::LoadFrom("https://example.org/net.onnx".into()));
    act(&mut state, Action::Crashed("unreachable executed".into()));
    let file = remote_file("https://example.org/net.onnx");
    assert_eq!(act(&mut state, Action::Delivered(1, arrived(&file))), []);
    assert_eq!(hear(&mut state, ready()), [Command::SendModel(file.clone())]);
    assert_eq!(hear(&mut state, model("critters")), []);
    hear(&mut state, image("sample 0"));
    assert_eq!(hear(&mut state, model("net.onnx")), [Command::Keep(file)]);
}

#[test]
fn a_crashed_worker_starts_again_with_the_same_model_and_image() {
    let (mut state, _) = opened("");
    let own = model_file("own.onnx");
    act(&mut state, Action::Files(vec![Given::Model(own.clone())]));
    hear(&mut state, model("own.onnx"));
    hear(&mut state, image("sample 0"));
    act(&mut state, Action::ChooseSample(2));
    hear(&mut state, image("sample 2"));
    act(&mut state, Action::Run);

    let commands = act(&mut state, Action::Crashed("unreachable executed".into()));
    assert_eq!(commands, [Command::StartWorker(DeviceChoice::Auto)]);
    assert_eq!((state.status(), state.run), (Status::Loading, None));
    assert!(state.notice.as_ref().unwrap().message.contains("unreachable executed"));
    let commands = hear(&mut state, ready());
    assert_eq!(commands, [Command::SendModel(own), load_image(ImageSource::Sample(2))]);
    for event in [model("critters"), image("sample 0"), model("own.onnx"), image("sample 0"), image("sample 2")] {
        assert_eq!(state.status(), Status::Loading);
        hear(&mut state, event);
    }
    assert!(state.can_run());
    assert_eq!((state.model_link(), state.chosen_sample()), (None, Some(2)));
    assert!(state.notice.is_some(), "the visitor is told");
}

#[test]
fn a_file_that_crashes_the_worker_is_not_loaded_again() {
    let (mut state, _) = opened("");
    act(&mut state, Action::Files(vec![given("deadly.onnx")]));
    act(&mut state, Action::Crashed("unreachable executed".into()));
    assert_eq!(hear(&mut state, ready()), []);
}

#[test]
fn a_failed_device_is_replaced_by_the_cpu() {
    let (mut state, _) = opened("device=gpu");
    act(&mut state, Action::Run);
    let commands = hear(&mut state, failed(Some(1), ProblemKind::Device));
    assert_eq!(commands, [Command::StartWorker(DeviceChoice::Cpu)]);
    assert!(state.notice.as_ref().unwrap().message.contains("on the CPU"));

    let mut state = State::new(Link::parse("device=gpu&method=grad-cam"));
    hear(&mut state, failed(None, ProblemKind::Device));
    assert_eq!(hear(&mut state, ready()), [], "the link does not bring the failed device back");
}

#[test]
fn a_fault_in_the_program_starts_the_worker_again_and_a_second_one_leaves_the_gpu() {
    let (mut state, _) = opened("device=gpu");
    act(&mut state, Action::Run);
    let commands = hear(&mut state, failed(Some(1), ProblemKind::Internal));
    assert_eq!(commands, [Command::StartWorker(DeviceChoice::Gpu)]);
    for event in [ready(), model("critters"), image("sample 0")] {
        hear(&mut state, event);
    }
    act(&mut state, Action::Run);
    let commands = act(&mut state, Action::Crashed("unreachable executed".into()));
    assert_eq!(commands, [Command::StartWorker(DeviceChoice::Cpu)]);
}

#[test]
fn a_page_whose_first_model_does_not_load_can_load_another() {
    let mut state = State::new(Link::default());
    hear(&mut state, ready());
    hear(&mut state, failed(None, ProblemKind::Input));
    assert_eq!(state.status(), Status::Error);
    assert!(!state.can_run(), "there is nothing to explain");
    act(&mut state, Action::ChooseModel("digits".into()));
    hear(&mut state, model("digits"));
    hear(&mut state, image("sample 0"));
    assert!(state.can_run());
}

#[test]
fn three_crashes_within_a_minute_are_enough() {
    let (mut state, _) = opened("");
    for time in [0.0, 61_000.0, 62_000.0] {
        let commands = state.update(Action::Crashed("x.".into()), time);
        assert!(matches!(commands.as_slice(), [Command::StartWorker(_)]), "at {time}: {commands:?}");
    }
    state.update(Action::Heard(ready()), 62_500.0);
    state.update(Action::ChooseSample(2), 62_500.0);
    assert_eq!(state.update(Action::Crashed("x.".into()), 63_000.0), [Command::StopWorker]);
    assert_eq!(state.status(), Status::Error);
    assert!(state.notice.as_ref().unwrap().reload);
    assert_eq!(act(&mut state, Action::ChooseSample(1)), [], "nobody would answer");
    assert_eq!(state.chosen_sample(), Some(0), "what was on its way never came");
}

#[test]
fn a_worker_of_another_version_is_not_used() {
    let mut state = State::new(Link::default());
    let Event::Ready { device, methods, metrics, models, samples, .. } = ready() else { unreachable!() };
    let other = Event::Ready { version: PROTOCOL_VERSION + 1, device, methods, metrics, models, samples };
    assert_eq!(hear(&mut state, other), [Command::StopWorker]);
    assert!(state.notice.as_ref().unwrap().reload);
}

#[test]
fn a_message_about_something_else_does_not_end_a_run() {
    let (mut state, _) = opened("");
    act(&mut state, Action::Run);
    act(&mut state, Action::Notify("The file could not be saved.".into()));
    assert_eq!(state.status(), Status::Running);
    hear(&mut state, done(1));
    assert_eq!(state.status(), Status::Done);
}

/// The answer to a request that changed a model's summary.
fn changed(name: &str, change: impl FnOnce(&mut ModelSummary)) -> Event {
    let Event::ModelLoaded(mut summary) = model(name) else { unreachable!() };
    change(&mut summary);
    Event::ModelLoaded(summary)
}

fn edit(state: &mut State, field: CardField, text: &str) {
    assert_eq!(act(state, Action::Card(CardChange::Text(field, text.into()))), []);
}

fn apply(state: &mut State) -> Vec<Command> {
    act(state, Action::Card(CardChange::Apply))
}

/// The card of the one request among the commands.
fn sent_card(commands: &[Command]) -> ModelCard {
    let [Command::Send(Request::SetCard(text))] = commands else { panic!("{commands:?}") };
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_corrected_card_is_sent_and_becomes_the_one_in_use() {
    let (mut state, _) = opened("");
    edit(&mut state, CardField::Mean, "0.5, 0.5, 0.5");
    assert!(state.card.as_ref().unwrap().draft.is_changed() && !state.card_corrected());
    let card = sent_card(&apply(&mut state));
    assert_eq!(card.input.mean, [0.5, 0.5, 0.5]);
    assert_eq!(state.status(), Status::Loading);
    assert_eq!(apply(&mut state), [], "one at a time");
    hear(&mut state, changed("critters", |summary| summary.card = card));
    hear(&mut state, image("sample 0"));
    assert_eq!(state.status(), Status::Ready);
    assert!(!state.card.as_ref().unwrap().draft.is_changed() && state.card_corrected());
    assert_eq!(state.model_link().as_deref(), Some("critters"));
}

#[test]
fn a_refused_correction_stays_in_the_form_with_the_reason_and_the_former_card_in_use() {
    let (mut state, _) = opened("");
    edit(&mut state, CardField::Width, "two");
    assert_eq!(apply(&mut state), [], "no number");
    assert_eq!(state.card.as_ref().unwrap().problem.as_ref().unwrap().field.as_deref(), Some("input.width"));
    assert!(state.can_run());

    edit(&mut state, CardField::Width, "1");
    edit(&mut state, CardField::Labels, "owl");
    assert_eq!(sent_card(&apply(&mut state)).labels, ["owl"]);
    let problem = Problem { kind: ProblemKind::Input, message: "Too few.".into(), field: Some("labels".into()) };
    hear(&mut state, Event::Failed { run: None, problem });
    let form = state.card.clone().unwrap();
    let expected = CardProblem { field: Some("labels".into()), message: "Too few.".into() };
    assert_eq!((form.problem, state.notice.clone()), (Some(expected), None));
    assert_eq!(form.draft.text(CardField::Labels), "owl", "what was typed");
    assert_eq!(state.status(), Status::Error);
    assert!(state.can_run());

    act(&mut state, Action::Card(CardChange::Undo));
    assert_eq!(state.card.as_ref().unwrap().draft.text(CardField::Labels), "");
    assert_eq!(state.card.as_ref().unwrap().problem, None);
}

#[test]
fn a_file_of_open_size_is_loaded_again_for_another() {
    let (mut state, _) = opened("");
    act(&mut state, Action::Files(vec![given("net.onnx")]));
    hear(&mut state, changed("net.onnx", |summary| summary.open_size = true));
    hear(&mut state, image("sample 0"));
    edit(&mut state, CardField::Mean, "1, 1, 1");
    let card = sent_card(&apply(&mut state));
    hear(&mut state, changed("net.onnx", |summary| (summary.open_size, summary.card) = (true, card)));
    hear(&mut state, image("sample 0"));
    edit(&mut state, CardField::Width, "7");
    let commands = apply(&mut state);
    let [Command::SendModel(file)] = commands.as_slice() else { panic!("{commands:?}") };
    let card: ModelCard = serde_json::from_str(file.card.as_ref().unwrap()).unwrap();
    assert_eq!((file.name.as_str(), card.input.width, card.input.mean.len()), ("net.onnx", 7, 3));
}

#[test]
fn a_worker_that_is_started_again_gets_the_corrected_card() {
    let (mut state, _) = opened("");
    edit(&mut state, CardField::Mean, "1, 1, 1");
    let card = sent_card(&apply(&mut state));
    hear(&mut state, changed("critters", |summary| summary.card = card.clone()));
    hear(&mut state, image("sample 0"));
    act(&mut state, Action::Crashed("boom".into()));
    assert_eq!(sent_card(&hear(&mut state, ready())), card, "the default model loads by itself");
    for _ in 0..2 {
        assert_eq!(state.status(), Status::Loading);
        hear(&mut state, model("critters"));
        hear(&mut state, image("sample 0"));
    }
    assert!(state.can_run());
}

#[test]
fn the_corrected_card_of_a_kept_model_is_kept() {
    let (mut state, _) = opened("");
    let file = remote_file("https://host/net.onnx");
    act(&mut state, Action::Files(vec![Given::Model(file.clone())]));
    assert_eq!(hear(&mut state, model("net.onnx")), [Command::Keep(file.clone())]);
    hear(&mut state, image("sample 0"));
    act(&mut state, Action::Kept(kept(&file), None));
    edit(&mut state, CardField::Channels, "bgr");
    let commands = apply(&mut state);
    let [Command::Send(Request::SetCard(text))] = commands.as_slice() else { panic!("{commands:?}") };
    let expected = Command::KeepCard { key: file.key, card: text.clone() };
    assert_eq!(hear(&mut state, model("net.onnx")), [expected]);
}

/// The questions about costs that an action leads to.
fn estimates(state: &mut State, action: Action) -> Vec<ExplainRequest> {
    let asked = |command| match command {
        Command::Send(Request::Estimate(request)) => Some(request),
        _ => None,
    };
    state.update(action, 0.0).into_iter().filter_map(asked).collect()
}

/// The answer to a question about a cost.
fn estimated(request: &ExplainRequest, forward_passes: u64, backward_passes: u64, pass: Option<f64>) -> Action {
    let run = request.run;
    Action::Heard(Event::Estimated { run, forward_passes, backward_passes, pass_seconds: pass })
}

/// A ready page and its first question about a cost.
fn ready_to_estimate() -> (State, ExplainRequest) {
    let mut state = State::new(Link::default());
    hear(&mut state, ready());
    hear(&mut state, model("critters"));
    let asked = estimates(&mut state, Action::Heard(image("sample 0")));
    let [request] = asked.as_slice() else { panic!("{asked:?}") };
    (state, request.clone())
}

fn set(id: &str, value: &str) -> Action {
    Action::Ask(Change::Parameter(id.into(), value.into()))
}

fn add(id: &str) -> Action {
    Action::Compare(CompareChange::Add(id.into()))
}

/// The run that the one command starts: its number and its method.
fn started(commands: &[Command]) -> (u32, &str) {
    let [Command::Send(Request::Explain(request))] = commands else { panic!("{commands:?}") };
    (request.run, &request.method)
}

fn outcome<'a>(state: &'a State, id: &str) -> &'a Outcome {
    &state.compare.iter().find(|card| card.method == id).unwrap().outcome
}

#[test]
fn the_cost_is_asked_whenever_the_question_changes_and_told_before_the_run() {
    let (mut state, request) = ready_to_estimate();
    assert_eq!(request.method, "integrated-gradients");
    assert_eq!(state.cost(), None);
    assert_eq!(estimates(&mut state, estimated(&request, 52, 50, None)), []);
    assert_eq!(state.cost().as_deref(), Some("52 forward and 50 backward passes"));
    assert_eq!(estimates(&mut state, Action::SetOpacity(0.5)), [], "nothing that it depends on has changed");

    let asked = estimates(&mut state, set("steps", "8"));
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].parameters["steps"], "8");
    assert_eq!(state.cost(), None, "the former cost no longer holds");
    estimates(&mut state, estimated(&asked[0], 10, 8, Some(0.1)));
    assert_eq!(state.cost().as_deref(), Some("10 forward and 8 backward passes, about 2.6 s"), "backward counts twice");
}

#[test]
fn one_cost_is_asked_at_a_time_and_then_the_newest() {
    let (mut state, first) = ready_to_estimate();
    for steps in ["1", "12", "123"] {
        assert_eq!(estimates(&mut state, set("steps", steps)), [], "the first is still on its way");
    }
    let asked = estimates(&mut state, estimated(&first, 52, 50, None));
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].parameters["steps"], "123");
    assert_ne!(asked[0].run, first.run);
    estimates(&mut state, estimated(&first, 1, 1, None));
    assert_eq!(state.cost(), None, "an answer to an old question");
}

#[test]
fn no_cost_is_asked_during_a_run_or_for_a_question_that_cannot_be_asked() {
    let (mut state, first) = ready_to_estimate();
    estimates(&mut state, estimated(&first, 52, 50, None));
    assert_eq!(estimates(&mut state, set("steps", "0")), []);
    assert_eq!(state.cost(), None);
    let asked = estimates(&mut state, set("steps", "50"));
    estimates(&mut state, estimated(&asked[0], 52, 50, None));
    act(&mut state, Action::Run);
    assert_eq!(estimates(&mut state, set("steps", "9")), []);
    assert_eq!(estimates(&mut state, Action::Heard(done(1))).len(), 1);
}

#[test]
fn what_the_worker_refuses_is_told_beside_the_parameter_and_forbids_nothing() {
    let (mut state, first) = ready_to_estimate();
    let problem = Problem { kind: ProblemKind::Input, message: "Too many.".into(), field: Some("method.steps".into()) };
    assert_eq!(
        estimates(&mut state, Action::Heard(Event::Failed { run: Some(first.run), problem: problem.clone() })),
        []
    );
    assert_eq!(state.refusal(), Some(&problem));
    assert_eq!((state.notice.clone(), state.status(), state.cost()), (None, Status::Ready, None));
    assert!(state.can_run());
    let asked = estimates(&mut state, set("steps", "8"));
    assert_eq!((asked.len(), state.refusal()), (1, None));
}

#[test]
fn another_image_or_model_or_worker_is_asked_anew() {
    let (mut state, first) = ready_to_estimate();
    act(&mut state, Action::ChooseSample(1));
    estimates(&mut state, estimated(&first, 52, 50, None));
    let asked = estimates(&mut state, Action::Heard(image("sample 1")));
    assert_eq!(asked.len(), 1);
    estimates(&mut state, estimated(&asked[0], 52, 50, None));
    let asked = crashed(&mut state);
    assert_eq!((asked.len(), state.cost()), (1, None), "the old worker answers no more");

    let asked = crashed(&mut state);
    assert_eq!(asked, [], "it may have died of the question");
    assert_eq!(estimates(&mut state, set("steps", "8")).len(), 1);
}

/// What is asked about costs after a crash, once everything is loaded again.
fn crashed(state: &mut State) -> Vec<ExplainRequest> {
    act(state, Action::Crashed("boom".into()));
    for event in [ready(), model("critters"), image("sample 0")] {
        hear(state, event);
    }
    estimates(state, Action::Heard(image("sample 1")))
}

#[test]
fn a_long_run_teaches_how_long_passes_take() {
    let (mut state, first) = ready_to_estimate();
    estimates(&mut state, estimated(&first, 10, 0, Some(1.0)));
    assert_eq!(state.cost().as_deref(), Some("10 forward passes, about 10 s"));
    act(&mut state, Action::Run);
    hear(&mut state, done_in(1, 5, 100.0));
    assert_eq!(state.cost().as_deref(), Some("10 forward passes, about 10 s"), "too short to tell");
    act(&mut state, Action::Run);
    hear(&mut state, done_in(2, 100, 20.0));
    assert_eq!(state.cost().as_deref(), Some("10 forward passes, about 2.0 s"));
}

#[test]
fn an_image_that_stands_for_what_is_removed_stays_here_while_costs_are_asked() {
    let (mut state, first) = ready_to_estimate();
    estimates(&mut state, estimated(&first, 10, 0, None));
    let image = File { name: "sky.png".into(), bytes: vec![1, 2, 3] };
    let asked = estimates(&mut state, Action::Ask(Change::Infill("baseline".into(), image)));
    assert_eq!((asked[0].parameters["baseline"].as_str(), asked[0].infill_files.len()), ("sky.png", 0));
}

#[test]
fn a_method_around_another_takes_that_one_s_parameters_and_layer_too() {
    let (mut state, _) = opened("");
    act(&mut state, Action::Ask(Change::Method("smooth".into())));
    for (id, value) in [("steps", "3"), ("method", "grad-cam"), ("method.steps", "7"), ("method.baseline", "black")] {
        act(&mut state, set(id, value));
    }
    act(&mut state, Action::Ask(Change::Layer(Some("conv1".into()))));
    assert_eq!(
        state.link().to_fragment().split("&p.").skip(1).collect::<Vec<_>>(),
        ["method=grad-cam", "method.steps=7", "steps=3"]
    );
    let commands = act(&mut state, Action::Run);
    let [Command::Send(Request::Explain(request))] = commands.as_slice() else { panic!("{commands:?}") };
    let expected = [("method", "grad-cam"), ("method.steps", "7"), ("steps", "3")];
    assert_eq!(request.parameters, expected.map(|(id, value)| (id.to_owned(), value.to_owned())).into());
    assert_eq!(request.layer.as_deref(), Some("conv1"), "the method within looks at one");
    hear(&mut state, done(1));

    act(&mut state, set("method.steps", "0"));
    assert!(state.problem().unwrap().contains("\"method.steps\""), "{:?}", state.problem());
    act(&mut state, set("method", "smooth"));
    assert!(state.problem().unwrap().contains("\"method\""), "no method goes around itself: {:?}", state.problem());
}

#[test]
fn methods_to_compare_run_one_after_the_other_about_the_same_question() {
    let (mut state, _) = opened("");
    for id in ["rise", "grad-cam", "rise", "magic", "integrated-gradients"] {
        assert_eq!(act(&mut state, add(id)), [], "nothing has been asked yet");
    }
    let ids: Vec<&str> = state.compare.iter().map(|card| card.method.as_str()).collect();
    assert_eq!(ids, ["rise", "grad-cam"], "each once, and none that is there already or unknown");
    act(&mut state, Action::Ask(Change::Target("prob:1".into())));
    act(&mut state, Action::Ask(Change::Seed("5".into())));

    assert_eq!(started(&act(&mut state, Action::Run)), (1, "integrated-gradients"));
    act(&mut state, Action::Ask(Change::Target("2".into())));
    let commands = hear(&mut state, done(1));
    assert_eq!(started(&commands), (2, "rise"));
    let [Command::Send(Request::Explain(request))] = commands.as_slice() else { unreachable!() };
    assert_eq!((request.target.as_str(), request.seed), ("prob:1", 5), "as it was when the run began");
    assert_eq!((state.status(), outcome(&state, "rise")), (Status::Running, &Outcome::Running));
    assert!(state.status_sentence().starts_with("rise is running, 1 to go"), "{}", state.status_sentence());
    hear(&mut state, Event::Partial { run: 2, map: Map::new(1, 1, &[9.0]) });
    assert_eq!(state.map.as_ref().unwrap().values, [-1.0], "the map above is that of the question");

    assert_eq!(started(&hear(&mut state, done(2))), (3, "grad-cam"));
    assert_eq!(hear(&mut state, done(3)), []);
    assert_eq!((state.status(), state.compared().len()), (Status::Done, 3));
    assert!(state.status_sentence().starts_with("Done: 3 maps"), "{}", state.status_sentence());
}

#[test]
fn a_method_added_to_a_finished_map_runs_at_once_and_alone() {
    let (mut state, _) = opened("");
    act(&mut state, Action::Run);
    hear(&mut state, done(1));
    assert_eq!(started(&act(&mut state, add("rise"))), (2, "rise"));
    assert_eq!(act(&mut state, add("grad-cam")), [], "after that one");
    assert_eq!(started(&hear(&mut state, done(2))), (3, "grad-cam"));
    hear(&mut state, done(3));
    assert!(state.map.is_some() && state.compared().len() == 3);

    act(&mut state, Action::Ask(Change::Target("2".into())));
    act(&mut state, Action::Compare(CompareChange::Remove("rise".into())));
    assert_eq!(act(&mut state, add("rise")), [], "the map above answers another question");
    assert_eq!(outcome(&state, "rise"), &Outcome::Waiting);
}

#[test]
fn what_fails_beside_others_says_so_in_its_place_and_the_others_go_on() {
    let (mut state, _) = opened("");
    for id in ["rise", "grad-cam", "smooth"] {
        act(&mut state, add(id));
    }
    act(&mut state, set("method", "magic"));
    act(&mut state, Action::Run);
    hear(&mut state, done(1));
    assert_eq!(started(&hear(&mut state, failed(Some(2), ProblemKind::Input))), (3, "grad-cam"));
    assert_eq!(outcome(&state, "rise"), &Outcome::Failed("Something is wrong.".into()));
    assert_eq!(hear(&mut state, done(3)), [], "the last one cannot be asked");
    let Outcome::Failed(message) = outcome(&state, "smooth") else { panic!("{:?}", outcome(&state, "smooth")) };
    assert!(message.contains("\"magic\""), "{message}");
    assert_eq!((state.status(), state.notice.clone()), (Status::Done, None));

    assert_eq!(started(&act(&mut state, Action::Run)), (4, "integrated-gradients"));
    assert_eq!(outcome(&state, "rise"), &Outcome::Waiting, "everything anew");
    assert_eq!(started(&hear(&mut state, failed(Some(4), ProblemKind::Input))), (5, "rise"));
    for run in [5, 6] {
        hear(&mut state, done(run));
    }
    assert_eq!(state.status(), Status::Error, "the question's own method failed");
    assert!(state.notice.is_some());
}

#[test]
fn cancelling_stops_the_whole_queue_and_keeps_what_is_finished() {
    let (mut state, _) = opened("");
    for id in ["rise", "grad-cam", "smooth"] {
        act(&mut state, add(id));
    }
    act(&mut state, Action::Run);
    hear(&mut state, done(1));
    hear(&mut state, done(2));
    assert_eq!(act(&mut state, Action::Cancel), [Command::Send(Request::Cancel { run: 3 })]);
    assert_eq!(hear(&mut state, Event::Cancelled { run: 3 }), []);
    assert_eq!((state.status(), state.compared().len()), (Status::Cancelled, 2));
    assert_eq!((outcome(&state, "grad-cam"), outcome(&state, "smooth")), (&Outcome::Stopped, &Outcome::Waiting));

    act(&mut state, Action::Run);
    act(&mut state, Action::Cancel);
    assert_eq!(hear(&mut state, done(4)), [], "it was faster, but nothing comes after it");
    assert_eq!(state.status(), Status::Done);
}

#[test]
fn a_method_can_be_taken_out_while_it_runs_and_before() {
    let (mut state, _) = opened("");
    for id in ["rise", "grad-cam", "smooth"] {
        act(&mut state, add(id));
    }
    act(&mut state, Action::Run);
    hear(&mut state, done(1));
    let remove = |id: &str| Action::Compare(CompareChange::Remove(id.into()));
    assert_eq!(act(&mut state, remove("grad-cam")), [], "it has not begun");
    assert_eq!(act(&mut state, remove("rise")), [Command::Send(Request::Cancel { run: 2 })]);
    assert_eq!(started(&hear(&mut state, Event::Cancelled { run: 2 })), (3, "smooth"));
    hear(&mut state, done(3));
    assert_eq!((state.status(), state.compared().len()), (Status::Done, 2));
}

#[test]
fn a_link_compares_the_methods_that_there_are() {
    let (mut state, commands) = opened("method=grad-cam&compare=rise,magic,grad-cam,rise,smooth&p.method=grad-cam");
    assert_eq!(started(&commands), (1, "grad-cam"));
    assert_eq!(started(&hear(&mut state, done(1))), (2, "rise"));
    let commands = hear(&mut state, done(2));
    let [Command::Send(Request::Explain(request))] = commands.as_slice() else { panic!("{commands:?}") };
    assert_eq!((request.method.as_str(), request.parameters["method"].as_str()), ("smooth", "grad-cam"));
    assert_eq!(
        state.link().to_fragment(),
        "model=critters&image=sample-0&method=grad-cam&target=auto&seed=0\
                                            &compare=rise%2Csmooth&p.method=grad-cam"
    );
    act(&mut state, Action::Follow(Link::parse("method=rise")));
    assert_eq!(state.compare, []);
}

#[test]
fn another_picture_or_a_crash_leaves_no_method_running() {
    for crash in [false, true] {
        let (mut state, _) = opened("compare=rise,smooth");
        act(&mut state, Action::Run);
        hear(&mut state, done(1));
        let action = if crash { Action::Crashed("boom".into()) } else { Action::ChooseSample(1) };
        act(&mut state, action);
        assert_eq!(outcome(&state, "rise"), &Outcome::Stopped);
        if crash {
            continue;
        }
        assert_eq!(hear(&mut state, Event::Cancelled { run: 2 }), []);
        assert_eq!(hear(&mut state, image("sample 1")), []);
        assert_eq!(outcome(&state, "rise"), &Outcome::Waiting, "no map of another picture stays");
    }
}

#[test]
fn the_cost_of_a_comparison_is_that_of_all_its_methods() {
    let (mut state, first) = ready_to_estimate();
    estimates(&mut state, estimated(&first, 52, 50, None));
    let asked = estimates(&mut state, add("rise"));
    assert_eq!((asked.len(), asked[0].method.as_str()), (1, "rise"));
    assert_eq!(state.cost(), None);
    let next = estimates(&mut state, add("grad-cam"));
    assert_eq!(next, [], "one at a time");
    let next = estimates(&mut state, estimated(&asked[0], 500, 0, None));
    assert_eq!(next[0].method, "grad-cam");
    estimates(&mut state, Action::Heard(failed(Some(next[0].run), ProblemKind::Input)));
    assert_eq!(state.cost().as_deref(), Some("3 methods, in all 552 forward and 50 backward passes"));
    assert_eq!(state.refusal(), None, "that is another method's");
    estimates(&mut state, Action::Compare(CompareChange::Remove("rise".into())));
    assert_eq!(state.cost().as_deref(), Some("2 methods, in all 52 forward and 50 backward passes"));
}

/// A page whose worker knows two metrics, with a map on screen.
fn judged() -> (State, Vec<Command>) {
    let metric = |id: &str| MetricInfo {
        id: id.into(),
        name: id.into(),
        group: MetricGroup::Faithfulness,
        better: Better::Lower,
        range: [None, None],
        meaning: String::new(),
        caveat: String::new(),
        reference: Reference { authors: String::new(), year: 2020, title: String::new(), venue: String::new() },
        needs: Vec::new(),
        parameters: Vec::new(),
    };
    let mut state = State::new(Link::default());
    let Event::Ready { version, device, methods, models, samples, .. } = ready() else { unreachable!() };
    let regions = Parameter {
        id: "regions".into(),
        kind: ParameterKind::Regions,
        default: ParameterValue::Text("auto".into()),
        help: String::new(),
    };
    let metrics = vec![metric("deletion"), MetricInfo { parameters: vec![regions], ..metric("saco") }];
    hear(&mut state, Event::Ready { version, device, methods, metrics, models, samples });
    hear(&mut state, model("critters"));
    hear(&mut state, image("sample 0"));
    act(&mut state, Action::Run);
    let commands = hear(&mut state, done_in(1, 100, 1.0));
    (state, commands)
}

fn asked_for_costs(commands: &[Command]) -> Option<u32> {
    commands.iter().find_map(|command| match command {
        Command::Send(Request::EstimateMetrics(request)) => Some(request.run),
        _ => None,
    })
}

#[test]
fn what_metrics_cost_is_asked_once_for_each_map_and_told_in_seconds() {
    let (mut state, commands) = judged();
    let run = asked_for_costs(&commands).expect("the map is finished");
    assert_eq!(asked_for_costs(&act(&mut state, Action::SetOpacity(0.5))), None, "it is on its way");
    let seconds = |state: &State| state.measures().iter().map(|measure| measure.seconds).collect::<Vec<_>>();
    assert_eq!(seconds(&state), [None, None]);
    // A pass took a hundredth of a second; a backward pass counts twice.
    hear(&mut state, Event::MetricsEstimated { run, passes: vec![Some([10, 5]), None] });
    assert_eq!(seconds(&state), [Some(0.2), None]);
    assert_eq!(asked_for_costs(&act(&mut state, Action::SetOpacity(0.6))), None, "it is known");
    act(&mut state, Action::Run);
    let again = asked_for_costs(&hear(&mut state, done(2))).expect("another map");
    assert_ne!(again, run);
    hear(&mut state, Event::MetricsEstimated { run, passes: vec![Some([1, 0]), Some([1, 0])] });
    assert_eq!(seconds(&state), [None, None], "an answer about the map before");
}

#[test]
fn a_metric_is_asked_with_the_settings_typed_and_an_older_score_goes() {
    let (mut state, commands) = judged();
    let run = asked_for_costs(&commands).expect("the map is finished");
    hear(&mut state, Event::MetricsEstimated { run, passes: vec![None, Some([10, 0])] });
    let saco = |state: &State| state.measures().into_iter().find(|measure| measure.metric.id == "saco").unwrap();
    assert!(saco(&state).seconds.is_some());
    act(&mut state, Action::Measure(vec!["saco".into()]));
    let number = state.run.as_ref().unwrap().number;
    hear(&mut state, Event::Scored { run: number, score: Box::default() });
    assert!(matches!(saco(&state).verdict, Some(Verdict::Done(_))));
    let file = File { name: "mine.npy".into(), bytes: vec![1] };
    act(&mut state, Action::SetMetric(Change::Infill("saco.regions".into(), file.clone())));
    assert_eq!((saco(&state).verdict, saco(&state).seconds), (None, None));
    let commands = act(&mut state, Action::Measure(vec!["saco".into()]));
    let [Command::Send(Request::Evaluate(request))] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!(request.parameters, [("regions".to_owned(), "mine.npy".to_owned())].into());
    assert_eq!(request.infill_files, [file]);
}

#[test]
fn a_worker_that_does_not_know_what_metrics_cost_is_not_asked_again() {
    let (mut state, commands) = judged();
    let run = asked_for_costs(&commands);
    let commands = hear(&mut state, failed(run, ProblemKind::Input));
    assert_eq!((asked_for_costs(&commands), state.notice.is_none()), (None, true));
    let commands = act(&mut state, Action::Measure(vec!["saco".into()]));
    assert!(matches!(&commands[..], [Command::Send(Request::Evaluate(_))]), "{commands:?}");
}
