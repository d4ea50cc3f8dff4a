//! The menu of methods: a search over all of them, the browser's own menu by family, and what the chosen one does.

use std::rc::Rc;

use vitrine_protocol::{MethodInfo, Need};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement, ScrollIntoViewOptions, ScrollLogicalPosition};
use yew::prelude::*;

use crate::widgets::{Entry, Select};
use crate::{family, method_search};

#[derive(PartialEq, Properties)]
pub(crate) struct MethodMenuProperties {
    pub(crate) methods: Rc<[MethodInfo]>,
    /// Id of the method chosen.
    pub(crate) chosen: String,
    pub(crate) choose: Callback<String>,
}

#[component]
pub(crate) fn MethodMenu(properties: &MethodMenuProperties) -> Html {
    let MethodMenuProperties { methods, chosen, choose } = properties;
    let method = methods.iter().find(|method| method.id == *chosen);
    html! {
        <>
            <Search methods={methods.clone()} {choose} />
            <div class="field">
                <label for="method-select">{"Method"}</label>
                <Select
                    id="method-select"
                    test_id="method-select"
                    entries={entries(methods, |_| true)}
                    value={chosen.clone()}
                    described_by="method-summary"
                    on_change={choose}
                />
            </div>
            if let Some(method) = method {
                <div id="method-summary" data-testid="method-summary">
                    <p>{&method.summary}</p>
                    <p class="hint">
                        <strong>{family::name(method.family)}{": "}</strong>{family::line(method.family)}{" "}{needs(method)}
                    </p>
                    <p class="hint">{ reference(method) }</p>
                </div>
            }
        </>
    }
}

/// Lines of a menu, in groups by family, of the methods that pass.
pub(super) fn entries(methods: &[MethodInfo], pass: impl Fn(&MethodInfo) -> bool) -> Vec<Entry> {
    let entry = |method: &MethodInfo| Entry {
        group: family::name(method.family).to_owned(),
        ..Entry::new(&method.id, &method.name)
    };
    let mut chosen: Vec<&MethodInfo> = methods.iter().filter(|method| pass(method)).collect();
    chosen.sort_by_key(|method| methods.iter().position(|first| first.family == method.family));
    chosen.into_iter().map(entry).collect()
}

fn needs(method: &MethodInfo) -> &'static str {
    let needs = |need| method.needs.contains(&need);
    match (needs(Need::Gradient), needs(Need::SpatialLayer)) {
        (true, true) => "Needs gradients, and a layer that lies over the picture.",
        (true, false) => "Needs gradients.",
        (false, true) => "Needs a layer that lies over the picture, and no gradients.",
        (false, false) => "Needs no gradients: any model will do.",
    }
}

fn reference(method: &MethodInfo) -> String {
    let paper = &method.reference;
    format!("{} ({}): {}. {}.", paper.authors, paper.year, paper.title.trim_end_matches('.'), paper.venue)
}

#[derive(PartialEq, Properties)]
struct SearchProperties {
    methods: Rc<[MethodInfo]>,
    choose: Callback<String>,
}

/// A field whose list of findings opens below it while something is typed, or with the arrow keys.
#[component]
fn Search(properties: &SearchProperties) -> Html {
    let text = use_state(String::new);
    let open = use_state(|| false);
    let active = use_state(|| 0_usize);
    let list = use_node_ref();
    let found = method_search::find(&properties.methods, &text);
    let at = (*active).min(found.len().saturating_sub(1));
    let active_id = found.get(at).filter(|_| *open).map(|method| option_id(method));
    use_effect_with((list.clone(), active_id.clone()), |(list, id)| {
        let Some((list, id)) = list.cast::<Element>().zip(id.as_ref()) else { return };
        if let Some(option) = list.query_selector(&format!("#{id}")).ok().flatten() {
            let options = ScrollIntoViewOptions::new();
            options.set_block(ScrollLogicalPosition::Nearest);
            option.scroll_into_view_with_scroll_into_view_options(&options);
        }
    });
    let close = {
        let (text, open, active) = (text.clone(), open.clone(), active.clone());
        move || {
            text.set(String::new());
            open.set(false);
            active.set(0);
        }
    };
    let choose = {
        let (choose, close) = (properties.choose.clone(), close.clone());
        move |id: String| {
            choose.emit(id);
            close();
        }
    };
    let oninput = {
        let (text, open, active) = (text.clone(), open.clone(), active.clone());
        Callback::from(move |event: InputEvent| {
            let typed = event.target().map(|target| target.unchecked_into::<HtmlInputElement>().value());
            let typed = typed.unwrap_or_default();
            open.set(!typed.trim().is_empty());
            text.set(typed);
            active.set(0);
        })
    };
    let onkeydown = {
        let (open, active, choose) = (open.clone(), active.clone(), choose.clone());
        let ids: Vec<String> = found.iter().map(|method| method.id.clone()).collect();
        let typed = !text.is_empty();
        Callback::from(move |event: KeyboardEvent| {
            let last = ids.len().saturating_sub(1);
            match event.key().as_str() {
                "ArrowDown" if !*open => open.set(true),
                "ArrowDown" => active.set(if at == last { 0 } else { at + 1 }),
                "ArrowUp" if *open => active.set(if at == 0 { last } else { at - 1 }),
                // It would start a run.
                "Enter" => {
                    if let Some(id) = ids.get(at).filter(|_| *open) {
                        choose(id.clone());
                    }
                }
                // It would stop a run.
                "Escape" if *open || typed => {
                    close();
                    event.stop_propagation();
                }
                _ => return,
            }
            event.prevent_default();
        })
    };
    let onblur = {
        let open = open.clone();
        Callback::from(move |_: FocusEvent| open.set(false))
    };
    let options = found.iter().enumerate().map(|(index, method)| {
        let (id, choose) = (method.id.clone(), choose.clone());
        html! {
            <li
                key={id.clone()}
                id={option_id(method)}
                role="option"
                aria-selected={(index == at).to_string()}
                data-method={id.clone()}
                // The field keeps the focus.
                onmousedown={|event: MouseEvent| event.prevent_default()}
                onclick={move |_| choose(id.clone())}
            >
                <span>{&method.name}</span>
                <span class="hint">{family::name(method.family)}</span>
            </li>
        }
    });
    html! {
        <div class="field search">
            <label for="method-search">{"Find a method"}</label>
            <input
                id="method-search"
                data-testid="method-search"
                type="search"
                role="combobox"
                autocomplete="off"
                spellcheck="false"
                placeholder={format!("among {}: name, author, any word", properties.methods.len())}
                aria-autocomplete="list"
                aria-expanded={open.to_string()}
                aria-controls="method-found"
                aria-activedescendant={active_id}
                value={(*text).clone()}
                {oninput}
                {onkeydown}
                {onblur}
            />
            <ul
                ref={list}
                id="method-found"
                data-testid="method-found"
                role="listbox"
                aria-label="Methods found"
                hidden={!*open || found.is_empty()}
            >
                { for options.filter(|_| *open) }
            </ul>
            <p role="status" class={if *open && found.is_empty() { "hint" } else { "visually-hidden" }}>
                if *open { { count(found.len()) } }
            </p>
        </div>
    }
}

fn option_id(method: &MethodInfo) -> String {
    format!("found-{}", method.id)
}

fn count(found: usize) -> String {
    match found {
        0 => "No method has all of these words.".to_owned(),
        1 => "One method found.".to_owned(),
        found => format!("{found} methods found."),
    }
}
