//! Files that are no ONNX models are refused with a sentence that says what they are and what to do.

use vitrine_onnx::{Lookalike, Model, OnnxError};

const MODEL: &[u8] = include_bytes!("data/storage_forms.onnx");

#[test]
fn files_of_other_kinds_are_called_what_they_are() {
    let zip = |name: &str| [b"PK\x03\x04\x14\0\0\0\0\0", name.as_bytes(), b"\x80\x02."].concat();
    let safetensors = [&31u64.to_le_bytes()[..], b"{\"w\":{\"dtype\":\"F32\",\"shape\":[]}}\0\0\0\0"].concat();
    let cases: &[(&[u8], Lookalike)] = &[
        (b"<!DOCTYPE html>\n<html><head><title>404</title>", Lookalike::WebPage),
        (b"\xef\xbb\xbf  <html lang=\"en\">", Lookalike::WebPage),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7\n", Lookalike::GitLfsPointer),
        (b"{\"architectures\": [\"ResNet\"]}", Lookalike::Markup),
        (b"<?xml version=\"1.0\"?><net name=\"x\">", Lookalike::Markup),
        (b"this is not a model\n", Lookalike::Text),
        ("h\u{e9}llo, w\u{f6}rld".as_bytes(), Lookalike::Text),
        (&zip("archive/data.pkl"), Lookalike::PyTorch),
        (&zip("model.weights.h5"), Lookalike::Keras),
        (&zip("readme.txt"), Lookalike::Zip),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", Lookalike::Pickle),
        (b"\x1f\x8b\x08\0\0\0\0\0", Lookalike::Gzip),
        (&safetensors, Lookalike::SafeTensors),
        (b"\x89HDF\r\n\x1a\n\0\0", Lookalike::Hdf5),
        (b"\x1c\0\0\0TFL3\x14\0", Lookalike::TensorFlowLite),
        (b"\x24\0\0\0ORTM\0\0", Lookalike::OnnxRuntime),
        // A SavedModel { schema version 1, one graph with a tag }, and a frozen graph with one placeholder.
        (b"\x08\x01\x12\x09\x0a\x07\x22\x05serve", Lookalike::TensorFlow),
        (b"\x0a\x10\x0a\x01x\x12\x0bPlaceholder", Lookalike::TensorFlow),
        (b"\x93NUMPY\x01\0v\0{'descr'", Lookalike::Numpy),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Lookalike::Image),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", Lookalike::Image),
    ];
    for (bytes, lookalike) in cases {
        let error = Model::decode(bytes).unwrap_err();
        assert_eq!(error, OnnxError::NotOnnx { lookalike: *lookalike }, "{:?}", bytes.escape_ascii().to_string());
        let sentence = error.to_string();
        assert!(sentence.ends_with('.') && !sentence.trim_end_matches('.').contains(". "), "one sentence: {sentence}");
    }
}

#[test]
fn an_empty_file_is_called_empty() {
    assert_eq!(Model::decode(b""), Err(OnnxError::Empty));
}

#[test]
fn a_file_without_a_graph_is_no_model() {
    // ir_version 8 and nothing else.
    assert_eq!(Model::decode(b"\x08\x08"), Err(OnnxError::NoGraph));
}

#[test]
fn a_file_that_is_cut_short_is_called_that() {
    let error = Model::decode(&MODEL[..MODEL.len() / 2]).unwrap_err();
    let OnnxError::Truncated { found, missing } = error else { panic!("{error}") };
    assert_eq!(found, MODEL.len() / 2);
    assert!(missing > 0 && found as u64 + missing <= MODEL.len() as u64, "{missing} bytes missing");
}

#[test]
fn a_file_cut_anywhere_is_never_read_as_the_whole() {
    let whole = Model::decode(MODEL);
    for end in 0..MODEL.len() {
        assert_ne!(Model::decode(&MODEL[..end]), whole, "cut after {end} bytes");
    }
}
