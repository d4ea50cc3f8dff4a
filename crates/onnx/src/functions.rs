//! The functions that a file defines: which node calls which, and that none calls itself.

use std::collections::HashMap;

use crate::model::canonical;
use crate::{AttributeValue, Function, Graph, Node, OnnxError};

/// Functions by what calls them: domain, name and overload.
#[derive(Clone, Debug, Default)]
pub(crate) struct Functions<'a> {
    list: &'a [Function],
    at: HashMap<(&'a str, &'a str, &'a str), usize>,
}

impl<'a> Functions<'a> {
    /// Finds the functions of a file.
    pub(crate) fn new(list: &'a [Function]) -> Result<Functions<'a>, OnnxError> {
        let mut at = HashMap::with_capacity(list.len());
        for (index, function) in list.iter().enumerate() {
            let key = (canonical(&function.domain), function.name.as_str(), function.overload.as_str());
            if at.insert(key, index).is_some() {
                return Err(OnnxError::FunctionTwice { function: function.label() });
            }
        }
        Ok(Functions { list, at })
    }

    /// The function that a node calls.
    pub(crate) fn called_by(&self, node: &Node) -> Option<&'a Function> {
        self.list.get(self.position(node)?)
    }

    fn position(&self, node: &Node) -> Option<usize> {
        self.at.get(&(canonical(&node.domain), node.operator.as_str(), node.overload.as_str())).copied()
    }

    /// Checks that no function calls itself, directly or through others.
    pub(crate) fn check_calls(&self) -> Result<(), OnnxError> {
        let calls: Vec<Vec<usize>> = self.list.iter().map(|function| self.calls(function)).collect();
        let mut callers = vec![Vec::new(); calls.len()];
        for (caller, called) in calls.iter().enumerate() {
            for &called in called {
                if let Some(callers) = callers.get_mut(called) {
                    callers.push(caller);
                }
            }
        }
        // A function is done when all that it calls are; those that never are wait for one another in a circle.
        let mut waiting: Vec<usize> = calls.iter().map(Vec::len).collect();
        let mut ready: Vec<usize> = (0..).zip(&waiting).filter(|(_, calls)| **calls == 0).map(|(at, _)| at).collect();
        while let Some(done) = ready.pop() {
            for &caller in callers.get(done).into_iter().flatten() {
                if let Some(count) = waiting.get_mut(caller) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(caller);
                    }
                }
            }
        }
        if waiting.iter().all(|count| *count == 0) { Ok(()) } else { Err(self.circle(&calls, &waiting)) }
    }

    /// Positions of the functions that a function calls, once for each call.
    fn calls(&self, function: &Function) -> Vec<usize> {
        let mut calls = Vec::new();
        each_node(&function.nodes, &mut |node| calls.extend(self.position(node)));
        calls
    }

    /// Follows calls among the functions that still wait for another: each has one, so that the way ends in a circle.
    fn circle(&self, calls: &[Vec<usize>], waiting: &[usize]) -> OnnxError {
        let waits = |at: &usize| waiting.get(*at).is_some_and(|count| *count > 0);
        let mut seen_at = HashMap::new();
        let mut path = Vec::new();
        let mut at = (0..calls.len()).find(waits);
        while let Some(here) = at {
            if let Some(&start) = seen_at.get(&here) {
                path.drain(..start);
                break;
            }
            seen_at.insert(here, path.len());
            path.push(here);
            at = calls.get(here).and_then(|called| called.iter().copied().find(waits));
        }
        OnnxError::Recursion { calls: path.iter().filter_map(|at| self.list.get(*at)).map(Function::label).collect() }
    }
}

/// Visits nodes and those of the graphs in their attributes.
pub(crate) fn each_node<'a>(nodes: &'a [Node], visit: &mut dyn FnMut(&'a Node)) {
    for node in nodes {
        visit(node);
        for body in bodies(node) {
            each_node(&body.nodes, visit);
        }
    }
}

/// The graphs in a node's attributes.
pub(crate) fn bodies(node: &Node) -> impl Iterator<Item = &Graph> {
    node.attributes.iter().flat_map(|attribute| match &attribute.value {
        AttributeValue::Graph(body) => std::slice::from_ref(&**body),
        AttributeValue::Graphs(bodies) => bodies.as_slice(),
        _ => &[],
    })
}
