//! Can this map be trusted? Metrics that score it, each with what it says and what it does not.

use std::rc::Rc;

use vitrine_image::{Palette, Scale};
use vitrine_protocol::{Altered, Better, Curve, MadeAgain, MethodInfo, MetricGroup, MetricInfo, Parameter, Score};
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::map_canvas::MapCanvas;
use super::parameter_field::ParameterField;
use super::truth::TruthPanel;
use crate::label_map::LabelMap;
use crate::metric_settings::{MetricSettings, usual};
use crate::number::{percent, seconds, short};
use crate::state::{Action, Change, HeatMap, Image, Judged, Measure, PERCENTILE, Verdict};
use crate::widgets::{Chart, Line, Picture};

/// The metrics whose curves are drawn together: what is taken away and what is put back.
const PAIR: [&str; 2] = ["deletion", "insertion"];

#[derive(PartialEq, Properties)]
pub(crate) struct TrustProperties {
    pub(crate) measures: Vec<Measure>,
    /// The usual metrics that are still open.
    pub(crate) usual: Vec<String>,
    /// Whether a finished map is there and nothing runs.
    pub(crate) ready: bool,
    /// The finished map, and what belongs to it.
    pub(crate) on_screen: Option<Judged>,
    /// Every method, for parameters that are one.
    pub(crate) methods: Rc<[MethodInfo]>,
    pub(crate) settings: MetricSettings,
    /// The regions that the visitor has drawn, where there are any.
    pub(crate) drawn: Option<Rc<LabelMap>>,
    pub(crate) palette: Palette,
    pub(crate) opacity: f32,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn TrustPanel(properties: &TrustProperties) -> Html {
    let TrustProperties { measures, usual, ready, on_screen, on, .. } = properties;
    let all = usual.clone();
    let groups = MetricGroup::ALL.iter().map(|group| {
        let of_group: Vec<&Measure> = measures.iter().filter(|measure| measure.metric.group == *group).collect();
        html! { if !of_group.is_empty() { { group_of(*group, &of_group, properties) } } }
    });
    html! {
        <section class="trust" aria-labelledby="trust-title" data-testid="trust">
            <h2 id="trust-title">{"Can this map be trusted?"}</h2>
            if let Some(Judged { map, image, truth, completeness: gap }) = on_screen {
                <p class="hint">
                    {"A map can look convincing and be wrong. Each number below tests it in one way; none of them proves it."}
                </p>
                <div class="buttons">
                    <button
                        type="button"
                        data-testid="trust-usual"
                        disabled={!ready || usual.is_empty()}
                        onclick={on.reform(move |_| Action::Measure(all.clone()))}
                    >
                        {"Measure the usual ones"}
                    </button>
                    if let Some(time) = time_of(usual, measures) {
                        <span class="hint cost">{about(time)}</span>
                    }
                </div>
                { pair(measures) }
                if let Some((gap, change)) = gap {
                    { completeness(*gap, *change) }
                }
                if let Some(truth) = truth {
                    <TruthPanel
                        truth={truth.clone()}
                        image={image.clone()}
                        map={map.clone()}
                        palette={properties.palette}
                        opacity={properties.opacity}
                    />
                }
                { for groups }
            } else {
                <p class="hint">{"Once a map is finished, it can be tested here."}</p>
            }
        </section>
    }
}

/// How long these metrics take one after the other; nothing as long as it is not known, and when there are none.
fn time_of(ids: &[String], measures: &[Measure]) -> Option<f64> {
    let times = ids.iter().map(|id| measures.iter().find(|measure| measure.metric.id == *id)?.seconds);
    times.sum::<Option<f64>>().filter(|_| !ids.is_empty())
}

fn about(time: f64) -> String {
    if time < 0.005 { " at once".to_owned() } else { format!(" about {}", seconds(time)) }
}

/// Deletion and insertion in one chart, drawn while they are measured.
fn pair(measures: &[Measure]) -> Html {
    const LABEL: &str = "How the answer changes while pixels are removed or put back";
    let of_pair = || PAIR.iter().filter_map(|id| measures.iter().find(|measure| measure.metric.id == *id));
    let done = of_pair().filter_map(|measure| Some((measure.metric.name.clone(), score_of(measure)?.clone())));
    let done: Vec<(String, Rc<Score>)> = done.collect();
    let growing = of_pair().any(|measure| measure.growing.is_some());
    html! {
        if growing {
            <Growing key="pair" label={LABEL} measures={of_pair().cloned().collect::<Vec<_>>()} />
        } else if !done.is_empty() {
            <Curves key="pair" label={LABEL} scores={done} />
        }
    }
}

#[derive(PartialEq, Properties)]
struct GrowingProperties {
    label: AttrValue,
    measures: Vec<Measure>,
}

/// Curves of which one is still being measured; there is nothing to look along yet.
#[component]
fn Growing(GrowingProperties { label, measures }: &GrowingProperties) -> Html {
    let curves = measures.iter().filter_map(|measure| {
        let done = score_of(measure).and_then(|score| score.curves.first());
        Some((measure.metric.name.clone(), measure.growing.as_deref().or(done)?))
    });
    let curves: Vec<(String, &Curve)> = curves.collect();
    let lines: Vec<Line> = curves.iter().map(|(name, curve)| line(name, curve)).collect();
    html! {
        <div class="curves" data-testid="growing">
            <Chart
                {label}
                {lines}
                x_label={shared(curves.iter().map(|(_, curve)| curve.x_label.as_str()))}
                y_label={shared(curves.iter().map(|(_, curve)| curve.y_label.as_str()))}
            />
        </div>
    }
}

fn line(name: &str, curve: &Curve) -> Line {
    Line { name: name.to_owned(), points: curve.xs.iter().copied().zip(curve.ys.iter().copied()).collect() }
}

/// A label for all of these: the words that they differ in are all named.
fn shared<'a>(labels: impl Iterator<Item = &'a str>) -> String {
    let mut labels: Vec<&str> = labels.collect();
    labels.dedup();
    let Some((first, others)) = labels.split_first() else { return String::new() };
    let words = |label: &'a str| label.split(' ').collect::<Vec<_>>();
    let first = words(first);
    let same = |place: usize, word: &str| others.iter().all(|other| words(other).get(place) == Some(&word));
    let joined = first.iter().enumerate().map(|(place, word)| {
        let rest = others.iter().filter_map(|other| words(other).get(place).copied());
        if same(place, word) {
            (*word).to_owned()
        } else {
            [*word].into_iter().chain(rest).collect::<Vec<_>>().join(" or ")
        }
    });
    joined.collect::<Vec<_>>().join(" ")
}

