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
