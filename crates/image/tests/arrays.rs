//! NPY and NPZ files as NumPy writes them, round trips, and files that must be refused. The files and the script that
//! made them are in `data`.
#![cfg(feature = "npy")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;

use proptest::prelude::*;
use vitrine_image::{Array, ImageError, read_npy, read_npz, write_npy, write_npz};

fn read(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

fn array(shape: &[usize], values: &[f32]) -> Array {
    Array { shape: shape.to_vec(), values: values.to_vec() }
}

fn steps() -> Array {
    array(&[2, 3], &[0.0, 1.5, 3.0, 4.5, 6.0, 7.5])
}

fn refusal(result: Result<impl std::fmt::Debug, ImageError>) -> String {
    result.unwrap_err().to_string()
}

/// A version 1.0 file with this header.
fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

#[test]
fn what_numpy_saved_is_read() {
    for name in ["float32.npy", "float64_big_endian.npy", "float16.npy", "fortran.npy"] {
        assert_eq!(read_npy(&read(name)), Ok(steps()), "{name}");
    }
    assert_eq!(read_npy(&read("int64.npy")), Ok(array(&[3], &[-3.0, 0.0, 16_777_216.0])));
    assert_eq!(read_npy(&read("scalar.npy")), Ok(array(&[], &[2.5])));
}

#[test]
fn what_is_written_is_what_numpy_saves() {
    assert_eq!(write_npy(&[2, 3], &steps().values).unwrap(), read("float32.npy"));
    assert_eq!(write_npy(&[], &[2.5]).unwrap(), read("scalar.npy"));
}

#[test]
fn archives_of_numpy_are_read_stored_and_deflated() {
    let expected = vec![("first".to_owned(), steps()), ("second".to_owned(), array(&[3], &[0.0, 1.0, 2.0]))];
    for name in ["stored.npz", "deflated.npz"] {
        assert_eq!(read_npz(&read(name)), Ok(expected.clone()), "{name}");
    }
}

#[test]
fn an_archive_keeps_names_as_graphs_have_them() {
    let names = ["/layer1/conv:0", "a b", "größe", "..", ""];
    let arrays: Vec<(&str, Array)> =
        names.iter().map(|&name| (name, array(&[name.len()], &vec![1.0; name.len()]))).collect();
    let bytes = write_npz(arrays.iter().map(|(name, array)| (*name, array))).unwrap();
    let found = read_npz(&bytes).unwrap();
    assert_eq!(found.iter().map(|(name, array)| (name.as_str(), array.clone())).collect::<Vec<_>>(), arrays);
}

#[test]
fn two_arrays_of_one_name_are_refused() {
    assert!(write_npz([("a", &steps()), ("a", &steps())]).is_err());
}

#[test]
fn every_element_type_is_read_in_both_byte_orders() {
    for (descr, data, expected) in [
        ("|b1", &[1, 0][..], [1.0, 0.0]),
        ("|i1", &[0xff, 2], [-1.0, 2.0]),
        ("|u1", &[0xff, 2], [255.0, 2.0]),
        ("<i2", &[0xfe, 0xff, 1, 0], [-2.0, 1.0]),
        (">i2", &[0xff, 0xfe, 0, 1], [-2.0, 1.0]),
        (">u2", &[0xff, 0xfe, 0, 1], [65_534.0, 1.0]),
        ("<i4", &[0, 0, 0, 0x80, 1, 0, 0, 0], [-2_147_483_648.0, 1.0]),
        (">u4", &[0x80, 0, 0, 0, 0, 0, 0, 1], [2_147_483_648.0, 1.0]),
        ("<u8", &[0, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 0, 0, 0, 0, 0, 0], [9_223_372_036_854_775_808.0, 1.0]),
        // 0x3555 is 0.333251953125 and 0x0001 is the smallest subnormal, 2 to the -24.
        ("<f2", &[0x55, 0x35, 0x01, 0x00], [0.333_251_95, 5.960_464_5e-8]),
        (">f2", &[0xfc, 0x00, 0x7b, 0xff], [f32::NEG_INFINITY, 65_504.0]),
        (">f4", &[0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0], [1.0, -2.0]),
    ] {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (2,), }}\n");
        assert_eq!(read_npy(&npy(&header, data)), Ok(array(&[2], &expected)), "{descr}");
    }
}