fn completeness(gap: f32, change: f32) -> Html {
    let share = f64::from(gap.abs()) / f64::from(change.abs()).max(f64::MIN_POSITIVE);
    html! {
        <div class="measure" data-metric="completeness">
            <h4>{"Completeness gap"}</h4>
            <p class="value"><strong>{percent(share)}</strong>{" lower is better"}</p>
            <p>{"How far the map's values miss the change of the answer that they promise to add up to."}</p>
            <p class="hint">{"But: maps that say nothing of the model can add up too."}</p>
        </div>
    }
}

fn group_of(group: MetricGroup, measures: &[&Measure], properties: &TrustProperties) -> Html {
    let title = match group {
        MetricGroup::Faithfulness => "Does it show what the model looks at?",
        MetricGroup::Robustness => "Does it stay when nothing that matters changes?",
        MetricGroup::Randomisation => "Does it change with the model?",
        MetricGroup::Complexity => "Is it easy to read?",
        MetricGroup::Agreement => "Do other methods say the same?",
        MetricGroup::Localisation => "Does it lie on the right place?",
    };
    let told = measures.iter().filter(|measure| measure.verdict.is_some()).count();
    html! {
        <Group key={group.to_string()} id={group.to_string()} {title} {told} count={measures.len()}>
            { for measures.iter().map(|measure| one(measure, properties)) }
        </Group>
    }
}

#[derive(PartialEq, Properties)]
struct GroupProperties {
    id: String,
    title: AttrValue,
    /// How many of its metrics have something to say.
    told: usize,
    count: usize,
    children: Html,
}

