//! `STATUS.md`: what became of every case on each device.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Case, Index, Outcome};

/// A case with its outcome on the CPU backend and on wgpu.
pub struct Row<'a> {
    /// The case.
    pub case: &'a Case,
    /// On the CPU backend.
    pub cpu: &'a Outcome,
    /// On wgpu.
    pub gpu: &'a Outcome,
}

/// The text of `STATUS.md`.
pub fn status(index: &Index, rows: &[Row<'_>]) -> String {
    let mut text = format!("{}{}\n", HEAD, explanation(&index.onnx));
    let mut total = Counts::default();
    let mut operators: BTreeMap<&str, Counts> = BTreeMap::new();
    for row in rows {
        total.add(row);
        operators.entry(&row.case.operator).or_default().add(row);
    }
    text += "\n## By operator\n\n";
    text += "| operator | cases | CPU: pass | unsupported | fail | wgpu: pass | unsupported | fail |\n";
    text += "|---|--:|--:|--:|--:|--:|--:|--:|\n";
    for (operator, counts) in [("**all**", &total)].into_iter().chain(operators.iter().map(|(name, it)| (*name, it))) {
        let ([a, b, c], [d, e, f]) = (counts.cpu, counts.gpu);
        let cases = a + b + c;
        let _ = writeln!(text, "| {operator} | {cases} | {a} | {b} | {c} | {d} | {e} | {f} |");
    }
    text += "\n## By test\n\n| test | opset | CPU | wgpu | constant inputs, or reason |\n|---|--:|---|---|---|\n";
    for Row { case, cpu, gpu } in rows {
        let (name, opset) = (&case.name, case.opset);
        let reason = if cpu == gpu { said(cpu) } else { format!("CPU: {}; wgpu: {}", said(cpu), said(gpu)) };
        let _ = writeln!(text, "| {name} | {opset} | {} | {} | {} |", state(cpu), state(gpu), cell(&reason));
    }
    text
}

const HEAD: &str = "# ONNX conformance\n\n";

fn explanation(version: &str) -> String {
    format!(
        "The backend node tests of the Python package `onnx` {version}, run on burn's CPU backend and on wgpu. This file is written by the test
itself (README.md says how) and compared with what it finds whenever it runs.

- **pass**: the outputs have the expected shapes, kinds and values, within the case's own tolerance.
- **unsupported**: the model is refused before it runs, for the reason given; nothing is computed.
- **fail**: a wrong result, a panic, or a right model refused as if it were damaged.

A node test makes an input of everything, such as the shape of a Reshape, which models in use hold as constants. So each case is run in up to
four forms, and passes when no form gives anything wrong and at least one runs. The last column names the forms that run by the inputs that
are constants in them: none (`as written`), those of `integers` and truth values, all but the first (`others`), or `all`, which leaves
nothing to be computed when the model runs. Numbers of 16 and 64 bits are computed in 32 bits, and quantised ones are whole floating-point
numbers, so that gradients pass."
    )
}

/// Numbers of passed, unsupported and failed cases.
#[derive(Default)]
struct Counts {
    cpu: [usize; 3],
    gpu: [usize; 3],
}

impl Counts {
    fn add(&mut self, row: &Row<'_>) {
        for (counts, outcome) in [(&mut self.cpu, row.cpu), (&mut self.gpu, row.gpu)] {
            let [pass, unsupported, fail] = counts;
            *match outcome {
                Outcome::Pass(_) => pass,
                Outcome::Unsupported(_) => unsupported,
                Outcome::Fail(_) => fail,
            } += 1;
        }
    }
}

fn state(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Pass(_) => "pass",
        Outcome::Unsupported(_) => "unsupported",
        Outcome::Fail(_) => "**fail**",
    }
}

fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Pass(forms) => forms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        Outcome::Unsupported(reason) | Outcome::Fail(reason) => reason.clone(),
    }
}

/// Text that does not break a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
