//! Certificate of uniformly smoothed maps (after Wang, Kong 2024): the map, of length one, is averaged over pictures drawn
//! evenly from a ball. When the centre of the ball moves by a given length, most of it stays the same, so that the mean can
//! move no further than twice the part of the ball that is new. The number is how many of the leading pixels must stay
//! among them then, as a part.
//!
//! Departures: the authors give a tighter bound of their own; here is the one that follows from the volume alone. A pixel
//! leaves the leading ones when another takes its place, for which the two must move by their difference; for several the
//! squares add up.

use vitrine_explain::{
    Cost, LocalBoxFuture,
    toolkit::{Purpose, Random, integer, number},
};
use vitrine_protocol::{Better, Curve, MetricGroup, MetricInfo, MetricNeed, ParameterKind, Reference};

use crate::{
    EvaluateError, Metric, Question,
    again::{self, Again, Change},
    metric::Found,
    robustness::first_order_bound::least_cosine,
    statistics::{norm, wide},
};

vitrine_explain::options! {
    /// Options of the certificate.
    pub struct CertificateOptions {
        /// Pictures of the ball that are explained.
        samples: usize [integer(2, 100_000)] = 50,
        /// Radius of the ball, in the units of what the model sees.
        noise: f64 [number(0.000_001, 10_000.0)] = 1.0,
        /// How far the picture may be moved, as the length of the change.
        radius: f64 [number(0.0, 10_000.0)] = 0.001,
        /// How large a part of all pixels are the leading ones.
        part: f64 [number(0.0001, 0.9)] = 0.1,
        /// Whether the sign of the map is left out.
        absolute: bool [ParameterKind::Boolean] = true,
    }
}

const ID: &str = "smoothed-certificate";

/// Certificate of uniformly smoothed maps.
pub struct SmoothedCertificate;

impl Metric for SmoothedCertificate {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: ID.to_owned(),
            name: "Certificate of smoothed maps".to_owned(),
            group: MetricGroup::Robustness,
            better: Better::Higher,
            range: [Some(0.0), Some(1.0)],
            meaning: "Which part of the leading pixels of the smoothed map must stay among them, however the picture is moved \
                      by the radius: one if all."
                .to_owned(),
            caveat: "It is proved of the smoothed map, up to what the mean of few samples misses, and of large pictures only \
                     for tiny changes."
                .to_owned(),
            reference: Reference {
                authors: "Wang, Kong".to_owned(),
                year: 2024,
                title: "Certified L2 Attribution Robustness via Uniformly Smoothed Attributions".to_owned(),
                venue: "arXiv".to_owned(),
            },
            needs: vec![MetricNeed::Method],
            parameters: CertificateOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        again::cost(question, ID, CertificateOptions::parse(question.context.parameters)?.samples)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(certify(question, self.cost(question)))
    }
}

async fn certify(question: &Question<'_>, cost: Result<Cost, EvaluateError>) -> Result<Found, EvaluateError> {
    let options = CertificateOptions::parse(question.context.parameters)?;
    let mut again = Again::start(question, ID, cost?)?;
    let input = question.context.input.to_vec().await?;
    let dimension = input.len() as f64;
    let mut smooth = vec![0.0; question.map.values.len()];
    for number in 0..options.samples {
        let mut random = Random::new(question.context.seed, Purpose::Noise, number as u32);
        let direction: Vec<f32> = input.iter().map(|_| random.normal()).collect();
        let length = norm(&wide(&direction)).max(f64::MIN_POSITIVE);
        let scale = (options.noise * f64::from(random.uniform()).powf(1.0 / dimension) / length) as f32;
        let near = input.iter().zip(&direction).map(|(value, part)| value + scale * part).collect();
        let map = wide(&again.explain(&Change { input: Some(near), ..Change::default() }).await?.map.values);
        let length = norm(&map) * options.samples as f64;
        if length > 0.0 {
            let value = |value: f64| if options.absolute { value.abs() } else { value };
            smooth.iter_mut().zip(map).for_each(|(mean, found)| *mean += value(found) / length);
        }
    }
    let length = norm(&smooth);
    let mut notes = Vec::new();
    if length > 0.0 {
        let error = ((1.0 - length * length).max(0.0) / (options.samples - 1) as f64).sqrt();
        notes
            .push(format!("The smoothed map, of length {length:.3}, is itself known to a length of about {error:.3}."));
    }
    let leading = (options.part * smooth.len() as f64).ceil() as usize;
    smooth.sort_by(|one, other| other.total_cmp(one));
    let moved = |radius: f64| 2.0 * new_part(radius / (2.0 * options.noise), dimension);
    let certified = |radius: f64| (length > 0.0).then(|| certified(&smooth, leading, moved(radius)));
    let curve = |name: &str, y: &dyn Fn(f64) -> Option<f64>| {
        let radii = (0..=10).map(|tenth| options.radius * f64::from(tenth) / 10.0);
        let (xs, ys) = radii.filter_map(|radius| Some((radius, y(radius)?))).unzip();
        let (x_label, y_label) = ("radius".to_owned(), "certified".to_owned());
        Curve { name: name.to_owned(), x_label, y_label, xs, ys }
    };
    let cosine = |radius: f64| (length > 0.0).then(|| least_cosine(moved(radius) / length));
    let curves = vec![curve("overlap", &certified), curve("cosine", &cosine)];
    Ok(Found { parameters: options.values(), curves, notes, ..again.found(certified(options.radius)) })
}

