//! Models from elsewhere, where a checkout has them beside it; the project does not contain them.

use std::path::Path;

use vitrine_onnx::Model;

#[test]
fn models_from_elsewhere_are_valid_and_round_trip() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let Ok(entries) = folder.read_dir() else { return };
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "onnx"));
    for path in paths {
        let name = path.display();
        let model = Model::decode(&std::fs::read(&path).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        model.validate().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(model.graph.nodes.len() > 5, "{name} has {} nodes", model.graph.nodes.len());
        assert_eq!(Model::decode(&model.encode()).as_ref(), Ok(&model), "{name} changed on the round trip");
    }
}
