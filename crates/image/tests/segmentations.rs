//! Regions and inpainting against scikit-image's, and what every segmentation promises. `tests/golden/segmentations.py`
//! made the pictures and all that was made of them.
#![cfg(feature = "npy")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::{collections::HashMap, path::PathBuf};

use proptest::prelude::*;
use vitrine_image::segment::*;
use vitrine_image::{Array, Planes, infill, read_npz};

/// Least adjusted Rand index between our regions and scikit-image's.
const AGREEMENT: f64 = 0.95;
/// Least peak signal-to-noise ratio of our inpainted pixels to scikit-image's, which are stored as float16.
const LEAST_DECIBELS: f64 = 60.0;

const PICTURES: [&str; 7] = ["shapes", "small", "tall", "grey", "bimble", "fennick", "wendle"];

/// A picture, and what scikit-image made of it by name: regions by their method and parameters, the rest by one word.
fn golden(name: &str) -> (Planes, HashMap<String, Array>) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/data/segmentations");
    let arrays = read_npz(&std::fs::read(folder.join(format!("{name}.npz"))).unwrap()).unwrap();
    let mut arrays: HashMap<_, _> = arrays.into_iter().collect();
    let picture = arrays.remove("picture").unwrap();
    let &[height, width, channels] = &picture.shape[..] else { panic!("{name}: {:?}", picture.shape) };
    let plane = |channel| picture.values.iter().skip(channel).step_by(channels).map(|&level| level / 255.0);
    (Planes { channels, height, width, values: (0..channels).flat_map(plane).collect() }, arrays)
}

/// Cuts as the name of a golden array says: the method, and the parameters that are not the default.
fn cut(planes: &Planes, case: &str) -> LabelMap {
    let (method, parameters) = case.split_once(' ').unwrap_or((case, ""));
    let parameters = parameters.split_whitespace().map(|item| item.split_once('=').unwrap());
    let parameters = parameters.map(|(name, value)| (name, value.parse::<f32>().unwrap()));
    let unknown = |name: &str| panic!("{method} has no parameter {name}");
    match method {
        "slic" => {
            let mut slic = Slic::default();
            parameters.for_each(|(name, value)| match name {
                "n_segments" => slic.n_segments = value as usize,
                "compactness" => slic.compactness = value,
                "max_num_iter" => slic.max_num_iter = value as usize,
                "sigma" => slic.sigma = value,
                "enforce_connectivity" => slic.enforce_connectivity = value != 0.0,
                "min_size_factor" => slic.min_size_factor = value,
                "max_size_factor" => slic.max_size_factor = value,
                "slic_zero" => slic.slic_zero = value != 0.0,
                "convert2lab" => slic.convert2lab = value != 0.0,
                _ => unknown(name),
            });
            vitrine_image::segment::slic(planes, &slic).unwrap()
        }
        "felzenszwalb" => {
            let mut felzenszwalb = Felzenszwalb::default();
            parameters.for_each(|(name, value)| match name {
                "scale" => felzenszwalb.scale = value,
                "sigma" => felzenszwalb.sigma = value,
                "min_size" => felzenszwalb.min_size = value as usize,
                _ => unknown(name),
            });
            vitrine_image::segment::felzenszwalb(planes, &felzenszwalb).unwrap()
        }
        "quickshift" => {
            let mut quickshift = Quickshift::default();
            parameters.for_each(|(name, value)| match name {
                "ratio" => quickshift.ratio = value,
                "kernel_size" => quickshift.kernel_size = value,
                "max_dist" => quickshift.max_dist = value,
                "sigma" => quickshift.sigma = value,
                "convert2lab" => quickshift.convert2lab = value != 0.0,
                _ => unknown(name),
            });
            vitrine_image::segment::quickshift(planes, &quickshift).unwrap()
        }
        "watershed" => {
            let mut watershed = Watershed::default();
            parameters.for_each(|(name, value)| match name {
                "markers" => watershed.markers = Markers::Grid(value as usize),
                "compactness" => watershed.compactness = value,
                _ => unknown(name),
            });
            vitrine_image::segment::watershed(planes, &watershed).unwrap()
        }
        _ => panic!("{case}: no such method"),
    }
}

