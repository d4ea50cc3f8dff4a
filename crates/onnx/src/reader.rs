//! A file as it comes in, piece by piece. Long lists of numbers go into memory of their own, which a device may take over
//! and which is freed list by list; what is left stays together and is walked once all has come.

use crate::wire::File;
use crate::{Model, OnnxError, decode};

/// Shorter lists of numbers stay where they are.
const LONG: usize = 1024;

/// Reads a model whose file comes in pieces, so that it is in memory once.
///
/// ```
/// # use vitrine_onnx::{Graph, Model, Reader};
/// let bytes = Model::new(17, Graph::default()).encode();
/// let mut reader = Reader::new(bytes.len());
/// bytes.chunks(7).for_each(|piece| reader.push(piece));
/// assert_eq!(reader.finish(), Model::decode(&bytes));
/// ```
#[derive(Debug, Default)]
pub struct Reader {
    file: File,
    /// Bytes that are to come in all.
    size: usize,
    /// The messages that have begun, each within the one before, and where they end.
    open: Vec<(Kind, usize)>,
    step: Step,
}

/// What the messages are on the way to long lists of numbers.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Graph,
    Node,
    Attribute,
    Tensor,
}

/// What the next byte belongs to.
#[derive(Debug)]
enum Step {
    Key(Varint),
    /// A number that is a field's value.
    Number(Varint),
    /// The length of a field's content.
    Length(u64, Varint),
    /// Content that stays where it is, and how many bytes of it are to come.
    Content(usize),
    /// A long list of numbers, and how many bytes it has.
    Numbers(Vec<u8>, usize),
    /// Bytes in which nothing is looked for any more, because they are not what they should be. Decoding says why.
    Rest,
}

impl Default for Step {
    fn default() -> Self {
        Step::Key(Varint::default())
    }
}

/// A base-128 number of which some digits have come.
#[derive(Clone, Copy, Debug, Default)]
struct Varint {
    value: u64,
    digits: u32,
}

impl Varint {
    /// Adds a digit; the number where it ends with it.
    fn add(&mut self, byte: u8) -> Option<u64> {
        self.value |= u64::from(byte & 0x7f).checked_shl(7 * self.digits).unwrap_or(0);
        self.digits += 1;
        (byte & 0x80 == 0).then_some(self.value)
    }

    /// Whether it has more digits than any number.
    fn is_too_long(&self) -> bool {
        self.digits > 10
    }
}

impl Reader {
    /// Begins a file of this many bytes.
    pub fn new(size: usize) -> Reader {
        Reader { size, ..Reader::default() }
    }

