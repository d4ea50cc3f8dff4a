//! Finding a method among many by what somebody may remember of it.

use vitrine_protocol::MethodInfo;

use crate::family;

/// The methods in whose name, id, family, summary or paper every word of `text` occurs; those whose name does first, and
/// otherwise in menu order. All of them for an empty text.
pub(crate) fn find<'a>(methods: &'a [MethodInfo], text: &str) -> Vec<&'a MethodInfo> {
    let text = text.trim().to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let matches = |method: &&MethodInfo| {
        let all = everything(method);
        words.iter().all(|word| all.contains(word))
    };
    let mut found: Vec<&MethodInfo> = methods.iter().filter(matches).collect();
    found.sort_by_key(|method| {
        let names = [method.name.to_lowercase(), method.id.clone(), squeezed(&method.name)];
        match () {
            () if names.iter().any(|name| name.starts_with(&text)) => 0,
            () if names.iter().any(|name| name.contains(&text)) => 1,
            () => 2,
        }
    });
    found
}

fn everything(method: &MethodInfo) -> String {
    let MethodInfo { id, name, family, summary, reference, .. } = method;
    let (group, line) = (family::name(*family), family::line(*family));
    let (authors, year, title) = (&reference.authors, reference.year, &reference.title);
    let squeezed = squeezed(name);
    format!("{name} {squeezed} {id} {family} {group} {line} {summary} {authors} {year} {title}").to_lowercase()
}

/// `Grad-CAM++` as some type it: `gradcam`.
fn squeezed(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use vitrine_protocol::{Family, Reference};

    use super::*;

    fn method(id: &str, name: &str, family: Family, summary: &str, authors: &str) -> MethodInfo {
        MethodInfo {
            id: id.into(),
            name: name.into(),
            family,
            summary: summary.into(),
            reference: Reference { authors: authors.into(), year: 2017, title: String::new(), venue: String::new() },
            needs: Vec::new(),
            parameters: Vec::new(),
            promises: Vec::new(),
        }
    }

    fn ids(text: &str) -> Vec<String> {
        let methods = [
            method("smooth-grad", "SmoothGrad", Family::Gradient, "Averages noisy copies.", "Daniel Smilkov"),
            method("hires-cam", "HiResCAM", Family::Cam, "Like Grad-CAM, place by place.", "Rachel Draelos"),
            method("grad-cam", "Grad-CAM", Family::Cam, "Shows where a layer looks.", "Ramprasaath Selvaraju"),
            method("rise", "RISE", Family::Sampling, "Covers random parts.", "Vitali Petsiuk"),
        ];
        find(&methods, text).into_iter().map(|method| method.id.clone()).collect()
    }

    #[test]
    fn methods_are_found_by_name_id_family_summary_author_and_year() {
        for (text, expected) in [
            ("rise", vec!["rise"]),
            ("GRADCAM", vec!["grad-cam"]),
            ("smooth-grad", vec!["smooth-grad"]),
            ("hiding", vec!["rise"]),
            ("sampling", vec!["rise"]),
            ("noisy", vec!["smooth-grad"]),
            ("selvaraju", vec!["grad-cam"]),
            ("petsiuk 2017", vec!["rise"]),
            ("petsiuk 2018", vec![]),
        ] {
            assert_eq!(ids(text), expected, "{text}");
        }
    }

    #[test]
    fn names_come_before_other_words_and_nothing_finds_everything() {
        assert_eq!(ids("grad-cam"), ["grad-cam", "hires-cam"], "the second only speaks of it");
        assert_eq!(ids(" ").len(), 4);
    }
}