/// How far two partitions agree (Hubert and Arabie 1985): 1 when they are the same, about 0 when they are independent.
fn adjusted_rand_index(one: &[u32], other: &[u32]) -> f64 {
    let pairs = |count: f64| count * (count - 1.0) / 2.0;
    let mut counts = [HashMap::new(), HashMap::new(), HashMap::new()];
    for (&one, &other) in one.iter().zip(other) {
        for (counts, key) in counts.iter_mut().zip([(one, other), (one, u32::MAX), (u32::MAX, other)]) {
            *counts.entry(key).or_insert(0.0) += 1.0;
        }
    }
    let [both, first, second] = counts.map(|counts| counts.into_values().map(pairs).sum::<f64>());
    let expected = first * second / pairs(one.len() as f64);
    let most = (first + second) / 2.0;
    if most == expected { 1.0 } else { (both - expected) / (most - expected) }
}

#[test]
fn the_index_is_that_of_known_partitions() {
    assert_eq!(adjusted_rand_index(&[0, 0, 1, 1], &[5, 5, 3, 3]), 1.0);
    // Of six pairs, the first joins 2, the second 2 and both 1: 1 - 4/6 over 2 - 4/6.
    assert!((adjusted_rand_index(&[0, 0, 1, 2], &[0, 0, 1, 1]) - 4.0 / 7.0).abs() < 1e-12);
}

/// Prints how far all arrays of a method agree, and fails where one does not.
fn agrees(method: &str) {
    let mut worst = Vec::new();
    for name in PICTURES {
        let (planes, arrays) = golden(name);
        for (case, expected) in arrays.into_iter().filter(|(case, _)| case.starts_with(method)) {
            let found = cut(&planes, &case);
            let expected: Vec<u32> = expected.values.iter().map(|&label| label as u32).collect();
            let index = adjusted_rand_index(&found.labels, &expected);
            println!("{index:.4} {name}: {case}, {} regions", found.count);
            if index < AGREEMENT {
                worst.push(format!("{index:.4} {name}: {case}"));
            }
        }
    }
    assert!(worst.is_empty(), "less than {AGREEMENT}:\n{}", worst.join("\n"));
}

#[test]
fn slic_agrees_with_scikit_image() {
    agrees("slic");
}

#[test]
fn felzenszwalb_agrees_with_scikit_image() {
    agrees("felzenszwalb");
}

#[test]
fn quickshift_agrees_with_scikit_image() {
    agrees("quickshift");
}

#[test]
fn watershed_agrees_with_scikit_image() {
    agrees("watershed");
}

/// A picture of so many pixels, of numbers that any choice of three makes.
fn speckled(channels: usize, height: usize, width: usize, [step, size, shift]: [usize; 3]) -> Planes {
    let values = (0..channels * height * width).map(|index| ((index * step + shift) % (size + 1)) as f32 / 31.0);
    Planes { channels, height, width, values: values.collect() }
}

/// Every method with its defaults, and with parameters that suit a small picture.
fn every_method(planes: &Planes) -> Vec<(&'static str, LabelMap)> {
    let cases = [
        "slic",
        "slic n_segments=4",
        "slic n_segments=3 slic_zero=1 sigma=1",
        "slic n_segments=1000000 enforce_connectivity=0",
        "felzenszwalb",
        "felzenszwalb scale=100 sigma=0 min_size=1",
        "quickshift",
        "quickshift kernel_size=1 max_dist=3",
        "watershed",
        "watershed markers=4",
        "watershed markers=1000000 compactness=0.1",
    ];
    cases.map(|case| (case, cut(planes, case))).into()
}