#[test]
fn headers_of_other_writers_are_read() {
    let data = [0, 0, 0x80, 0x3f];
    for header in [
        r#"{"shape":(1,1),"fortran_order":False,"descr":"<f4"}"#,
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1L, 1L)}   \n",
    ] {
        assert_eq!(read_npy(&npy(header, &data)), Ok(array(&[1, 1], &[1.0])), "{header}");
    }
}

#[test]
fn a_fortran_array_of_three_axes_is_turned_to_c_order() {
    // Element (i, j, k) of shape (2, 3, 2) stores 100 i + 10 j + k, the first index fastest.
    let stored: Vec<f32> = (0..12).map(|at| (100 * (at % 2) + 10 * (at / 2 % 3) + at / 6) as f32).collect();
    let data: Vec<u8> = stored.iter().flat_map(|value| value.to_le_bytes()).collect();
    let header = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3, 2), }";
    let found = read_npy(&npy(header, &data)).unwrap();
    assert_eq!(found.values, [0., 1., 10., 11., 20., 21., 100., 101., 110., 111., 120., 121.]);
}

#[test]
fn a_header_that_claims_too_much_is_refused() {
    let claim = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }", &[0; 1000]);
    assert_eq!(
        refusal(read_npy(&claim)),
        "the NPY file cannot be used: its shape [1000000, 1000000] of \"<f4\" needs 4000000000000 bytes and it holds 1000"
    );
    let huge = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({0}, {0}), }}", usize::MAX);
    assert!(refusal(read_npy(&npy(&huge, &[]))).contains("more bytes than can be counted"));
    let mut long = read("float32.npy");
    long.splice(6..10, [2, 0, 0xff, 0xff, 0xff, 0xff]);
    assert!(refusal(read_npy(&long)).contains("longer than"));
    // No values, but axes long enough to overflow a stride.
    let empty = format!("{{'descr': '<f4', 'fortran_order': True, 'shape': (0, {0}, {0}), }}", usize::MAX);
    assert_eq!(read_npy(&npy(&empty, &[])).unwrap().values, []);
}

#[test]
fn files_that_cannot_be_used_are_refused_by_name() {
    for (bytes, words) in [
        (read("strings.npy"), "element type \"<U1\" is not supported"),
        (read("int64_large.npy"), "16777217 cannot be held exactly"),
        (read("rgb.png"), "does not begin as NPY files do"),
        (read("float32.npy")[..50].to_vec(), "ends within its header"),
        (read("float32.npy")[..150].to_vec(), "needs 24 bytes and it holds 22"),
        (npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", &[]), "records"),
        (npy("{'descr': '<f4', 'shape': (1,), }", &[]), "cannot be read"),
        (npy("((((", &[]), "cannot be read"),
        (b"\x93NUMPY\x09\x00aa".to_vec(), "version 9.0"),
    ] {
        let text = refusal(read_npy(&bytes));
        assert!(text.contains(words), "{text:?} does not contain {words:?}");
    }
    assert!(refusal(read_npz(b"PK\x03\x04")).starts_with("the NPZ file cannot be used: it is damaged"));
    assert!(matches!(write_npy(&[2, 2], &[0.0; 3]), Err(ImageError::Length { expected: 4, found: 3, .. })));
}

#[test]
fn an_array_refused_within_an_archive_is_named() {
    let mut bytes = write_npz([("weights", &steps())]).unwrap();
    let at = bytes.windows(3).position(|window| window == b"<f4").unwrap();
    bytes[at + 1] = b'c';
    // The archive's checksum notices the change before the array is looked at.
    assert!(refusal(read_npz(&bytes)).contains("damaged"));
    let text = refusal(read_npz(&read("strings.npz")));
    assert!(text.starts_with("the NPZ file cannot be used: array \"labels\": its element type"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn a_damaged_array_never_panics(
        file in prop::sample::select(vec!["float32.npy", "fortran.npy", "int64.npy", "stored.npz", "deflated.npz"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = read(file);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(array) = read_npy(&bytes) {
            prop_assert_eq!(array.values.len(), array.shape.iter().product::<usize>());
        }
        let _ = read_npz(&bytes);
    }

    #[test]
    fn an_array_written_is_the_array_read(shape in prop::collection::vec(0_usize..4, 0..5), seed in any::<u32>()) {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count as u32).map(|index| f32::from_bits(seed.wrapping_mul(index + 1) & 0x7f7f_ffff)).collect();
        let written = write_npy(&shape, &values).unwrap();
        prop_assert_eq!(read_npy(&written), Ok(Array { shape, values }));
    }
}
