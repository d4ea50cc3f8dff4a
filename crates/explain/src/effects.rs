//! What a region does to the target: the target at the input minus that where the region holds something else, averaged over
//! several contents.

use vitrine_graph::Value;

use crate::{
    Attribution, Context, ExplainError, HeatMap,
    game::{Moments, all_but, errors, means, worths},
    regions::Regions,
    sampler::Masked,
};

/// The mean effects of the regions of each scale; the map is the mean over the scales. `content` gives what stands in the place
/// of a region in each of so many draws, over the whole input.
pub(crate) async fn mean_effects(
    context: &Context<'_>,
    scales: Vec<Regions>,
    draws: usize,
    content: &dyn Fn(usize) -> Result<Value, ExplainError>,
) -> Result<Attribution, ExplainError> {
    let passes = draws * scales.iter().map(|regions| regions.count).sum::<usize>();
    let mut masked = Masked::start(context, content(0)?, passes).await?;
    let mut effects: Vec<Vec<Moments>> = scales.iter().map(|regions| vec![Moments::default(); regions.count]).collect();
    let show_every = draws.div_ceil(10);
    for draw in 0..draws {
        masked.refill(content(draw)?);
        for (regions, effects) in scales.iter().zip(&mut effects) {
            let players = regions.count;
            let without = worths(context, &mut masked, regions, players, &|player| all_but(player, players)).await?;
            let whole = f64::from(masked.prediction);
            effects.iter_mut().zip(without).for_each(|(effect, without)| effect.add(whole - without));
        }
        if (draw + 1).is_multiple_of(show_every) && draw + 1 < draws {
            context.observer.partial(&merged(context, &scales, &effects).map);
        }
    }
    let found = merged(context, &scales, &effects);
    let error = match (&scales[..], &effects[..]) {
        ([regions], [effects]) => errors(effects).map(|errors| map(regions, &errors, context)),
        // The scales share their contents, so their errors depend on each other.
        _ => None,
    };
    Ok(Attribution {
        standard_error: error,
        prediction: masked.prediction,
        forward_passes: masked.passes(),
        notes: scales.iter().find_map(Regions::note).into_iter().collect(),
        ..found
    })
}

fn map(regions: &Regions, values: &[f64], context: &Context<'_>) -> HeatMap {
    let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
    regions.map(&values, context)
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