fn check_dense(case: &str, map: &LabelMap, planes: &Planes) {
    assert_eq!((map.height, map.width), (planes.height, planes.width), "{case}");
    assert_eq!(*map, LabelMap::new(map.height, map.width, &map.labels).unwrap(), "{case}");
    assert!(map.areas().iter().all(|&area| area > 0), "{case}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn labels_are_dense_and_connected_where_promised_at_any_size(
        grey in any::<bool>(),
        (height, width) in (1..24_usize, 1..24_usize),
        numbers in prop::array::uniform3(0..60_usize),
    ) {
        let planes = speckled(if grey { 1 } else { 3 }, height, width, numbers);
        for (case, map) in every_method(&planes) {
            check_dense(case, &map, &planes);
            let one_piece = case.starts_with("watershed") || case.starts_with("slic") && !case.contains("enforce");
            if one_piece {
                assert_eq!(connected(&map).unwrap().count, map.count, "{case}");
            }
            let merged = merge_small(&connected(&map).unwrap(), 5, MergeInto::MostSimilar(&planes)).unwrap();
            check_dense(case, &merged, &planes);
            assert!(merged.count == 1 || merged.areas().iter().all(|&area| area >= 5), "{case}");
            assert_eq!(connected(&merged).unwrap().count, merged.count, "{case}");
            let split = split_large(&merged, 7).unwrap();
            check_dense(case, &split, &planes);
            assert!(split.areas().iter().all(|&area| area <= 7), "{case}");
            assert_eq!(connected(&split).unwrap().count, split.count, "{case}");
        }
    }

    #[test]
    fn holes_of_any_shape_are_filled_and_the_rest_stays(
        grey in any::<bool>(),
        (height, width) in (1..24_usize, 1..24_usize),
        numbers in prop::array::uniform3(0..60_usize),
        holes in prop::collection::vec(any::<bool>(), 23 * 23),
        most in any::<bool>(),
    ) {
        let planes = speckled(if grey { 1 } else { 3 }, height, width, numbers);
        // Half of the pixels, or all but every seventh.
        let mut removed: Vec<bool> =
            (0..height * width).map(|pixel| if most { pixel % 7 > 0 } else { holes[pixel] }).collect();
        removed[0] = false;
        let (low, high) = planes.values.iter().fold((f32::MAX, f32::MIN), |(low, high), &v| (low.min(v), high.max(v)));
        for filled in [
            infill::inpaint(&planes, &removed),
            infill::interpolate(&planes, &removed, || 0.0),
            infill::tile(&planes, &removed),
        ] {
            for (index, (value, before)) in filled.unwrap().values.iter().zip(&planes.values).enumerate() {
                assert!((low - 1e-4..=high + 1e-4).contains(value), "{value} is not within {low} and {high}");
                assert!(removed[index % removed.len()] || value == before);
            }
        }
    }
}

#[test]
fn two_colours_are_cut_along_their_border() {
    let [height, width] = [24, 32];
    let dark = |index: usize| index % width < 13;
    for (channels, colours) in [(1, [[0.2; 3], [0.7; 3]]), (3, [[0.8, 0.2, 0.1], [0.1, 0.3, 0.9]])] {
        let values = (0..channels * height * width)
            .map(|index| colours[usize::from(dark(index))][index / (height * width)])
            .collect();
        let planes = Planes { channels, height, width, values };
        for case in ["slic n_segments=12", "felzenszwalb sigma=0", "quickshift", "watershed", "watershed markers=12"] {
            let map = cut(&planes, case);
            let mut sides = vec![None; map.count];
            for (index, &label) in map.labels.iter().enumerate() {
                let side = sides[label as usize].get_or_insert(dark(index));
                assert_eq!(*side, dark(index), "{case}: region {label} holds both colours");
            }
            if !case.contains('=') || case.starts_with("felzenszwalb") {
                assert_eq!(map.count, 2, "{case}");
            }
        }
    }
}

#[test]
fn a_uniform_picture_has_one_region_or_a_regular_grid() {
    for planes in [Planes::constant(1, 20, 20, 0.3), Planes::constant(3, 20, 20, 0.0)] {
        for case in ["felzenszwalb", "quickshift", "watershed"] {
            assert_eq!(cut(&planes, case).count, 1, "{case}");
        }
        // Centres at pixels 5 and 15 of either side; pixel 10, as far from both, goes to the first.
        let quarters: Vec<u32> =
            (0..400).map(|index| u32::from(index / 20 > 10) * 2 + u32::from(index % 20 > 10)).collect();
        assert_eq!(cut(&planes, "slic n_segments=4"), LabelMap::new(20, 20, &quarters).unwrap());
        assert_eq!(cut(&planes, "watershed markers=4 compactness=1").count, 4);
    }
}

