//! Einsum: any number of inputs, ellipsis, diagonals, by matrix products of two operands at a time.

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, check_rank, invalid},
    gather::strided,
};
use crate::{GraphError, Value, value::indexing::positions};

/// A sum of products over named axes.
#[derive(Clone, Debug)]
pub(crate) struct Einsum {
    /// Labels of each operand's axes.
    operands: Vec<Vec<Label>>,
    output: Vec<Label>,
    /// Shape of the output.
    shape: Vec<usize>,
}

/// An axis: a letter, or the position of an ellipsis's axis counted from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Label {
    Ellipsis(usize),
    Letter(char),
}

pub(crate) fn einsum(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let Some(equation) = arguments.text("equation") else { return invalid("its equation is missing") };
    let shapes = (0..arguments.facts.len()).map(|index| arguments.float_shape(index)).collect::<Result<Vec<_>, _>>()?;
    let einsum = Einsum::parse(equation, &shapes)?;
    let outputs = vec![Fact::float(einsum.shape.clone())];
    Ok(Resolved { operator: Operator::Einsum(einsum), outputs, inputs: shapes.len() })
}

/// Reads the labels of one term; `rank` tells how many axes its ellipsis stands for.
fn labels(term: &str, rank: Option<usize>, ellipsis: usize) -> Option<Vec<Label>> {
    let letters = |text: &str| -> Option<Vec<Label>> {
        text.chars().map(|letter| letter.is_ascii_alphabetic().then_some(Label::Letter(letter))).collect()
    };
    let Some((before, after)) = term.split_once("...") else { return letters(term) };
    let (before, after) = (letters(before)?, letters(after)?);
    let count = match rank {
        Some(rank) => rank.checked_sub(before.len() + after.len())?,
        None => ellipsis,
    };
    Some([before, (0..count).rev().map(Label::Ellipsis).collect(), after].concat())
}

impl Einsum {
    fn parse(equation: &str, shapes: &[&[usize]]) -> Result<Einsum, Refusal> {
        let wrong = || format!("equation {equation:?} does not fit inputs of shapes {shapes:?}");
        let equation: String = equation.chars().filter(|letter| !letter.is_whitespace()).collect();
        let (terms, result) = match equation.split_once("->") {
            Some((terms, result)) => (terms, Some(result)),
            None => (equation.as_str(), None),
        };
        let terms: Vec<&str> = terms.split(',').collect();
        if terms.len() != shapes.len() {
            return invalid(wrong());
        }
        let operands: Option<Vec<Vec<Label>>> =
            terms.iter().zip(shapes).map(|(term, shape)| labels(term, Some(shape.len()), 0)).collect();
        let Some(operands) = operands else { return invalid(wrong()) };
        let mut lengths: Vec<(Label, usize)> = Vec::new();
        for (labels, shape) in operands.iter().zip(shapes) {
            if labels.len() != shape.len() {
                return invalid(wrong());
            }
            for (&label, &length) in labels.iter().zip(*shape) {
                match lengths.iter_mut().find(|(known, _)| *known == label) {
                    Some((_, known)) if *known == length || length == 1 => {}
                    Some((_, known)) if *known == 1 => *known = length,
                    Some(_) => return invalid(wrong()),
                    None => lengths.push((label, length)),
                }
            }
        }
        let ellipsis = lengths.iter().filter(|(label, _)| matches!(label, Label::Ellipsis(_))).count();
        let output = match result {
            Some(result) => labels(result, None, ellipsis),
            // Without an output, letters that occur once remain, in alphabetical order, after the ellipsis.
            None => {
                let all: Vec<Label> = operands.concat();
                let once = |&label: &Label| all.iter().filter(|&&other| other == label).count() == 1;
                let mut letters: Vec<Label> =
                    all.iter().copied().filter(|label| matches!(label, Label::Letter(_)) && once(label)).collect();
                letters.sort_unstable();
                Some([(0..ellipsis).rev().map(Label::Ellipsis).collect(), letters].concat())
            }
        };
        let length = |label: &Label| lengths.iter().find(|(known, _)| known == label).map(|&(_, length)| length);
        let shape = output.as_ref().and_then(|output| output.iter().map(length).collect::<Option<Vec<_>>>());
        let (Some(output), Some(shape)) = (output, shape) else { return invalid(wrong()) };
        let repeated = (0..output.len()).any(|at| output[..at].contains(&output[at]));
        if repeated {
            return invalid(format!("{} (an output axis is named twice)", wrong()));
        }
        let einsum = Einsum { operands, output, shape };
        einsum.check_ranks()?;
        Ok(einsum)
    }

    /// Refuses equations whose intermediate results would have too many axes.
    fn check_ranks(&self) -> Result<(), Refusal> {
        check_rank(self.output.len())?;
        let mut left: Vec<Label> = Vec::new();
        for (index, right) in self.operands.iter().enumerate() {
            let kept = self.kept(index);
            let mut all = left.clone();
            right.iter().for_each(|label| {
                if !all.contains(label) {
                    all.push(*label)
                }
            });
            all.retain(|label| kept.contains(label));
            check_rank(all.len())?;
            left = all;
        }
        Ok(())
    }

    /// Labels that the output or an operand after this one still needs.
    fn kept(&self, index: usize) -> Vec<Label> {
        let later = self.operands.iter().skip(index + 1).flatten();
        later.chain(&self.output).copied().collect()
    }

    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let mut result: Option<Term> = None;
        for (index, labels) in self.operands.iter().enumerate() {
            let term = Term::new(inputs.get(index)?, labels)?;
            let kept = self.kept(index);
            result = Some(match result {
                Some(left) => left.times(term, &kept)?,
                None => term.summed(|label| kept.contains(&label))?,
            });
        }
        let Some(result) = result else { return Err(GraphError::MissingInput("an operand of Einsum".to_owned())) };
        let order: Vec<usize> = self.output.iter().filter_map(|label| result.axis(*label)).collect();
        result.value.permute(&order)?.expand(&self.shape)
    }
}

