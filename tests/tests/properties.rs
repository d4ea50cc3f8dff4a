//! Every method on the CPU and, where there is an adapter, on the GPU: the bodies are in `vitrine_tests::properties`.

use vitrine_tests::{on_every_device, properties::*};

on_every_device!(
    maps_have_the_shape_of_what_they_explain,
    the_seed_decides,
    batch_size_does_not_matter,
    promised_completeness_holds,
    a_constant_model_gets_a_zero_map,
    a_black_picture_gets_finite_numbers,
    a_cancelled_run_ends_within_one_batch,
    parameters_out_of_range_are_refused,
    files_and_windows_that_do_not_fit_are_refused,
    what_is_in_no_region_is_left_alone,
    the_cost_is_what_is_run_and_progress_reaches_it,
    promised_partial_maps_come,
    promised_pictures_come,
    the_input_stays_as_it_was,
    promised_linearity_holds,
    promised_symmetry_holds,
    a_pixel_without_influence_gets_zero_where_promised,
    the_same_function_by_other_nodes_gets_the_same_map_where_promised,
);
