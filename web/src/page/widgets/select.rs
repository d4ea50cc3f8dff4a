//! A menu that always shows the state's value.

use wasm_bindgen::JsCast;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

/// One line of a menu.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// Heading above it and its neighbours; empty for none.
    pub(crate) group: String,
    pub(crate) value: String,
    pub(crate) label: String,
}

impl Entry {
    /// An entry without a heading.
    pub(crate) fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Entry { group: String::new(), value: value.into(), label: label.into() }
    }
}

#[derive(PartialEq, Properties)]
pub(crate) struct SelectProperties {
    pub(crate) id: AttrValue,
    #[prop_or_default]
    pub(crate) test_id: Option<AttrValue>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) value: String,
    #[prop_or_default]
    pub(crate) disabled: bool,
    /// Id of the element that explains the menu.
    #[prop_or_default]
    pub(crate) described_by: Option<AttrValue>,
    pub(crate) on_change: Callback<String>,
}

#[component]
pub(crate) fn Select(properties: &SelectProperties) -> Html {
    let node = use_node_ref();
    {
        let (node, value) = (node.clone(), properties.value.clone());
        // After every drawing, since both the entries and the visitor move the browser's own choice.
        use_effect(move || {
            if let Some(select) = node.cast::<HtmlSelectElement>().filter(|select| select.value() != value) {
                select.set_value(&value);
            }
        });
    }
    let onchange = properties.on_change.reform(|event: Event| {
        event.target().map(|target| target.unchecked_into::<HtmlSelectElement>().value()).unwrap_or_default()
    });
    html! {
        <select
            ref={node}
            id={&properties.id}
            data-testid={&properties.test_id}
            disabled={properties.disabled}
            aria-describedby={&properties.described_by}
            {onchange}
        >
            { for properties.entries.chunk_by(|one, next| one.group == next.group).map(group) }
        </select>
    }
}

fn group(entries: &[Entry]) -> Html {
    let lines = entries.iter().map(|entry| html! { <option value={entry.value.clone()}>{&entry.label}</option> });
    match entries.first().map(|entry| entry.group.as_str()) {
        None | Some("") => lines.collect(),
        Some(label) => html! { <optgroup label={label.to_owned()}>{ for lines }</optgroup> },
    }
}
