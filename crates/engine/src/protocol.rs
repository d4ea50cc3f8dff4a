//! Protocols with ground truth, run on loaded models.

use std::collections::BTreeMap;

use vitrine_evaluate::{
    Method, find_method,
    ground_truth::{self, Findings, Subject, Trial},
};
use vitrine_explain::{Context, Observer, Target};
use vitrine_graph::Value;
use vitrine_onnx::Model;
use vitrine_protocol::ExplainRequest;

use crate::{
    EngineError, ExplainOptions, Listener, LoadedModel,
    listener::Watcher,
    session::{batch, layers},
};

/// A protocol and what it is run on.
pub struct ProtocolRequest<'a> {
    /// Id of the protocol.
    pub protocol: &'a str,
    /// Its parameters as typed.
    pub parameters: &'a BTreeMap<String, String>,
    /// How many pictures are drawn.
    pub pictures: usize,
    /// The method with its parameters, layer and seed; protocols choose the target.
    pub explained: &'a ExplainRequest,
    /// The file behind the loaded model, for protocols that rewrite it.
    pub onnx: Option<&'a Model>,
    /// The model that the protocol holds beside the first, if it compares two.
    pub beside: Option<&'a LoadedModel>,
}

/// What a context borrows, of one model.
struct Prepared<'a> {
    model: &'a LoadedModel,
    input_name: String,
    input: Value,
    target: Target,
    layers: Vec<&'a str>,
    batch: usize,
}

/// Runs a protocol with ground truth on a model.
///
/// # Errors
/// A model that does not fit, arguments that do not, a cancelled run, a failing device.
pub async fn measure(
    model: &LoadedModel,
    request: &ProtocolRequest<'_>,
    options: &ExplainOptions,
    listener: &dyn Listener,
) -> Result<Findings, EngineError> {
    let protocol = ground_truth::find(request.protocol)?;
    let explained = request.explained;
    let (parameters, seed) = (&explained.parameters, explained.seed);
    let method = Method { explainer: find_method(&explained.method)?, parameters, seed };
    let first = Prepared::new(model, explained, options).await?;
    let second = match request.beside {
        Some(model) => Some(Prepared::new(model, explained, options).await?),
        None => None,
    };
    let watcher = Watcher::new(listener);
    let subject = |prepared| Subject { context: Prepared::context(prepared, request, options, &watcher), method };
    let trial = Trial {
        subject: subject(&first),
        labels: model.labels(),
        model: request.onnx,
        other: second.as_ref().map(subject),
        pictures: request.pictures,
    };
    let findings = ground_truth::measure(protocol, &trial).await;
    model.place.check()?;
    Ok(findings?)
}

impl<'a> Prepared<'a> {
    async fn new(
        model: &'a LoadedModel,
        explained: &'a ExplainRequest,
        options: &ExplainOptions,
    ) -> Result<Prepared<'a>, EngineError> {
        let (input_name, shape) = model.input();
        let card = model.card.as_ref();
        let named = explained.layer.as_deref().or(card.and_then(|card| card.target_layer.as_deref()));
        Ok(Prepared {
            model,
            input_name,
            input: Value::full(0.0, &shape, model.graph.device()),
            target: Target::logit(&model.head()?, 0)?,
            layers: layers(named, &model.graph),
            batch: batch(model, options).await?,
        })
    }

    fn context(
        &'a self,
        request: &'a ProtocolRequest<'_>,
        options: &'a ExplainOptions,
        observer: &'a dyn Observer,
    ) -> Context<'a> {
        let card = self.model.card.as_ref();
        Context {
            graph: &self.model.graph,
            input_name: &self.input_name,
            input: &self.input,
            pixels: card.map(|card| &card.input),
            target: &self.target,
            layers: &self.layers,
            tokens: card.and_then(|card| card.tokens),
            parameters: request.parameters,
            seed: request.explained.seed,
            batch: self.batch,
            infill_files: &options.infill_files,
            observer,
        }
    }
}
