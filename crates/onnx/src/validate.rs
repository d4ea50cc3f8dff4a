//! Checks on a whole model that every reader relies on.

use std::collections::{HashMap, HashSet};

use crate::functions::Functions;
use crate::model::canonical;
use crate::{AttributeValue, Dimension, Function, Graph, Model, Node, OnnxError, Opset, Tensor, ValueInfo};

/// Far above the newest operator set, so that only damage is refused; whoever runs the model knows what it can run.
const NEWEST_OPSET: i64 = 99;

/// Checks a model; the first violation is the error.
pub(crate) fn model(model: &Model) -> Result<(), OnnxError> {
    opsets(&model.opsets)?;
    standard_opset(model)?;
    let functions = Functions::new(&model.functions)?;
    functions.check_calls()?;
    graph(&model.graph, Scope { functions: Some(&functions), ..Scope::default() })?;
    for function in &model.functions {
        self::function(function, &functions)
            .map_err(|source| OnnxError::InFunction { function: function.name.clone(), source: Box::new(source) })?;
    }
    Ok(())
}

fn standard_opset(model: &Model) -> Result<(), OnnxError> {
    let found = match model.opset("") {
        Some(version) if (1..=NEWEST_OPSET).contains(&version) => return Ok(()),
        Some(version) => format!("version {version}"),
        None => "no version".to_owned(),
    };
    Err(OnnxError::Opset { found, newest: NEWEST_OPSET })
}

