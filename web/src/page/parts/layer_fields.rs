//! Which layers to look at: one, or several in one map.

use vitrine_protocol::ModelSummary;
use yew::prelude::*;

use crate::question::Question;
use crate::state::Change;
use crate::widgets::{Entry, Select};

/// A menu for each layer chosen, and one more to add another; a single one while the choice is the model's own.
pub(crate) fn layer_fields(question: &Question, model: &ModelSummary, ask: &Callback<Change>) -> Html {
    let chosen = question.layers(model);
    let field = |at: usize| {
        let (id, label) = match at {
            0 => ("layer-select".to_owned(), "Layer"),
            _ => (format!("layer-select-{}", at + 1), "And layer"),
        };
        let value = chosen.get(at).cloned().unwrap_or_default();
        let others = chosen.clone();
        let on_change = ask.reform(move |layer: String| Change::Layer(with(others.clone(), at, layer)));
        html! {
            <div class="field">
                <label for={id.clone()}>{label}</label>
                <Select id={id.clone()} test_id={id} entries={entries(at, &value, model)} {value} {on_change} />
            </div>
        }
    };
    (0..=chosen.len()).map(field).collect()
}

/// The choice with another layer in one place; an empty name takes the place's layer out.
fn with(mut layers: Vec<String>, at: usize, layer: String) -> Option<String> {
    if at < layers.len() {
        layers.remove(at);
    }
    if !layer.is_empty() {
        layers.insert(at, layer);
    }
    (!layers.is_empty()).then(|| layers.join(","))
}

fn entries(at: usize, value: &str, model: &ModelSummary) -> Vec<Entry> {
    let none = match (&model.card.target_layer, at) {
        (Some(name), 0) => format!("{name} (the model's own choice)"),
        (None, 0) => "the model's own choice".to_owned(),
        _ => "no other".to_owned(),
    };
    let mut entries = vec![Entry::new("", none)];
    entries.extend(model.layers.iter().map(|layer| {
        let shape: Vec<String> = layer.shape.iter().map(usize::to_string).collect();
        Entry::new(&layer.name, format!("{}: {}, {}", layer.name, layer.operator, shape.join(" × ")))
    }));
    if entries.iter().all(|entry| entry.value != value) {
        entries.push(Entry::new(value, format!("{value} (not in this model)")));
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_added_changed_and_taken_out() {
        let layers = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(with(layers(&[]), 0, "a".into()).as_deref(), Some("a"));
        assert_eq!(with(layers(&["a"]), 1, "b".into()).as_deref(), Some("a,b"));
        assert_eq!(with(layers(&["a", "b"]), 0, "c".into()).as_deref(), Some("c,b"));
        assert_eq!(with(layers(&["a", "b"]), 0, String::new()).as_deref(), Some("b"));
        assert_eq!(with(layers(&["a"]), 1, String::new()).as_deref(), Some("a"));
        assert_eq!(with(layers(&["a"]), 0, String::new()), None);
    }
}
