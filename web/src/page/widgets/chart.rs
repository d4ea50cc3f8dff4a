//! A small chart of a few lines, with the same numbers as a table for those who do not see it.

use yew::prelude::*;

use crate::number::short;

/// The drawing's own units.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 180.0;
const LEFT: f64 = 68.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 34.0;
/// Rows of the table: enough to follow a line, few enough to listen to.
const ROWS: usize = 12;

/// Points that belong together, from left to right.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

#[derive(PartialEq, Properties)]
pub(crate) struct ChartProperties {
    /// What it shows, in words.
    pub(crate) label: AttrValue,
    pub(crate) lines: Vec<Line>,
    pub(crate) x_label: AttrValue,
    pub(crate) y_label: AttrValue,
    /// A point to mark, by its line and its place in it.
    #[prop_or_default]
    pub(crate) mark: Option<(usize, usize)>,
}

#[component]
pub(crate) fn Chart(properties: &ChartProperties) -> Html {
    let ChartProperties { label, lines, x_label, y_label, mark } = properties;
    let Some(frame) = Frame::around(lines) else { return Html::default() };
    let marked = mark.and_then(|(line, point)| lines.get(line)?.points.get(point)).map(|point| frame.place(*point));
    let ((left, right), (low, high)) = (frame.x, frame.y);
    let names = lines.len() > 1;
    html! {
        <div class="chart">
            <svg viewBox={format!("0 0 {WIDTH} {HEIGHT}")} role="img" aria-label={label}>
                <path class="axes" d={format!("M{LEFT} {TOP}V{}H{}", HEIGHT - BOTTOM, WIDTH - RIGHT)} />
                <text x={(LEFT - 5.0).to_string()} y={(TOP + 9.0).to_string()} text-anchor="end">{short(high)}</text>
                <text x={(LEFT - 5.0).to_string()} y={(HEIGHT - BOTTOM).to_string()} text-anchor="end">{short(low)}</text>
                <text x={LEFT.to_string()} y={(HEIGHT - BOTTOM + 13.0).to_string()}>{short(left)}</text>
                <text x={(WIDTH - RIGHT).to_string()} y={(HEIGHT - BOTTOM + 13.0).to_string()} text-anchor="end">{short(right)}</text>
                <text x={((LEFT + WIDTH - RIGHT) / 2.0).to_string()} y={(HEIGHT - 6.0).to_string()} text-anchor="middle">{x_label}</text>
                { for lines.iter().enumerate().map(|(number, line)| html! {
                    <polyline class={format!("line line-{}", number % 4)} points={frame.path(&line.points)} />
                }) }
                if let Some((x, y)) = marked {
                    <path class="marked" d={format!("M{x:.1} {TOP}V{}", HEIGHT - BOTTOM)} />
                    <circle class="marked" cx={format!("{x:.1}")} cy={format!("{y:.1}")} r="4" />
                }
            </svg>
            if names {
                <ul class="names">
                    { for lines.iter().enumerate().map(|(number, line)| html! {
                        <li>
                            <svg viewBox="0 0 24 6" aria-hidden="true">
                                <path class={format!("line line-{}", number % 4)} d="M0 3H24" />
                            </svg>
                            {&line.name}
                        </li>
                    }) }
                </ul>
            }
            <details class="numbers">
                <summary>{"The same as a table"}</summary>
                { for lines.iter().map(|line| table(line, x_label, y_label)) }
            </details>
        </div>
    }
}

fn table(line: &Line, x_label: &AttrValue, y_label: &AttrValue) -> Html {
    let step = line.points.len().div_ceil(ROWS).max(1);
    let last = line.points.len().saturating_sub(1);
    let shown = line.points.iter().enumerate().filter(|(place, _)| place % step == 0 || *place == last);
    html! {
        <table>
            if !line.name.is_empty() { <caption>{&line.name}</caption> }
            <thead><tr><th scope="col">{x_label}</th><th scope="col">{y_label}</th></tr></thead>
            <tbody>
                { for shown.map(|(_, (x, y))| html! { <tr><th scope="row">{short(*x)}</th><td>{short(*y)}</td></tr> }) }
            </tbody>
        </table>
    }
}

/// Which numbers lie where.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Frame {
    x: (f64, f64),
    y: (f64, f64),
}

impl Frame {
    /// Everything of these lines, with zero on the vertical axis; nothing where there is no point.
    fn around(lines: &[Line]) -> Option<Frame> {
        let points = || lines.iter().flat_map(|line| &line.points).filter(|(x, y)| x.is_finite() && y.is_finite());
        let first = points().next()?;
        let x = points().fold((first.0, first.0), |(low, high), (x, _)| (low.min(*x), high.max(*x)));
        let y = points().fold((0.0_f64, 0.0_f64), |(low, high), (_, y)| (low.min(*y), high.max(*y)));
        let wide = |(low, high): (f64, f64)| if low < high { (low, high) } else { (low, low + 1.0) };
        Some(Frame { x: wide(x), y: wide(y) })
    }

    fn place(self, (x, y): (f64, f64)) -> (f64, f64) {
        let share = |(low, high): (f64, f64), value: f64| (value - low) / (high - low);
        (LEFT + share(self.x, x) * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - share(self.y, y) * (HEIGHT - BOTTOM - TOP))
    }

    fn path(self, points: &[(f64, f64)]) -> String {
        let finite = points.iter().filter(|(x, y)| x.is_finite() && y.is_finite());
        let places = finite.map(|point| self.place(*point));
        places.map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[(f64, f64)]) -> Line {
        Line { name: String::new(), points: points.to_vec() }
    }

    #[test]
    fn a_chart_holds_all_points_and_zero() {
        let frame = Frame::around(&[line(&[(0.0, 4.0), (2.0, 8.0)]), line(&[(1.0, f64::NAN)])]).unwrap();
        assert_eq!(frame, Frame { x: (0.0, 2.0), y: (0.0, 8.0) });
        assert_eq!(frame.place((0.0, 0.0)), (LEFT, HEIGHT - BOTTOM));
        assert_eq!(frame.place((2.0, 8.0)), (WIDTH - RIGHT, TOP));
        assert_eq!(frame.path(&[(0.0, 0.0), (1.0, f64::INFINITY), (2.0, 8.0)]), "68.0,146.0 312.0,8.0");
    }

    #[test]
    fn a_single_point_and_no_point_divide_by_nothing() {
        assert_eq!(Frame::around(&[line(&[])]), None);
        let frame = Frame::around(&[line(&[(3.0, 0.0)])]).unwrap();
        assert_eq!(frame.place((3.0, 0.0)), (LEFT, HEIGHT - BOTTOM));
    }
}