    /// Takes the next bytes of the file.
    pub fn push(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let taken = self.take(piece);
            piece = piece.get(taken..).unwrap_or_default();
        }
    }

    /// The model, once all bytes have come.
    ///
    /// # Errors
    ///
    /// Those of [`Model::decode`].
    pub fn finish(mut self) -> Result<Model, OnnxError> {
        if let Step::Numbers(content, _) = self.step {
            self.file.push(&content);
        }
        decode::model(&self.file)
    }

    /// Takes at least one byte of the next ones, and says how many.
    fn take(&mut self, piece: &[u8]) -> usize {
        let at = self.file.len();
        let begins = matches!(self.step, Step::Key(Varint { digits: 0, .. }));
        while begins && self.open.pop_if(|(_, end)| *end == at).is_some() {}
        let is_over = self.open.last().is_some_and(|(_, end)| *end <= at);
        let is_endless = match &self.step {
            Step::Key(varint) | Step::Number(varint) | Step::Length(_, varint) => varint.is_too_long(),
            _ => false,
        };
        if is_over || is_endless {
            self.step = self.rest(at);
        }
        let Some(first) = piece.first() else { return 0 };
        match &mut self.step {
            Step::Key(varint) => {
                if let Some(key) = varint.add(*first) {
                    let field = key >> 3;
                    self.step = match key & 7 {
                        _ if field == 0 => self.rest(at),
                        0 => Step::Number(Varint::default()),
                        1 => Step::Content(8),
                        2 => Step::Length(field, Varint::default()),
                        5 => Step::Content(4),
                        _ => self.rest(at),
                    };
                }
            }
            Step::Number(varint) => {
                if varint.add(*first).is_some() {
                    self.step = Step::default();
                }
            }
            Step::Length(field, varint) => {
                let field = *field;
                if let Some(length) = varint.add(*first) {
                    self.step = self.content(field, at + 1, length);
                }
            }
            Step::Content(left) => {
                let (content, _) = piece.split_at_checked(*left).unwrap_or((piece, &[]));
                *left -= content.len();
                if *left == 0 {
                    self.step = Step::default();
                }
                self.file.push(content);
                return content.len();
            }
            Step::Numbers(numbers, length) => {
                let (content, _) = piece.split_at_checked(*length - numbers.len()).unwrap_or((piece, &[]));
                numbers.extend_from_slice(content);
                if numbers.len() == *length {
                    self.file.put_aside(std::mem::take(numbers));
                    self.step = Step::default();
                }
                return content.len();
            }
            Step::Rest => {
                self.file.push(piece);
                return piece.len();
            }
        }
        self.file.push(piece.get(..1).unwrap_or_default());
        1
    }

    /// What comes after the length of a field that begins at this byte of the file.
    fn content(&mut self, field: u64, start: usize, length: u64) -> Step {
        let last = self.open.last();
        let limit = last.map_or(self.size, |(_, end)| *end);
        let end = usize::try_from(length).ok().and_then(|length| start.checked_add(length));
        let Some(end) = end.filter(|end| *end <= limit) else { return self.rest(start) };
        let length = end - start;
        // Numbers of the ONNX format's fields.
        let message = match (last.map(|(kind, _)| kind), field) {
            (None, 7) => Kind::Graph,
            (Some(Kind::Graph), 1) => Kind::Node,
            (Some(Kind::Node), 5) => Kind::Attribute,
            (Some(Kind::Graph | Kind::Attribute), 5) => Kind::Tensor,
            // Floats, raw bytes, doubles: all as they lie in memory.
            (Some(Kind::Tensor), 4 | 9 | 10) if length >= LONG => {
                return Step::Numbers(Vec::with_capacity(length), length);
            }
            _ if length == 0 => return Step::default(),
            _ => {
                self.file.reserve(length);
                return Step::Content(length);
            }
        };
        self.open.push((message, end));
        Step::default()
    }

    /// Gives up looking, from this byte of the file.
    fn rest(&mut self, from: usize) -> Step {
        self.file.reserve(self.size.saturating_sub(from));
        Step::Rest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{AttributeValue, Graph, Node, Tensor};

    /// Two long weights, a short one, and a long constant of a node.
    fn model() -> Model {
        let numbers: Vec<f32> = (0..LONG / 4).map(|number| number as f32).collect();
        let weight = |name| Tensor::from_f32(name, &[2, LONG / 8], &numbers);
        let constant = Node::new("Constant", &[], &["c"]).with("value", weight(""));
        let nodes = vec![constant, Node::new("Add", &["w", "c"], &["y"])];
        let initializers = vec![weight("w"), Tensor::from_i64("short", &[3], &[1, 2, 3]), weight("v")];
        Model::new(17, Graph { nodes, initializers, ..Graph::default() })
    }

    fn read(bytes: &[u8], piece: usize) -> Reader {
        let mut reader = Reader::new(bytes.len());
        bytes.chunks(piece).for_each(|piece| reader.push(piece));
        reader
    }

    #[test]
    fn pieces_of_any_size_give_the_same_model() {
        let bytes = model().encode();
        for piece in [1, 2, 3, LONG - 1, LONG + 1, bytes.len()] {
            let reader = read(&bytes, piece);
            assert_eq!(reader.file.aside().map(|(_, numbers)| numbers.len()).collect::<Vec<_>>(), [LONG; 3], "{piece}");
            assert_eq!(reader.finish(), Ok(model()), "pieces of {piece}");
        }
    }

    #[test]
    fn long_lists_are_handed_over_and_not_copied() {
        let reader = read(&model().encode(), 512);
        let places: Vec<*const u8> = reader.file.aside().map(|(_, numbers)| numbers.as_ptr()).collect();
        let graph = reader.finish().unwrap().graph;
        let constant = graph.nodes[0].attribute("value").and_then(AttributeValue::as_tensor).unwrap();
        let tensors = [constant, &graph.initializers[0], &graph.initializers[2]];
        assert_eq!(tensors.map(|tensor| tensor.data.as_ptr()).to_vec(), places);
        assert!(tensors.iter().all(|tensor| tensor.data.is_unique()), "somebody else still holds a list");
    }

    #[test]
    fn packed_floats_are_handed_over_too() {
        // One constant: dims 512, float, float_data of 2048 bytes.
        let constant = [&b"\x08\x80\x04\x10\x01\x22\x80\x10"[..], &[0; 2048]].concat();
        let graph = [&b"\x2a\x88\x10"[..], &constant].concat();
        let reader = read(&[&b"\x3a\x8b\x10"[..], &graph].concat(), 100);
        let place = reader.file.aside().map(|(_, numbers)| numbers.as_ptr()).next();
        let tensor = &reader.finish().unwrap().graph.initializers[0];
        assert_eq!((tensor.to_f32(), Some(tensor.data.as_ptr())), (Ok(vec![0.0; 512]), place));
    }

    #[test]
    fn a_file_that_ends_early_is_told_in_its_own_bytes() {
        let bytes = model().encode();
        for end in [bytes.len() - 1, bytes.len() / 2, LONG + 500, 10] {
            // Whether its size was believed or not.
            for size in [end, bytes.len()] {
                let mut reader = Reader::new(size);
                reader.push(&bytes[..end]);
                let error = reader.finish().unwrap_err();
                assert_eq!(error, decode::model(&File::from(&bytes[..end])).unwrap_err(), "cut at {end}, said {size}");
                assert!(matches!(error, OnnxError::Truncated { found, .. } if found == end), "{error}");
            }
        }
    }

    /// Where the file's structure is, and not its numbers.
    fn structure(bytes: &[u8]) -> Vec<usize> {
        let reader = read(bytes, bytes.len());
        let aside: Vec<_> = reader.file.aside().map(|(start, numbers)| start..start + numbers.len()).collect();
        (0..bytes.len()).filter(|at| !aside.iter().any(|numbers| numbers.contains(at))).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn damaged_files_are_read_as_if_nothing_were_put_aside(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            moved in proptest::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1..40_usize)),
            piece in 1..3000_usize,
        ) {
            let mut bytes = model().encode();
            let places = structure(&bytes);
            for (place, byte) in changes {
                bytes[places[place.index(places.len())]] = byte;
            }
            if let Some((from, to, length)) = moved {
                let from = places[from.index(places.len())];
                let part = bytes[from..bytes.len().min(from + length)].to_vec();
                let to = places[to.index(places.len())];
                bytes.splice(to..to, part);
            }
            let text = |result: Result<Model, OnnxError>| format!("{result:?}");
            prop_assert_eq!(text(read(&bytes, piece).finish()), text(decode::model(&File::from(&bytes[..]))));
        }
    }
}
