//! Every metric on the CPU and, where there is an adapter, on the GPU: the bodies are in `vitrine_tests::metrics`.

use vitrine_tests::{metrics::*, on_every_device};

on_every_device!(
    the_exact_map_scores_best_and_the_reversed_one_worst,
    the_cost_is_what_is_run_and_progress_reaches_it,
    the_seed_decides_and_batch_size_does_not_matter,
    a_cancelled_run_ends_within_one_batch,
    where_nothing_varies_there_is_a_number_or_a_sentence,
    parameters_out_of_range_are_refused,
    what_is_lacking_is_said,
);

/// The built-in model, its sample and a map of the session's own, as the worker asks for a score.
#[cfg(not(target_family = "wasm"))]
#[test]
fn a_session_scores_the_map_that_it_made() {
    use pollster::block_on;
    use vitrine_engine::{EngineError, ExplainOptions, Session, Silent};
    use vitrine_protocol::{DeviceChoice, EvaluateRequest, ExplainRequest, Map, Score};

    let found: Result<Vec<Score>, EngineError> = block_on(async {
        let mut session = Session::start(DeviceChoice::Cpu).await?;
        session.load_builtin("critters").await?;
        session.load_sample(0).await?;
        let explained = ExplainRequest {
            method: "integrated-gradients".into(),
            target: "auto".into(),
            ..ExplainRequest::default()
        };
        let options = ExplainOptions::default();
        let explanation = session.explain(&explained, &options, &Silent).await?;
        let map = explanation.attribution.map;
        let mut scores = Vec::new();
        for metric in ["insertion", "deletion", "sensitivity-max"] {
            let request = EvaluateRequest {
                metric: metric.into(),
                explained: explained.clone(),
                map: Map::new(map.height, map.width, &map.values),
                ..EvaluateRequest::default()
            };
            let attribution = Some(explanation.attribution.values.as_slice());
            scores.push(session.evaluate(&request, attribution, &options, &Silent).await?);
        }
        let unknown = EvaluateRequest { metric: "auc".into(), explained, ..EvaluateRequest::default() };
        assert!(session.evaluate(&unknown, None, &options, &Silent).await.is_err());
        Ok(scores)
    });
    let scores = found.unwrap_or_else(|error| panic!("{error}"));
    let values: Vec<f64> = scores.iter().filter_map(|score| score.value).collect();
    assert_eq!((scores[0].curves[0].xs.len(), scores[0].forward_passes), (33, 33));
    assert!(values.len() == 3 && values[0] > values[1], "insertion {}, deletion {}", values[0], values[1]);
    assert!(values[2] > 0.0 && values[2] < 10.0, "{values:?}");
}
