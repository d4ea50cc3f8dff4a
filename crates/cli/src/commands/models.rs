//! `vitrine models`.

use serde::Serialize;
use vitrine_protocol::{ModelCard, Task};

use crate::{arguments::Listing, failure::Failure, output::say};

#[derive(Serialize)]
struct Entry {
    id: &'static str,
    bytes: usize,
    sha256: &'static str,
    card: ModelCard,
}

pub(crate) fn models(arguments: &Listing) -> Result<(), Failure> {
    let mut entries = Vec::new();
    for model in vitrine_zoo::models() {
        let card: ModelCard = serde_json::from_str(model.card)?;
        entries.push(Entry { id: model.id, bytes: model.onnx().len(), sha256: model.sha256, card });
    }
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&entries)?);
        return Ok(());
    }
    for Entry { id, bytes, card, .. } in entries {
        let input = &card.input;
        let (height, width, channels) = (input.height, input.width, input.channels.count());
        say!("{id}: {}", card.description);
        say!("  task     {} of {} classes: {}", task(card.task), card.labels.len(), card.labels.join(", "));
        say!("  input    {height}x{width} pixels, {channels} channels");
        say!("  size     {:.1} KB", bytes as f64 / 1000.0);
        if let Some(accuracy) = card.test_accuracy {
            say!("  accuracy {:.1} % on held-out images", accuracy * 100.0);
        }
        say!("  licence  {}", card.licence);
    }
    Ok(())
}

fn task(task: Task) -> &'static str {
    match task {
        Task::Classification => "classification",
        Task::MultiLabel => "multi-label classification",
        Task::Detection => "detection",
        Task::Segmentation => "segmentation",
        Task::Embedding => "embedding",
    }
}
