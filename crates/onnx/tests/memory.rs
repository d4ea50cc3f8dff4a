//! Decoding takes no more memory than a small multiple of the file, whatever is in it.
#![allow(unsafe_code, reason = "an allocator that counts has to be one")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use vitrine_onnx::{Graph, Model, OnnxError, Reader, Tensor};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counting the bytes that are live and their peak.
struct Counting;

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: the caller's promises are ours.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are ours.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Decodes a file that comes in pieces, and says how many bytes were allocated at the peak.
fn peak(bytes: &[u8]) -> (Result<Model, OnnxError>, usize) {
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let mut reader = Reader::new(bytes.len());
    bytes.chunks(1000).for_each(|piece| reader.push(piece));
    let result = reader.finish();
    (result, PEAK.load(Ordering::Relaxed) - before)
}

/// A field with this content, as often as makes about `total` bytes.
fn repeated(number: u8, content: &[u8], total: usize) -> Vec<u8> {
    let field = field(number, content);
    field.repeat(total / field.len())
}

fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(content);
    bytes
}

/// A file whose graph has this content.
fn in_graph(content: &[u8]) -> Vec<u8> {
    field(7, content)
}

/// A file with one node that has one attribute with this content.
fn in_attribute(content: &[u8]) -> Vec<u8> {
    in_graph(&field(1, &field(5, content)))
}

/// Files made to need memory out of proportion, each about `total` bytes.
fn hostile(total: usize) -> Vec<(&'static str, Vec<u8>)> {
    let with_graph = |content: Vec<u8>| [in_graph(b""), content].concat();
    let typed = |type_code: u8| vec![0xa0, 0x01, type_code];
    let list = |type_code, content: Vec<u8>| in_attribute(&[typed(type_code), content].concat());
    let nested =
        (0..15).fold(repeated(1, b"", total), |inner, _| field(1, &field(5, &[typed(5), field(6, &inner)].concat())));
    vec![
        ("empty nodes", in_graph(&repeated(1, b"", total))),
        ("empty constants", in_graph(&repeated(5, b"", total))),
        ("empty int8 constants", in_graph(&repeated(5, b"\x10\x03\x08\x00", total))),
        ("empty inputs", in_graph(&repeated(11, b"", total))),
        ("empty input names", in_graph(&field(1, &repeated(1, b"", total)))),
        ("empty attributes", in_graph(&field(1, &repeated(5, b"", total)))),
        ("attributes of type int", in_graph(&field(1, &repeated(5, &typed(2), total)))),
        (
            "attributes with an empty graph",
            in_graph(&field(1, &repeated(5, &[&typed(5)[..], b"\x32\0"].concat(), total))),
        ),
        ("empty strings", list(8, repeated(9, b"", total))),
        ("empty tensors", list(9, repeated(10, b"", total))),
        ("empty graphs", list(10, repeated(11, b"", total))),
        ("packed small integers", list(7, field(8, &vec![1; total]))),
        ("small integers", list(7, b"\x40\x01".repeat(total / 2))),
        ("packed floats", list(6, field(7, &vec![0; total / 4 * 4]))),
        (
            "packed dimensions of 1",
            in_graph(&field(5, &[&b"\x10\x03\x4a\x01\x07"[..], &field(1, &vec![1; total])].concat())),
        ),
        ("small int64 elements", in_graph(&field(5, &[&b"\x10\x07"[..], &field(7, &vec![1; total])].concat()))),
        ("small uint64 elements", in_graph(&field(5, &[&b"\x10\x0d"[..], &field(11, &vec![1; total])].concat()))),
        ("empty dimensions", in_graph(&field(11, &field(2, &field(1, &field(2, &repeated(1, b"", total))))))),
        ("empty metadata", with_graph(repeated(14, b"", total))),
        ("empty opsets", with_graph(repeated(8, b"", total))),
        // Field number 25 takes two bytes of key.
        ("empty functions", with_graph(b"\xca\x01\x00".repeat(total / 3))),
        ("many graphs, of which one counts", in_graph(b"").repeat(total / 2)),
        ("nodes at depth 15", in_graph(&nested)),
        ("metadata of external data", in_graph(&field(5, &[&b"\x70\x01"[..], &repeated(13, b"", total)].concat()))),
    ]
}

#[test]
fn decoding_takes_a_small_multiple_of_the_file() {
    let mut refused = 0;
    for total in [1_000, 30_000] {
        for (name, bytes) in hostile(total) {
            let (result, peak) = peak(&bytes);
            let allowed = 16 * bytes.len() + 64 * 1024;
            let (length, outcome) = (bytes.len(), result.as_ref().err().map(OnnxError::to_string));
            println!("{name}: {length} bytes, peak {peak} ({:.1} times), {outcome:?}", peak as f64 / length as f64);
            assert!(peak <= allowed, "{name}: {peak} bytes for a file of {length}; {outcome:?}");
            refused += usize::from(matches!(result, Err(OnnxError::OutOfProportion { .. } | OnnxError::InNode { .. })));
        }
    }
    assert!(refused > 10, "only {refused} files were hostile enough to be refused");

    // An ordinary file: its weights once, and next to nothing else.
    let weights = vec![0.5; 1_000_000];
    let graph = Graph { initializers: vec![Tensor::from_f32("w", &[1000, 1000], &weights)], ..Graph::default() };
    let bytes = Model::new(17, graph).encode();
    let (result, peak) = peak(&bytes);
    assert!(result.is_ok() && peak < bytes.len() + 2_000, "{peak} bytes for a file of {}", bytes.len());
}