fn opsets(opsets: &[Opset]) -> Result<(), OnnxError> {
    let mut versions = HashMap::new();
    for Opset { domain, version } in opsets {
        match versions.insert(canonical(domain), *version) {
            Some(first) if first != *version => {
                return Err(OnnxError::TwoOpsets { domain: domain.clone(), first, second: *version });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The values that a graph or a function's body may use.
#[derive(Clone, Copy, Default)]
struct Scope<'a> {
    /// What the graph around a control-flow node's body has made so far.
    outer: Option<&'a Values<'a>>,
    in_function: bool,
    /// What nodes may call.
    functions: Option<&'a Functions<'a>>,
}

/// The values of one graph: those made so far, and all that will be.
#[derive(Default)]
struct Values<'a> {
    made: HashSet<&'a str>,
    later: HashSet<&'a str>,
    scope: Scope<'a>,
}

impl<'a> Values<'a> {
    fn define(&mut self, value: &'a str) -> Result<(), OnnxError> {
        if self.made.insert(value) { Ok(()) } else { Err(OnnxError::DefinedTwice { value: value.to_owned() }) }
    }

    fn is_made(&self, value: &str) -> bool {
        self.made.contains(value) || self.scope.outer.is_some_and(|outer| outer.is_made(value))
    }

    fn require(&self, value: &str) -> Result<(), OnnxError> {
        match value {
            _ if self.is_made(value) => Ok(()),
            _ if self.later.contains(value) => Err(OnnxError::UsedTooEarly { value: value.to_owned() }),
            _ => Err(OnnxError::Undefined { value: value.to_owned() }),
        }
    }

    fn run(&mut self, nodes: &'a [Node]) -> Result<(), OnnxError> {
        self.later = nodes.iter().flat_map(|node| &node.outputs).map(String::as_str).collect();
        nodes.iter().try_for_each(|node| self.node(node).map_err(|error| error.in_node(node)))
    }

    fn node(&mut self, node: &'a Node) -> Result<(), OnnxError> {
        named(&node.operator, "an operator")?;
        node.inputs.iter().filter(|name| !name.is_empty()).try_for_each(|name| self.require(name))?;
        self.call(node)?;
        let mut names = HashSet::new();
        for attribute in &node.attributes {
            if !names.insert(&attribute.name) {
                return Err(OnnxError::AttributeTwice { attribute: attribute.name.clone() });
            }
            self.attribute(&attribute.name, &attribute.value)?;
        }
        node.outputs.iter().filter(|name| !name.is_empty()).try_for_each(|name| self.define(name))
    }

    /// A call must not give more inputs and outputs than the function has.
    fn call(&self, node: &Node) -> Result<(), OnnxError> {
        let Some(function) = self.scope.functions.and_then(|functions| functions.called_by(node)) else {
            return Ok(());
        };
        let inputs = ("inputs", node.inputs.len(), function.inputs.len());
        let outputs = ("outputs", node.outputs.len(), function.outputs.len());
        match [inputs, outputs].into_iter().find(|(_, found, expected)| found > expected) {
            Some((what, found, expected)) => Err(OnnxError::Call { function: function.label(), what, found, expected }),
            None => Ok(()),
        }
    }

    fn attribute(&self, name: &str, value: &AttributeValue) -> Result<(), OnnxError> {
        let scope = Scope { outer: Some(self), ..self.scope };
        match value {
            AttributeValue::Tensor(tensor) => tensor.check(name),
            AttributeValue::Tensors(tensors) => tensors.iter().try_for_each(|tensor| tensor.check(name)),
            AttributeValue::Graph(body) => graph(body, scope),
            AttributeValue::Graphs(bodies) => bodies.iter().try_for_each(|body| graph(body, scope)),
            AttributeValue::Reference { .. } if !self.scope.in_function => {
                Err(OnnxError::ReferenceOutsideFunction { attribute: name.to_owned() })
            }
            _ => Ok(()),
        }
    }
}

fn graph(graph: &Graph, scope: Scope<'_>) -> Result<(), OnnxError> {
    let mut values = Values { scope, ..Values::default() };
    for input in &graph.inputs {
        named(&input.name, "an input")?;
        values.define(&input.name)?;
    }
    constants(graph, &mut values)?;
    for value in graph.inputs.iter().chain(&graph.outputs).chain(&graph.value_infos) {
        declared_shape(value)?;
    }
    values.run(&graph.nodes)?;
    if graph.outputs.is_empty() {
        return Err(OnnxError::NoOutputs);
    }
    for output in &graph.outputs {
        named(&output.name, "an output")?;
        values.require(&output.name)?;
    }
    Ok(())
}

/// Initializers define values of their own, or are the defaults of inputs, as files before IR version 4 had to say.
fn constants<'a>(graph: &'a Graph, values: &mut Values<'a>) -> Result<(), OnnxError> {
    let inputs: HashMap<&str, &ValueInfo> = graph.inputs.iter().map(|input| (input.name.as_str(), input)).collect();
    let mut seen = HashSet::new();
    for constant in &graph.initializers {
        named(&constant.name, "a constant")?;
        constant.check(&constant.name)?;
        if !seen.insert(&constant.name) {
            return Err(OnnxError::DefinedTwice { value: constant.name.clone() });
        }
        match inputs.get(constant.name.as_str()) {
            Some(input) => same_shape(constant, input)?,
            None => values.define(&constant.name)?,
        }
    }
    Ok(())
}

fn same_shape(constant: &Tensor, input: &ValueInfo) -> Result<(), OnnxError> {
    let Some(declared) = &input.shape else { return Ok(()) };
    let agrees = |(length, dimension): (&usize, &Dimension)| dimension.known().is_none_or(|known| known == *length);
    if declared.len() == constant.shape.len() && constant.shape.iter().zip(declared).all(agrees) {
        return Ok(());
    }
    Err(OnnxError::DeclaredOtherwise {
        tensor: constant.name.clone(),
        found: constant.shape.clone(),
        declared: input.to_string(),
    })
}

fn function(function: &Function, functions: &Functions<'_>) -> Result<(), OnnxError> {
    opsets(&function.opsets)?;
    function.value_infos.iter().try_for_each(declared_shape)?;
    let scope = Scope { outer: None, in_function: true, functions: Some(functions) };
    let mut values = Values { scope, ..Values::default() };
    function.inputs.iter().try_for_each(|name| values.define(name))?;
    values.run(&function.nodes)?;
    function.outputs.iter().try_for_each(|name| values.require(name))
}

/// The known dimensions alone must not be more elements than memory holds.
fn declared_shape(value: &ValueInfo) -> Result<(), OnnxError> {
    let known: Vec<usize> = value.shape.iter().flatten().filter_map(Dimension::known).collect();
    let size = value.element_type.and_then(|element_type| element_type.size()).unwrap_or(1);
    let bytes = known.iter().try_fold(size, |product, length| product.checked_mul((*length).max(1)));
    match bytes.map(isize::try_from) {
        Some(Ok(_)) => Ok(()),
        _ => Err(OnnxError::ShapeTooLarge { tensor: value.name.clone(), shape: known }),
    }
}

fn named(name: &str, what: &'static str) -> Result<(), OnnxError> {
    if name.is_empty() { Err(OnnxError::NoName { what }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Attribute;

    /// y = Relu(x + w): valid.
    fn valid() -> Model {
        let graph = Graph {
            nodes: vec![Node::new("Add", &["x", "w"], &["sum"]), Node::new("Relu", &["sum"], &["y"])],
            initializers: vec![Tensor::from_f32("w", &[2], &[1.0, 2.0])],
            inputs: vec![ValueInfo::float("x", &[1, 2])],
            outputs: vec![ValueInfo::float("y", &[1, 2])],
            ..Graph::default()
        };
        Model::new(13, graph)
    }

    /// What validation says after `damage`.
    fn after(damage: impl Fn(&mut Model)) -> String {
        let mut model = valid();
        assert_eq!(model.validate(), Ok(()));
        damage(&mut model);
        model.validate().expect_err("the damage should be found").to_string()
    }

    #[test]
    fn values_must_be_made_once_and_before_they_are_used() {
        let early = after(|model| model.graph.nodes.reverse());
        assert_eq!(
            early,
            "In node 'y' (Relu): The value 'sum' is used before it is made; nodes must be in the order in which they run."
        );
        let nowhere = after(|model| model.graph.initializers.clear());
        assert_eq!(nowhere, "In node 'sum' (Add): The value 'w' is used, but no input, constant or node makes it.");
        for value in ["x", "w", "sum"] {
            let twice = after(|model| model.graph.nodes[1].outputs = vec![value.into()]);
            assert!(twice.contains(&format!("'{value}' is defined twice")), "{twice}");
        }
        let itself = after(|model| model.graph.nodes[1].inputs = vec!["y".into()]);
        assert!(itself.contains("'y' is used before it is made"), "{itself}");
    }

    #[test]
    fn inputs_and_constants_must_be_given_once() {
        let inputs = after(|model| model.graph.inputs.push(ValueInfo::float("x", &[1])));
        assert!(inputs.contains("'x' is defined twice"), "{inputs}");
        let constants = after(|model| model.graph.initializers.push(Tensor::from_f32("w", &[1], &[0.0])));
        assert!(constants.contains("'w' is defined twice"), "{constants}");
    }

    #[test]
    fn outputs_must_exist_and_be_made() {
        let unmade = after(|model| model.graph.outputs[0].name = "z".into());
        assert!(unmade.contains("'z' is used, but"), "{unmade}");
        assert!(after(|model| model.graph.outputs.clear()).contains("no outputs"));
    }

    #[test]
    fn the_standard_operator_set_needs_one_version_that_can_be() {
        assert!(after(|model| model.opsets.clear()).contains("no version"));
        assert!(after(|model| model.opsets[0].version = 0).contains("version 0"));
        assert!(after(|model| model.opsets[0].version = 1 << 40).contains("version 1099511627776"));
        let two = after(|model| model.opsets.push(Opset { domain: "ai.onnx".into(), version: 9 }));
        assert!(two.contains("13 and 9"), "{two}");
    }

    #[test]
    fn data_and_declared_shapes_must_agree() {
        let short = after(|model| model.graph.initializers[0].data.truncate(5));
        assert!(short.contains("'w'") && short.contains("needs 8 bytes") && short.contains("has 5"), "{short}");
        let declared = after(|model| model.graph.inputs.push(ValueInfo::float("w", &[3])));
        assert_eq!(declared, "The constant 'w' has the shape [2], but is declared as float[3].");
        let huge = after(|model| model.graph.inputs[0] = ValueInfo::float("x", &[1 << 40, 1 << 40]));
        assert!(huge.contains("'x' has the shape"), "{huge}");
    }

    #[test]
    fn a_constant_may_be_declared_as_an_input_of_its_shape() {
        for dimension in [Dimension::Known(2), Dimension::Symbol("n".into()), Dimension::Unknown] {
            let mut model = valid();
            model.graph.inputs.push(ValueInfo::float("w", &[dimension]));
            assert_eq!(model.validate(), Ok(()));
        }
    }

    #[test]
    fn names_and_attributes_must_be_there_once() {
        assert!(after(|model| model.graph.inputs[0].name.clear()).contains("an input without a name"));
        assert!(after(|model| model.graph.initializers[0].name.clear()).contains("a constant without a name"));
        assert!(after(|model| model.graph.nodes[0].operator.clear()).contains("an operator without a name"));
        let axis = || Attribute { name: "axis".into(), value: 1.into() };
        let twice = after(|model| model.graph.nodes[0].attributes = vec![axis(), axis()]);
        assert!(twice.contains("'axis' is given twice"), "{twice}");
    }

    #[test]
    fn functions_are_checked_too() {
        let body = vec![Node::new("Relu", &["missing"], &["y"])];
        let function = Function { name: "Own".into(), nodes: body, outputs: vec!["y".into()], ..Function::default() };
        let error = after(|model| model.functions = vec![function.clone()]);
        assert!(error.starts_with("In function 'Own': In node 'y' (Relu): The value 'missing'"), "{error}");
    }

    #[test]
    fn left_out_inputs_and_outputs_are_no_values() {
        let mut model = valid();
        model.graph.nodes[0].inputs.push(String::new());
        model.graph.nodes[0].outputs.push(String::new());
        model.graph.nodes[1].outputs.push(String::new());
        assert_eq!(model.validate(), Ok(()));
    }
}