#[test]
fn a_single_pixel_and_a_single_line_are_cut_by_every_method() {
    for (height, width) in [(1, 1), (1, 17), (17, 1)] {
        for (case, map) in every_method(&speckled(3, height, width, [7, 40, 3])) {
            check_dense(case, &map, &Planes::constant(3, height, width, 0.0));
        }
    }
}

#[test]
fn more_regions_than_pixels_are_one_per_pixel() {
    let planes = speckled(1, 3, 4, [5, 11, 0]);
    assert_eq!(cut(&planes, "slic n_segments=13 min_size_factor=0").count, 12);
    assert_eq!(cut(&planes, "watershed markers=1000").count, 12);
}

#[test]
fn what_cannot_be_cut_is_refused_in_a_sentence() {
    let planes = Planes::constant(3, 4, 5, 0.5);
    let sentence = |reason: &str| format!("the picture cannot be cut into regions: {reason}");
    let refusals = [
        (slic(&planes, &Slic { n_segments: 0, ..Default::default() }), "n_segments is 0 and must be at least 1"),
        (slic(&planes, &Slic { max_num_iter: 0, ..Default::default() }), "max_num_iter is 0 and must be at least 1"),
        (
            slic(&planes, &Slic { compactness: f32::NAN, ..Default::default() }),
            "compactness is NaN and must lie between 0.000001 and 1000000",
        ),
        (
            felzenszwalb(&planes, &Felzenszwalb { sigma: -1.0, ..Default::default() }),
            "sigma is -1 and must lie between 0 and the picture's longer side, 5",
        ),
        (
            felzenszwalb(&planes, &Felzenszwalb { scale: f32::INFINITY, ..Default::default() }),
            "scale is inf and must be a number from 0",
        ),
        (
            quickshift(&planes, &Quickshift { kernel_size: 0.0, ..Default::default() }),
            "kernel_size is 0 and must lie between 0.001 and 100",
        ),
        (
            watershed(&planes, &Watershed { markers: Markers::Grid(0), compactness: 0.0 }),
            "the number of markers is 0 and must be at least 1",
        ),
        (
            watershed(&Planes { channels: 2, ..planes.clone() }, &Watershed::default()),
            "it has 2 channels and grey (1) or red, green and blue (3) are expected",
        ),
        (slic(&Planes::constant(3, 0, 5, 0.0), &Slic::default()), "0 x 5 pixels hold nothing"),
        (quickshift(&planes.map(|_| f32::NAN), &Quickshift::default()), "value 0 of the picture is NaN"),
    ];
    for (refusal, reason) in refusals {
        assert_eq!(refusal.unwrap_err().to_string(), sentence(reason));
    }
    let short = Planes { values: vec![0.0; 3], ..planes };
    assert_eq!(slic(&short, &Slic::default()).unwrap_err().to_string(), "the picture needs 60 values and has 3");
}

#[test]
fn inpainting_agrees_with_scikit_image() {
    for name in PICTURES {
        let (planes, arrays) = golden(name);
        let removed: Vec<bool> = arrays["removed"].values.iter().map(|&removed| removed == 1.0).collect();
        let expected = &arrays["filled"];
        let filled = infill::inpaint(&planes, &removed).unwrap();
        let holes = (0..removed.len()).filter(|&pixel| removed[pixel]);
        let mut squares = 0.0;
        for (hole, pixel) in holes.enumerate() {
            for channel in 0..planes.channels {
                let found = filled.values[channel * removed.len() + pixel];
                squares += f64::from(found - expected.values[hole * planes.channels + channel]).powi(2);
            }
        }
        let decibels = -10.0 * (squares / expected.values.len() as f64).log10();
        println!("{name}: {decibels:.1} dB");
        assert!(decibels > LEAST_DECIBELS, "{name}: {decibels} dB");
    }
}
