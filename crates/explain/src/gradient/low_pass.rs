//! The map of any method without its fine detail: waves of more than so many cycles across the picture are taken out. What
//! strides and max pools leave in gradients is mostly that.
//!
//! Sabine Muzellec, Thomas Fel, Victor Boutin, Léo Andéol, Rufin VanRullen, Thomas Serre: Saliency Strikes Back: How
//! Filtering out High Frequencies Improves White-Box Explanations (FORGrad). ICML 2024.
//!
//! Departures from the paper: the cut is given, where the paper looks for the most faithful one for each model; 15 of 224
//! pixels is what the authors' library takes. It is the radius of a disc in cycles per picture, also for pictures that
//! are not square. The method's own map is filtered and stays signed, where that library takes absolute values before
//! and after.

use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, LocalBoxFuture, Observer,
    options::{number, options},
    wrapper::{Inner, joined, methods_below, split},
};

options! {
    /// Options of [`LowPass`]; those of the method within follow as `method.NAME`.
    pub struct LowPassOptions {
        /// The method whose map is filtered. Its own parameters are written with its name before them, as in
        /// method.steps=20.
        method: String [methods_below(LowPass.depth())] = "saliency".to_owned(),
        /// The finest waves that stay, in cycles across the picture. At 0 only the mean is left, at half the picture's
        /// longer side nearly everything.
        cut: f64 [number(0.0, 10_000.0)] = 15.0,
    }
}

/// FORGrad (Muzellec et al. 2024) with a given cut.
///
/// `Attribution::values` is the filtered map, and `shape` is `[height, width]`.
pub struct LowPass;

impl Explainer for LowPass {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "low-pass".to_owned(),
            name: "FORGrad".to_owned(),
            family: Family::Gradient,
            summary: "Takes the finest grain out of another method's map, most of which says nothing about the \
                      answer. Use it where a map is full of dots and stripes, and remember that it cannot make a \
                      wrong map right."
                .to_owned(),
            reference: Reference {
                authors: "Sabine Muzellec, Thomas Fel, Victor Boutin, Léo Andéol, Rufin VanRullen, Thomas Serre"
                    .to_owned(),
                year: 2024,
                title: "Saliency Strikes Back: How Filtering out High Frequencies Improves White-Box Explanations"
                    .to_owned(),
                venue: "ICML".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient],
            parameters: LowPassOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel],
        }
    }

    fn depth(&self) -> usize {
        2
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        read(context)?.1.cost(context)
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

fn read(context: &Context<'_>) -> Result<(LowPassOptions, Inner), ExplainError> {
    let (own, inner) = split(context.parameters);
    let options = LowPassOptions::parse(&own)?;
    let inner = Inner::new(&options.method, inner)?;
    Ok((options, inner))
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let (options, inner) = read(context)?;
    inner.cost(context)?;
    let observer = Filtering { observer: context.observer, cut: options.cut };
    let found = inner.method.explain(&Context { observer: &observer, ..inner.context(context) }).await?;
    let map = filtered(&found.map, options.cut);
    Ok(Attribution {
        values: map.values.clone(),
        shape: vec![map.height, map.width],
        map,
        standard_error: None,
        baseline_prediction: None,
        completeness_gap: None,
        parameters: joined(options.values(), found.parameters),
        ..found
    })
}

/// Shows partial maps filtered.
struct Filtering<'a> {
    observer: &'a dyn Observer,
    cut: f64,
}

impl Observer for Filtering<'_> {
    fn progress(&self, done: u64, total: u64) {
        self.observer.progress(done, total);
    }

    fn partial(&self, map: &HeatMap) {
        self.observer.partial(&filtered(map, self.cut));
    }

    fn cancelled(&self) -> bool {
        self.observer.cancelled()
    }

    fn breathe(&self) -> LocalBoxFuture<'_, ()> {
        self.observer.breathe()
    }
}

