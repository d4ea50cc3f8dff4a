//! The page's own pictures are rendered, so it is known which part of the creature each pixel shows.

use super::{HeatMap, State};
use crate::label_map::LabelMap;

/// What a picture shows, pixel by pixel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Truth {
    pub(crate) names: Vec<String>,
    /// Numbers of the names; none where the surroundings are.
    pub(crate) labels: LabelMap,
}

/// How much of the picture a part is, and how much of the map lies on it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PartShare {
    pub(crate) label: Option<usize>,
    pub(crate) name: String,
    /// Of the picture, 0 to 1.
    pub(crate) area: f64,
    /// Of what speaks for the answer, 0 to 1.
    pub(crate) map: f64,
}

impl State {
    /// What the picture at hand shows, where it is one of the page's own.
    pub(crate) fn truth(&self) -> Option<Truth> {
        let parts = self.samples.get(self.chosen_sample()?)?.parts.as_ref()?;
        let labels = parts.labels.values().into_iter().map(|label| label as i32).collect();
        let (image, labels) = (self.image.as_ref()?, LabelMap::of(parts.labels.width, labels));
        Some(Truth { names: parts.names.clone(), labels: labels.scaled(image.picture.width, image.picture.height) })
    }
}

impl Truth {
    /// Every part and the surroundings, the part with the most of the map first.
    pub(crate) fn shares(&self, map: &HeatMap) -> Vec<PartShare> {
        let place = |index: usize| self.labels.at(index % map.width.max(1), index / map.width.max(1));
        let positive = |value: &f32| f64::from(value.max(0.0));
        let total: f64 = map.values.iter().map(positive).sum();
        let share = |label: Option<usize>, name: &str| {
            let (mut pixels, mut strength) = (0_usize, 0.0);
            for (index, value) in map.values.iter().enumerate() {
                if place(index).map(|own| own as usize) == label {
                    pixels += 1;
                    strength += positive(value);
                }
            }
            PartShare {
                label,
                name: name.to_owned(),
                area: pixels as f64 / map.values.len().max(1) as f64,
                map: if total > 0.0 { strength / total } else { 0.0 },
            }
        };
        let parts = self.names.iter().enumerate().map(|(label, name)| share(Some(label), name));
        let mut shares: Vec<PartShare> = parts.chain([share(None, "surroundings")]).collect();
        shares.sort_by(|one, other| other.map.total_cmp(&one.map));
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pixels of eye, one of beak and one of sky; what speaks against the answer counts nothing.
    #[test]
    fn the_map_is_shared_out_over_the_parts() {
        let truth = Truth { names: vec!["eyes".into(), "beak".into()], labels: LabelMap::of(2, vec![0, 0, 1, -1]) };
        let map = HeatMap { width: 2, height: 2, values: vec![1.0, 2.0, -5.0, 1.0] };
        let shares = truth.shares(&map);
        let found: Vec<(&str, f64, f64)> =
            shares.iter().map(|part| (part.name.as_str(), part.area, part.map)).collect();
        assert_eq!(found, [("eyes", 0.5, 0.75), ("surroundings", 0.25, 0.25), ("beak", 0.25, 0.0)]);
        let blank = truth.shares(&HeatMap { width: 2, height: 2, values: vec![0.0; 4] });
        assert!(blank.iter().all(|part| part.map == 0.0));
    }
}
