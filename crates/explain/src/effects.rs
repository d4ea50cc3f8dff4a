//! What a region does to the target: the target at the input minus that where the region holds something else, averaged over
//! several contents.

use vitrine_graph::Value;

use crate::{
    Attribution, Budget, Context, ExplainError, HeatMap,
    game::{Moments, all_but, errors, means, worths},
    regions::Regions,
    sampler::{Masked, size_of_picture},
};

/// The mean effects of the regions of each scale; the map is the mean over the scales. `content` gives what stands in the place
/// of a region in each of so many draws, over the whole input; the budget may end them before.
pub(crate) async fn mean_effects(
    context: &Context<'_>,
    scales: Vec<Regions>,
    draws: usize,
    budget: &Budget,
    content: &dyn Fn(usize) -> Result<Value, ExplainError>,
) -> Result<Attribution, ExplainError> {
    let passes = draws * scales.iter().map(|regions| regions.count).sum::<usize>();
    let mut masked = Masked::start(context, content(0)?, passes).await?;
    let mut effects: Vec<Vec<Moments>> = scales.iter().map(|regions| vec![Moments::default(); regions.count]).collect();
    // The scales share their contents, so that errors are known of a draw's map as a whole alone.
    let [height, width] = size_of_picture(context)?;
    let mut pixels = vec![Moments::default(); height * width];
    let (clock, mut note, show_every) = (budget.clock(), None, draws.div_ceil(10));
    for draw in 0..draws {
        masked.refill(content(draw)?);
        let mut of_draw = vec![0.0; pixels.len()];
        for (regions, effects) in scales.iter().zip(&mut effects) {
            let players = regions.count;
            let without = worths(context, &mut masked, regions, players, &|player| all_but(player, players)).await?;
            let whole = f64::from(masked.prediction);
            let found: Vec<f32> = without.iter().map(|without| (whole - without) as f32).collect();
            effects.iter_mut().zip(without).for_each(|(effect, without)| effect.add(whole - without));
            let map = regions.map(&found, context).values;
            of_draw.iter_mut().zip(map).for_each(|(sum, effect)| *sum += f64::from(effect) / scales.len() as f64);
        }
        pixels.iter_mut().zip(of_draw).for_each(|(pixel, effect)| pixel.add(effect));
        if draw + 1 == draws {
            break;
        }
        if (draw + 1).is_multiple_of(show_every) {
            context.observer.partial(&merged(context, &scales, &effects).map);
        }
        if clock.is_over() || budget.is_precise(|| errors(&pixels), || means(&pixels)) {
            note = Some(budget.note(draw + 1, draws));
            break;
        }
    }
    let found = merged(context, &scales, &effects);
    let error =
        |errors: Vec<f64>| HeatMap { height, width, values: errors.iter().map(|error| *error as f32).collect() };
    Ok(Attribution {
        standard_error: errors(&pixels).map(error),
        prediction: masked.prediction,
        forward_passes: masked.passes(),
        notes: scales.iter().find_map(Regions::note).into_iter().chain(note).collect(),
        ..found
    })
}

/// The mean of all scales.
fn merged(context: &Context<'_>, scales: &[Regions], effects: &[Vec<Moments>]) -> Attribution {
    let maps = scales.iter().zip(effects).map(|(regions, effects)| regions.attribution(&means(effects), context));
    let add = |sums: &mut Vec<f32>, more: &[f32]| sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    let sum = maps.reduce(|mut sum, map| {
        add(&mut sum.values, &map.values);
        add(&mut sum.map.values, &map.map.values);
        sum
    });
    let (mut mean, count) = (sum.unwrap_or_default(), scales.len() as f32);
    mean.values.iter_mut().chain(&mut mean.map.values).for_each(|value| *value /= count);
    mean
}