/// A map without waves of more than `cut` cycles across it, by the discrete Fourier transform.
///
/// Only the waves that stay are computed, along rows and then along columns: about 4 cut numbers for each pixel.
fn filtered(map: &HeatMap, cut: f64) -> HeatMap {
    let &HeatMap { height, width, .. } = map;
    if map.values.is_empty() {
        return map.clone();
    }
    // Of a real map the waves to the left mirror those to the right, so half of them do, counted twice.
    let across: Vec<usize> = (0..=width / 2).filter(|&wave| wave as f64 <= cut).collect();
    let down: Vec<usize> = (0..height).filter(|&wave| wave.min(height - wave) as f64 <= cut).collect();
    let (row_angles, column_angles) = (Turns::new(width), Turns::new(height));
    let mut values = vec![0.0_f64; map.values.len()];
    for &x_wave in &across {
        // One complex number for each row.
        let rows: Vec<[f64; 2]> = map
            .values
            .chunks(width)
            .map(|row| {
                row.iter().enumerate().fold([0.0; 2], |[real, imaginary], (x, value)| {
                    let [cos, sin] = row_angles.at(x_wave * x);
                    [real + f64::from(*value) * cos, imaginary - f64::from(*value) * sin]
                })
            })
            .collect();
        let mut kept = vec![[0.0_f64; 2]; height];
        for &y_wave in &down {
            let distance = y_wave.min(height - y_wave) as f64;
            if (distance * distance + (x_wave * x_wave) as f64).sqrt() > cut {
                continue;
            }
            let [mut real, mut imaginary] = [0.0; 2];
            for (y, [a, b]) in rows.iter().enumerate() {
                let [cos, sin] = column_angles.at(y_wave * y);
                real += a * cos + b * sin;
                imaginary += b * cos - a * sin;
            }
            for (y, [a, b]) in kept.iter_mut().enumerate() {
                let [cos, sin] = column_angles.at(y_wave * y);
                *a += real * cos - imaginary * sin;
                *b += imaginary * cos + real * sin;
            }
        }
        let twice = if x_wave == 0 || 2 * x_wave == width { 1.0 } else { 2.0 };
        for (row, [a, b]) in values.chunks_mut(width).zip(&kept) {
            for (x, value) in row.iter_mut().enumerate() {
                let [cos, sin] = row_angles.at(x_wave * x);
                *value += twice * (a * cos - b * sin);
            }
        }
    }
    let area = map.values.len() as f64;
    HeatMap { height, width, values: values.into_iter().map(|value| (value / area) as f32).collect() }
}

/// Cosine and sine of the whole turns' parts.
struct Turns(Vec<[f64; 2]>);

impl Turns {
    fn new(parts: usize) -> Turns {
        let angle = |part: usize| std::f64::consts::TAU * part as f64 / parts as f64;
        Turns((0..parts).map(|part| [angle(part).cos(), angle(part).sin()]).collect())
    }

    fn at(&self, part: usize) -> [f64; 2] {
        self.0[part % self.0.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight};

    fn waves(height: usize, width: usize, of: impl Fn(f64, f64) -> f64) -> HeatMap {
        let tau = std::f64::consts::TAU;
        let values = (0..height * width)
            .map(|at| of(tau * (at / width) as f64 / height as f64, tau * (at % width) as f64 / width as f64) as f32);
        HeatMap { height, width, values: values.collect() }
    }

    /// Waves of 1 down, 2 across, and 2 down by 2 across (2.8 cycles), around a mean of 1/2.
    #[test]
    fn waves_above_the_cut_go_and_others_stay() {
        for [height, width] in [[8, 12], [7, 9]] {
            let slow = |y: f64, x: f64| 0.5 + (y + 0.3).cos() + (2.0 * x).sin();
            let all = waves(height, width, |y, x| slow(y, x) + (2.0 * y + 2.0 * x).cos() + (2.0 * y - 2.0 * x).sin());
            assert_close(&filtered(&all, 2.5).values, &waves(height, width, slow).values, 1e-6);
            assert_close(&filtered(&all, 1.0).values, &waves(height, width, |y, _| 0.5 + (y + 0.3).cos()).values, 1e-6);
            assert_close(&filtered(&all, 0.0).values, &vec![0.5; height * width], 1e-6);
            assert_close(&filtered(&all, 20.0).values, &all.values, 1e-6);
        }
    }

    /// Even sides have a wave of their own at half their length: pixels of alternating sign.
    #[test]
    fn nothing_is_lost_above_every_wave() {
        let checked: Vec<f32> = (0..24).map(|at| if (at / 6 + at % 6) % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let map = HeatMap { height: 4, width: 6, values: checked.clone() };
        assert_close(&filtered(&map, 4.0).values, &checked, 1e-6);
        assert!(filtered(&map, 3.0).values.iter().all(|value| value.abs() < 1e-6));
    }

    #[test]
    fn the_map_of_any_method_is_filtered() {
        let question = Question::new(linear(&[1, 2, 4]), &[1.0; 8]).with("method.sign", "signed");
        let of = |cut: &str, method: &str| {
            pollster::block_on(LowPass.explain(&question.clone().with("cut", cut).with("method", method).context()))
        };
        let weights: Vec<f32> = (0..8).map(|at| linear_weight(at, 1)).collect();
        let mean = weights.iter().sum::<f32>() / 8.0;
        let found = of("0", "saliency").unwrap();
        assert_close(&found.values, &[mean; 8], 1e-5);
        assert_eq!(found.shape, [2, 4]);
        assert_eq!(found.parameters["method.sign"].to_string(), "signed");
        assert!(of("0", "low-pass").is_err(), "no method goes around itself");
        let smooth =
            Question::new(linear(&[1, 2, 4]), &[1.0; 8]).with("method", "smooth-grad").with("method.samples", "3");
        let found =
            pollster::block_on(LowPass.explain(&smooth.with("method.method.sign", "signed").context())).unwrap();
        assert_close(&found.values, &weights, 1e-5);
        assert_eq!(found.forward_passes, 4);
    }
}
