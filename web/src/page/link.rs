//! The state that a link carries, in the fragment of the page's address: `#model=ID&method=ID&p.steps=50`.
//!
//! A link that names a method also runs it once, so that it brings back a map and not only a form.

use std::collections::BTreeMap;

use vitrine_protocol::DeviceChoice;

/// What a link asks for. Keys it does not name stay empty; keys nobody knows are ignored.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Link {
    /// A built-in model's id, or the address of an ONNX file.
    pub(crate) model: Option<String>,
    /// A sample's id (`sample-0`), or the address of an image.
    pub(crate) image: Option<String>,
    /// A method's id.
    pub(crate) method: Option<String>,
    /// The target, as on the command line.
    pub(crate) target: Option<String>,
    /// The layer, by its value name, or several with commas between.
    pub(crate) layer: Option<String>,
    /// The seed.
    pub(crate) seed: Option<String>,
    /// Ids of the methods to compare that one with.
    pub(crate) compare: Vec<String>,
    /// Parameters of the methods, `p.KEY=VALUE`.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Where to compute.
    pub(crate) device: DeviceChoice,
    /// Whether the page sits inside another page and leaves out its own head and foot.
    pub(crate) embed: bool,
    /// Parts of the page to leave out, by name.
    pub(crate) hide: Vec<String>,
}

impl Link {
    /// Reads a fragment, with or without its `#`.
    pub(crate) fn parse(fragment: &str) -> Link {
        let mut link = Link::default();
        let text = fragment.strip_prefix('#').unwrap_or(fragment);
        for (key, value) in form_urlencoded::parse(text.as_bytes()) {
            let value = value.into_owned();
            match key.as_ref() {
                "model" => link.model = Some(value),
                "image" => link.image = Some(value),
                "method" => link.method = Some(value),
                "target" => link.target = Some(value),
                "layer" => link.layer = Some(value),
                "seed" => link.seed = Some(value),
                "device" => link.device = device_choice(&value),
                "embed" => link.embed = value == "1",
                "hide" => link.hide = listed(&value),
                "compare" => link.compare = listed(&value),
                key => {
                    if let Some(parameter) = key.strip_prefix("p.") {
                        link.parameters.insert(parameter.to_owned(), value);
                    }
                }
            }
        }
        link
    }

    /// Writes the fragment, without its `#`; empty keys are left out.
    pub(crate) fn to_fragment(&self) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        let named = [
            ("model", &self.model),
            ("image", &self.image),
            ("method", &self.method),
            ("target", &self.target),
            ("layer", &self.layer),
            ("seed", &self.seed),
        ];
        for (key, value) in named {
            if let Some(value) = value {
                text.append_pair(key, value);
            }
        }
        if !self.compare.is_empty() {
            text.append_pair("compare", &self.compare.join(","));
        }
        for (key, value) in &self.parameters {
            text.append_pair(&format!("p.{key}"), value);
        }
        if self.device != DeviceChoice::Auto {
            text.append_pair("device", device_id(self.device));
        }
        if self.embed {
            text.append_pair("embed", "1");
        }
        if !self.hide.is_empty() {
            text.append_pair("hide", &self.hide.join(","));
        }
        text.finish()
    }
}

fn listed(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

/// The device of an id; `auto` for any other text.
pub(crate) fn device_choice(id: &str) -> DeviceChoice {
    match id {
        "cpu" => DeviceChoice::Cpu,
        "gpu" => DeviceChoice::Gpu,
        _ => DeviceChoice::Auto,
    }
}

/// The id of a device.
pub(crate) fn device_id(choice: DeviceChoice) -> &'static str {
    match choice {
        DeviceChoice::Auto => "auto",
        DeviceChoice::Cpu => "cpu",
        DeviceChoice::Gpu => "gpu",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read() {
        let link = Link::parse(
            "#model=critters&image=sample-2&method=rise&target=prob%3A3&layer=stage3&seed=7&p.masks=32&p.keep=0.4\
             &compare=saliency,lrp&device=gpu&embed=1&hide=gallery,model",
        );
        let expected = Link {
            model: Some("critters".into()),
            image: Some("sample-2".into()),
            method: Some("rise".into()),
            target: Some("prob:3".into()),
            layer: Some("stage3".into()),
            seed: Some("7".into()),
            compare: vec!["saliency".into(), "lrp".into()],
            parameters: BTreeMap::from([("masks".into(), "32".into()), ("keep".into(), "0.4".into())]),
            device: DeviceChoice::Gpu,
            embed: true,
            hide: vec!["gallery".into(), "model".into()],
        };
        assert_eq!(link, expected);
    }

    #[test]
    fn a_written_link_reads_back_the_same() {
        let link = Link {
            image: Some("https://example.org/a b.png?x=1&y=2#z".into()),
            target: Some("snowy owl".into()),
            layer: Some("/layer3/conv+bn".into()),
            compare: vec!["rise".into(), "grad-cam".into()],
            parameters: BTreeMap::from([("baseline".into(), "value:0.5".into())]),
            device: DeviceChoice::Cpu,
            ..Link::default()
        };
        assert_eq!(Link::parse(&link.to_fragment()), link);
    }

    #[test]
    fn unknown_keys_and_values_are_ignored() {
        assert_eq!(
            Link::parse("#colour=red&device=toaster&&=&seed"),
            Link { seed: Some(String::new()), ..Link::default() }
        );
        assert_eq!(Link::parse(""), Link::default());
    }
}