/// Metrics of one kind. It unfolds by itself when one of them is measured, and only the visitor folds it again: what a changed
/// setting makes void is not to take the settings away.
#[component]
fn Group(GroupProperties { id, title, told, count, children }: &GroupProperties) -> Html {
    let unfolded = use_mut_ref(|| false);
    *unfolded.borrow_mut() |= *told > 0;
    let open = *unfolded.borrow();
    html! {
        <details class="measures" data-testid={format!("trust-{id}")} {open}>
            <summary><h3>{title}</h3>{" "}<span class="hint">{format!("{told} of {count} measured")}</span></summary>
            <div class="grid">{ children.clone() }</div>
        </details>
    }
}

fn one(measure: &Measure, properties: &TrustProperties) -> Html {
    let Measure { metric, verdict, missing, growing, seconds: time } = measure;
    let MetricInfo { id, name, meaning, caveat, .. } = metric;
    let state = match verdict {
        None => "open",
        Some(Verdict::Waiting) => "waiting",
        Some(Verdict::Running) => "running",
        Some(Verdict::Done(_)) => "done",
        Some(Verdict::Failed(_)) => "failed",
    };
    let asked = id.clone();
    let curves = score_of(measure).filter(|score| !score.curves.is_empty() && !PAIR.contains(&id.as_str()));
    html! {
        <div class="measure" key={id.clone()} data-metric={id.clone()} data-state={state}>
            <h4>{name}</h4>
            { value(metric, verdict.as_ref()) }
            <p>{meaning}</p>
            <p class="hint">{"But: "}{caveat}</p>
            if let Some(score) = score_of(measure) {
                { for score.notes.iter().map(|note| html! { <p class="hint note">{note}</p> }) }
            }
            if let Some(score) = curves {
                <Curves
                    label={name.clone()}
                    scores={vec![(name.clone(), score.clone())]}
                    look={properties.look()}
                />
            }
            if growing.is_some() && !PAIR.contains(&id.as_str()) {
                <Growing label={name.clone()} measures={vec![measure.clone()]} />
            }
            if !metric.parameters.is_empty() {
                <MetricForm
                    metric={metric.clone()}
                    methods={properties.methods.clone()}
                    settings={properties.settings.clone()}
                    drawn={properties.drawn.clone()}
                    ready={properties.ready}
                    on={&properties.on}
                />
            }
            if let Some(missing) = missing {
                <p class="hint">{*missing}</p>
            } else if !matches!(verdict, Some(Verdict::Done(_) | Verdict::Waiting | Verdict::Running)) {
                <button
                    type="button"
                    data-testid={format!("measure-{id}")}
                    aria-label={format!("Measure {name}")}
                    disabled={!properties.ready}
                    onclick={properties.on.reform(move |_| Action::Measure(vec![asked.clone()]))}
                >
                    {"Measure"}
                </button>
                if let Some(time) = time {
                    <span class="hint cost">{about(*time)}</span>
                }
            }
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct MetricFormProperties {
    metric: MetricInfo,
    methods: Rc<[MethodInfo]>,
    settings: MetricSettings,
    drawn: Option<Rc<LabelMap>>,
    /// Whether nothing runs.
    ready: bool,
    on: Callback<Action>,
}

/// A metric's parameters, folded away until somebody wants them; there are hundreds of all metrics together.
#[component]
fn MetricForm(properties: &MetricFormProperties) -> Html {
    let MetricFormProperties { metric, settings, on, .. } = properties;
    let open = use_state(|| false);
    let toggle = {
        let open = open.clone();
        move |_| open.set(!*open)
    };
    let changed = settings.changed(metric);
    let state = match changed.len() {
        0 => String::new(),
        1 => ", one changed".to_owned(),
        number => format!(", {number} changed"),
    };
    let back = {
        let on = on.clone();
        let usual = changed.iter().map(|parameter| (MetricSettings::id(metric, parameter), usual(parameter)));
        let usual: Vec<(String, String)> = usual.collect();
        let reset = move |(id, value)| on.emit(Action::SetMetric(Change::Parameter(id, value)));
        move |_| usual.iter().cloned().for_each(&reset)
    };
    let field = |parameter: &Parameter| {
        let id = MetricSettings::id(metric, parameter);
        html! {
            <ParameterField
                key={id.clone()}
                methods={properties.methods.clone()}
                parameter={parameter.clone()}
                value={settings.value(metric, parameter)}
                problem={settings.problem(metric, parameter)}
                drawn={properties.drawn.clone()}
                change={on.reform(Action::SetMetric)}
                id={id.clone()}
                {on}
            />
        }
    };
    html! {
        <div class="metric-settings">
            <button
                type="button"
                class="quiet"
                data-testid={format!("settings-{}", metric.id)}
                aria-expanded={open.to_string()}
                aria-label={format!("Settings of {}{state}", metric.name)}
                onclick={toggle}
            >
                {format!("Settings{state}")}
            </button>
            if *open {
                <fieldset disabled={!properties.ready}>
                    { for metric.parameters.iter().map(field) }
                    <button type="button" class="quiet" disabled={changed.is_empty()} onclick={back}>
                        {"Back to the suggested settings"}
                    </button>
                </fieldset>
            }
        </div>
    }
}

fn score_of(measure: &Measure) -> Option<&Rc<Score>> {
    match &measure.verdict {
        Some(Verdict::Done(score)) => Some(score),
        _ => None,
    }
}

fn value(metric: &MetricInfo, verdict: Option<&Verdict>) -> Html {
    match verdict {
        None => Html::default(),
        Some(Verdict::Waiting) => html! { <p class="hint">{"Waits for its turn."}</p> },
        Some(Verdict::Running) => html! { <p class="hint">{"Measuring ..."}</p> },
        Some(Verdict::Failed(message)) => html! { <p class="problem" role="alert">{message}</p> },
        Some(Verdict::Done(score)) => {
            let number = score.value.map_or("no number".to_owned(), short);
            let judged = match metric.better {
                Better::Neither => String::new(),
                better => format!(" {better}"),
            };
            let [low, high] = metric.range.map(|end| end.map(short));
            let range = match (low, high) {
                (Some(low), Some(high)) => format!(", from {low} to {high}"),
                (Some(low), None) => format!(", {low} or more"),
                (None, Some(high)) => format!(", {high} at most"),
                (None, None) => String::new(),
            };
            html! {
                <p class="value">
                    <strong>{number}</strong>{format!("{judged}{range}")}
                    <span class="hint">{format!(" ({})", seconds(score.seconds))}</span>
                </p>
            }
        }
    }
}

#[derive(PartialEq, Properties)]
struct CurvesProperties {
    label: AttrValue,
    /// Names and scores, each with curves.
    scores: Vec<(String, Rc<Score>)>,
    /// How maps that were made again are drawn.
    #[prop_or_default]
    look: Option<Look>,
}

/// How a map is drawn.
#[derive(Clone, PartialEq)]
struct Look {
    image: Rc<Image>,
    palette: Palette,
    opacity: f32,
}

impl TrustProperties {
    /// As the map on screen.
    fn look(&self) -> Option<Look> {
        let image = self.on_screen.as_ref()?.image.clone();
        Some(Look { image, palette: self.palette, opacity: self.opacity })
    }
}

/// Curves with a slider along them, which shows the altered pictures where there are such.
#[component]
fn Curves(properties: &CurvesProperties) -> Html {
    let CurvesProperties { label, scores, look } = properties;
    let place = use_state(|| 0.0_f64);
    let curves: Vec<(&Curve, String)> = scores
        .iter()
        .flat_map(|(name, score)| score.curves.iter().map(move |curve| (curve, named(name, curve, score.curves.len()))))
        .collect();
    let lines: Vec<Line> = curves.iter().map(|(curve, name)| line(name, curve)).collect();
    if lines.is_empty() {
        return Html::default();
    }
    let x_label = shared(curves.iter().map(|(curve, _)| curve.x_label.as_str()));
    let y_label = shared(curves.iter().map(|(curve, _)| curve.y_label.as_str()));
    let ends = lines
        .iter()
        .flat_map(|line| &line.points)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (x, _)| (low.min(*x), high.max(*x)));
    let x = ends.0 + *place * (ends.1 - ends.0);
    let slide = {
        let place = place.clone();
        Callback::from(move |event: InputEvent| {
            let value = event.target().map(|target| target.unchecked_into::<HtmlInputElement>().value_as_number());
            place.set(value.unwrap_or_default() / 100.0);
        })
    };
    let said: Vec<String> = scores.iter().map(|(name, score)| readings(name, score, x)).collect();
    let id = format!("slide-{}", scores.iter().map(|(_, score)| score.metric.as_str()).collect::<Vec<_>>().join("-"));
    html! {
        <div class="curves" data-testid={id.replace("slide", "curves")}>
            <Chart
                {label}
                lines={lines.clone()}
                x_label={x_label.clone()}
                {y_label}
                mark={nearest(&lines, x)}
            />
            <div class="field">
                <label for={id.clone()}>{format!("Look along the curve: {} {}", short(x), x_label)}</label>
                <input
                    id={id.clone()}
                    data-testid={id}
                    type="range"
                    min="0"
                    max="100"
                    value={(100.0 * *place).round().to_string()}
                    aria-valuetext={said.join(", ")}
                    oninput={slide}
                />
            </div>
            <ul class="altered">
                { for scores.iter().zip(&said).map(|((name, score), said)| altered(name, score, x, said)) }
                { for look.iter().flat_map(|look| scores.iter().filter_map(|(_, score)| made_again(score, x, look))) }
            </ul>
        </div>
    }
}

/// A curve by its own name where a score has several.
fn named(metric: &str, curve: &Curve, count: usize) -> String {
    if count > 1 && !curve.name.is_empty() { curve.name.clone() } else { metric.to_owned() }
}

/// `Deletion 0.42`: the value of each curve's nearest point.
fn readings(metric: &str, score: &Score, x: f64) -> String {
    let far = |at: &f64| (at - x).abs();
    let reading = |curve: &Curve| {
        let nearest = curve.xs.iter().zip(&curve.ys).min_by(|(one, _), (other, _)| far(one).total_cmp(&far(other)))?;
        Some(format!("{} {}", named(metric, curve, score.curves.len()), short(*nearest.1)))
    };
    score.curves.iter().filter_map(reading).collect::<Vec<_>>().join(", ")
}

/// The point of the first line that is nearest to a position.
fn nearest(lines: &[Line], x: f64) -> Option<(usize, usize)> {
    let points = lines.first()?.points.iter().enumerate();
    let nearest = points.min_by(|(_, (one, _)), (_, (other, _))| (one - x).abs().total_cmp(&(other - x).abs()))?;
    Some((0, nearest.0))
}

/// The altered picture that is nearest to a position.
fn altered(name: &str, score: &Score, x: f64, said: &str) -> Html {
    let far = |altered: &Altered| (altered.x - x).abs();
    let nearest = score.pictures.iter().min_by(|one, other| far(one).total_cmp(&far(other)));
    html! {
        <li key={name.to_owned()}>
            if let Some(Altered { picture, .. }) = nearest {
                <Picture
                    width={picture.width}
                    height={picture.height}
                    rgba={Rc::<[u8]>::from(picture.rgba.as_slice())}
                    label={format!("What the model saw here: {said}")}
                />
            }
            <span>{said.to_owned()}</span>
        </li>
    }
}

/// The map that is nearest to a position, of those that were made again.
fn made_again(score: &Score, x: f64, look: &Look) -> Option<Html> {
    let far = |made: &MadeAgain| (made.x - x).abs();
    let nearest = score.maps.iter().min_by(|one, other| far(one).total_cmp(&far(other)))?;
    let map = Rc::new(HeatMap::from(nearest.map.clone()));
    Some(html! {
        <li>
            <MapCanvas
                canvas={NodeRef::default()}
                image={look.image.clone()}
                map={map.clone()}
                palette={look.palette}
                scale={Scale::fit(&map.values, look.palette, PERCENTILE)}
                opacity={look.opacity}
                test_id="made-again"
            />
            <span>{"The map made again here"}</span>
        </li>
    })
}

#[cfg(test)]
mod tests {
    use super::shared;

    #[test]
    fn a_label_for_two_curves_names_both() {
        let label = |labels: &[&str]| shared(labels.iter().copied());
        assert_eq!(label(&["part removed", "part inserted"]), "part removed or inserted");
        assert_eq!(label(&["target", "target"]), "target");
        assert_eq!(label(&[]), "");
    }
}