/// The part of a ball of so many dimensions that is new when its centre moves by `half` of its diameter: twice the cap's
/// complement, which is the integral of (1 - u^2)^((n - 1) / 2) up to that part over the one up to 1, by Simpson's rule.
fn new_part(half: f64, dimension: f64) -> f64 {
    const STEPS: u32 = 2000;
    // Beyond this the integrand is below e^-72.
    let end = (12.0 / dimension.sqrt()).min(1.0);
    let integral = |to: f64| {
        let value = |step: u32| {
            let at = to * f64::from(step) / f64::from(STEPS);
            (1.0 - at * at).max(0.0).powf((dimension - 1.0) / 2.0)
        };
        let weight = |step: u32| if step.is_multiple_of(STEPS) { 1.0 } else { 2.0 + 2.0 * f64::from(step % 2) };
        to / f64::from(STEPS) / 3.0 * (0..=STEPS).map(|step| weight(step) * value(step)).sum::<f64>()
    };
    (integral(half.min(end)) / integral(end)).min(1.0)
}

/// The part of the `leading` largest of sorted values that stay so when all values together move by at most a length.
fn certified(sorted: &[f64], leading: usize, moved: f64) -> f64 {
    let (lead, rest) = sorted.split_at(leading.min(sorted.len()));
    // The least of the leading ones change places first, with the largest of the others.
    let mut left = moved * moved;
    let leave = lead.iter().rev().zip(rest).take_while(|(inner, outer)| {
        left -= (*inner - *outer).powi(2) / 2.0;
        left >= 0.0
    });
    1.0 - leave.count() as f64 / lead.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Asked, expect, score};

    /// Of one dimension the ball is a line, of two a disk whose common part with its copy is known, of three 1 - 3/2 t + t^3/2.
    /// The others are SciPy's betainc(1/2, (n + 1) / 2, t^2).
    #[test]
    fn balls_that_are_moved_overlap_as_geometry_says() {
        let disk = |t: f64| 1.0 - (2.0 * t.acos() - 2.0 * t * (1.0 - t * t).sqrt()) / std::f64::consts::PI;
        for (half, dimension, expected) in [
            (0.3, 1.0, 0.3),
            (0.4, 2.0, disk(0.4)),
            (0.5, 3.0, 1.5 * 0.5 - 0.5 * 0.125),
            (0.01, 12_288.0, BETA[0]),
            (0.0005, 150_528.0, BETA[1]),
            (1.0, 50.0, 1.0),
        ] {
            let found = new_part(half, dimension);
            assert!((found - expected).abs() < 1e-5, "{half}, {dimension}: {found}, not {expected}");
        }
    }

    const BETA: [f64; 2] = [0.732_381_160, 0.153_816_307];

    /// Of 9, 5, 4, 1 the first two lead. The 5 and the 4 change places for 1 / sqrt 2, and 9 and 1 besides for
    /// sqrt(1/2 + 64/2).
    #[test]
    fn leading_values_leave_one_after_the_other() {
        let values = [9.0, 5.0, 4.0, 1.0];
        for (moved, expected) in [(0.0, 1.0), (0.7, 1.0), (0.71, 0.5), (5.7, 0.5), (5.71, 0.0)] {
            assert_eq!(certified(&values, 2, moved), expected, "{moved}");
        }
    }

    /// The map of a linear model is 4, 1, 3, 2 everywhere; of length one its largest two values are 1 / sqrt 30 apart and
    /// change places for 0.129. Of four dimensions the new part is near 16 / (3 pi) t for small t.
    #[test]
    fn a_map_that_does_not_change_is_certified_as_far_as_its_values_are_apart() {
        let with = |radius: &'static str| [("part", "0.25"), ("radius", radius)];
        expect("smoothed-certificate", &with("0.07"), &Asked::default(), 1.0);
        expect("smoothed-certificate", &with("0.08"), &Asked::default(), 0.0);
        let found = score("smoothed-certificate", &with("0.07"), &Asked::default());
        assert!((found.curves[1].ys[10] - (1.0 - (0.118_8_f64).powi(2)).sqrt()).abs() < 1e-3, "{found:?}");
    }
}