/// A value whose axes have names, none of them twice.
struct Term {
    value: Value,
    labels: Vec<Label>,
}

impl Term {
    /// Names the axes and takes diagonals where a name repeats.
    fn new(value: &Value, labels: &[Label]) -> Result<Term, GraphError> {
        let mut unique: Vec<Label> = Vec::new();
        labels.iter().for_each(|label| {
            if !unique.contains(label) {
                unique.push(*label)
            }
        });
        if unique.len() == labels.len() {
            return Ok(Term { value: value.clone(), labels: unique });
        }
        // Along a diagonal, one step is a step along each of its axes.
        let strides = strided(value.shape());
        let mut lengths = vec![0; unique.len()];
        let mut steps = vec![0; unique.len()];
        for ((label, &length), &(_, stride)) in labels.iter().zip(value.shape()).zip(&strides) {
            let at = unique.iter().position(|other| other == label).unwrap_or(0);
            lengths[at] = length;
            steps[at] += stride;
        }
        let mut picks = vec![0];
        for (&length, &step) in lengths.iter().zip(&steps) {
            picks = picks.iter().flat_map(|start| (0..length).map(move |at| start + at * step)).collect();
        }
        let flat = value.reshape(&[value.len()])?.select(0, positions(picks, &value.device()))?;
        Ok(Term { value: flat.reshape(&lengths)?, labels: unique })
    }

    fn axis(&self, label: Label) -> Option<usize> {
        self.labels.iter().position(|other| *other == label)
    }

    fn length(&self, label: Label) -> usize {
        self.axis(label).map_or(1, |axis| self.value.shape()[axis])
    }

    /// Sums over the axes that are not kept.
    fn summed(self, kept: impl Fn(Label) -> bool) -> Result<Term, GraphError> {
        let axes: Vec<usize> = (0..self.labels.len()).filter(|&axis| !kept(self.labels[axis])).collect();
        let remain = |axis: &usize| !axes.contains(axis);
        let shape: Vec<usize> = (0..self.labels.len()).filter(remain).map(|axis| self.value.shape()[axis]).collect();
        let labels = (0..self.labels.len()).filter(remain).map(|axis| self.labels[axis]).collect();
        Ok(Term { value: self.value.sum_axes(&axes)?.reshape(&shape)?, labels })
    }

    /// The product with another term, summed over what is not kept, as one batched matrix product.
    fn times(self, other: Term, kept: &[Label]) -> Result<Term, GraphError> {
        let left = self.summed_unless_shared(&other, kept)?;
        let right = other.summed_unless_shared(&left, kept)?;
        let shared: Vec<Label> = left.labels.iter().copied().filter(|label| right.axis(*label).is_some()).collect();
        let (batch, inner): (Vec<Label>, Vec<Label>) = shared.iter().partition(|label| kept.contains(label));
        let own = |term: &Term| -> Vec<Label> {
            term.labels.iter().copied().filter(|label| !shared.contains(label)).collect()
        };
        let (rows, columns) = (own(&left), own(&right));
        let length = |label: &Label| left.length(*label).max(right.length(*label));
        let lengths = |labels: &[Label]| -> Vec<usize> { labels.iter().map(length).collect() };
        let count = |labels: &[Label]| -> usize { labels.iter().map(length).product() };
        let arrange = |term: &Term, groups: [&[Label]; 3]| -> Result<Value, GraphError> {
            let order: Vec<usize> = groups.concat().iter().filter_map(|label| term.axis(*label)).collect();
            let shape = lengths(&groups.concat());
            term.value.permute(&order)?.expand(&shape)?.reshape(&groups.map(count))
        };
        let a = arrange(&left, [&batch, &rows, &inner])?.tensor::<3>()?;
        let b = arrange(&right, [&batch, &inner, &columns])?.tensor::<3>()?;
        let labels = [batch, rows, columns].concat();
        Ok(Term { value: Value::new(a.matmul(b)).reshape(&lengths(&labels))?, labels })
    }

    /// Sums over axes that neither the other term nor anything later has.
    fn summed_unless_shared(self, other: &Term, kept: &[Label]) -> Result<Term, GraphError> {
        self.summed(|label| kept.contains(&label) || other.axis(label).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(text: &str) -> Vec<Label> {
        text.chars().map(Label::Letter).collect()
    }

    #[test]
    fn an_equation_without_output_keeps_letters_that_occur_once() {
        let einsum = Einsum::parse("bi, ij", &[&[2, 3], &[3, 4]]).unwrap();
        assert_eq!((einsum.output, einsum.shape), (letters("bj"), vec![2, 4]));
    }

    #[test]
    fn an_ellipsis_stands_for_the_axes_that_are_not_named() {
        let einsum = Einsum::parse("...ij,jk->...ik", &[&[5, 6, 2, 3], &[3, 4]]).unwrap();
        assert_eq!(einsum.shape, [5, 6, 2, 4]);
    }

    #[test]
    fn equations_that_do_not_fit_are_refused() {
        for (equation, shapes) in [
            ("ij,jk->ik", vec![&[2, 3][..], &[4, 5]]),
            ("ij->ik", vec![&[2, 3]]),
            ("i->ii", vec![&[2]]),
            ("i1->i", vec![&[2, 2]]),
        ] {
            assert!(Einsum::parse(equation, &shapes).is_err(), "{equation}");
        }
    }
}
