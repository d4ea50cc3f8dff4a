//! Promises about every model and about any bytes.

mod common;

use proptest::prelude::*;
use vitrine_onnx::Model;

const FILES: [&[u8]; 5] = [
    include_bytes!("data/attributes.onnx"),
    include_bytes!("data/control_flow.onnx"),
    include_bytes!("data/functions.onnx"),
    include_bytes!("data/nested.onnx"),
    include_bytes!("data/storage_forms.onnx"),
];

/// One change to a file.
#[derive(Clone, Debug)]
enum Change {
    Flip { at: prop::sample::Index, bit: u8 },
    Set { at: prop::sample::Index, byte: u8 },
    Cut { at: prop::sample::Index },
    Splice { from: prop::sample::Index, length: usize, to: prop::sample::Index },
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<prop::sample::Index>(), 0..8u8).prop_map(|(at, bit)| Change::Flip { at, bit }),
        (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set { at, byte }),
        any::<prop::sample::Index>().prop_map(|at| Change::Cut { at }),
        (any::<prop::sample::Index>(), 1..64usize, any::<prop::sample::Index>())
            .prop_map(|(from, length, to)| Change::Splice { from, length, to }),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let total = bytes.len();
    if total == 0 {
        return;
    }
    match change {
        Change::Flip { at, bit } => bytes[at.index(total)] ^= 1 << bit,
        Change::Set { at, byte } => bytes[at.index(total)] = *byte,
        Change::Cut { at } => bytes.truncate(at.index(total)),
        Change::Splice { from, length, to } => {
            let from = from.index(total);
            let piece = bytes[from..(from + length).min(total)].to_vec();
            let to = to.index(total);
            bytes.splice(to..to, piece);
        }
    }
}

/// What any bytes must give: an error that is a sentence, or a model that survives the round trip.
fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    match Model::decode(bytes) {
        Err(error) => prop_assert!(error.to_string().ends_with('.'), "no sentence: {error}"),
        Ok(model) => {
            if let Err(error) = model.validate() {
                prop_assert!(error.to_string().ends_with('.'), "no sentence: {error}");
            }
            // Debug text, because a changed bit can make a NaN, which differs from itself.
            let text = |model: &Model| format!("{model:?}");
            prop_assert_eq!(Model::decode(&model.encode()).map(|read| text(&read)), Ok(text(&model)));
            let valid = model.validate().is_ok();
            match model.inline_functions() {
                Err(error) => prop_assert!(error.to_string().ends_with('.'), "no sentence: {error}"),
                Ok(inlined) if valid => {
                    prop_assert_eq!(inlined.validate(), Ok(()));
                    let read = Model::decode(&inlined.encode());
                    prop_assert_eq!(read.map(|model| model.validate()), Ok(Ok(())));
                }
                Ok(_) => {}
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_model_survives_the_round_trip(model in common::model()) {
        prop_assert_eq!(Model::decode(&model.encode()), Ok(model));
    }

    #[test]
    fn changed_files_give_a_model_or_a_sentence(
        file in prop::sample::select(&FILES[..]),
        changes in prop::collection::vec(change(), 1..6),
    ) {
        let mut bytes = file.to_vec();
        changes.iter().for_each(|change| apply(&mut bytes, change));
        check(&bytes)?;
    }

    #[test]
    fn changed_models_give_a_model_or_a_sentence(
        model in common::model(),
        changes in prop::collection::vec(change(), 1..6),
    ) {
        let mut bytes = model.encode();
        changes.iter().for_each(|change| apply(&mut bytes, change));
        check(&bytes)?;
    }

    #[test]
    fn any_bytes_give_a_model_or_a_sentence(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        check(&bytes)?;
    }
}
