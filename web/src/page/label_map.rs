//! A label for each pixel, drawn by hand: strokes, outlines, and whole regions of another map.

/// Labels, row by row from the top.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LabelMap {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Negative where there is none.
    labels: Vec<i32>,
}

/// No label.
const NONE: i32 = -1;

impl LabelMap {
    pub(crate) fn empty(width: usize, height: usize) -> Self {
        LabelMap { width, height, labels: vec![NONE; width * height] }
    }

    /// A map of these labels in rows of this width.
    pub(crate) fn of(width: usize, labels: Vec<i32>) -> Self {
        LabelMap { width, height: labels.len().checked_div(width).unwrap_or_default(), labels }
    }

    /// The same in another size: every pixel has the label of the nearest one.
    pub(crate) fn scaled(&self, width: usize, height: usize) -> Self {
        let near = |at: usize, length: usize, all: usize| at * all / length.max(1);
        let label = |index: usize| {
            let (x, y) =
                (near(index % width.max(1), width, self.width), near(index / width.max(1), height, self.height));
            self.at(x, y).unwrap_or(NONE)
        };
        LabelMap { width, height, labels: (0..width * height).map(label).collect() }
    }

    /// The label of a pixel.
    pub(crate) fn at(&self, x: usize, y: usize) -> Option<i32> {
        let label = self.labels.get(y * self.width + x).filter(|_| x < self.width)?;
        (*label >= 0).then_some(*label)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.iter().all(|label| *label < 0)
    }

    /// The part of the pixels that have a label.
    pub(crate) fn share(&self) -> f64 {
        let labelled = self.labels.iter().filter(|label| **label >= 0).count();
        labelled as f64 / self.labels.len().max(1) as f64
    }

    /// The labels that occur, in order.
    pub(crate) fn used(&self) -> Vec<i32> {
        let mut used: Vec<i32> = self.labels.iter().copied().filter(|label| *label >= 0).collect();
        used.sort_unstable();
        used.dedup();
        used
    }

    pub(crate) fn clear(&mut self) {
        self.labels.fill(NONE);
    }

    /// 0 where there is a label and 1 elsewhere.
    pub(crate) fn kept(&self) -> Vec<f32> {
        self.labels.iter().map(|label| if *label >= 0 { 0.0 } else { 1.0 }).collect()
    }

    /// Labels every pixel whose middle is at most half of `size` from the line between two pixels.
    pub(crate) fn stroke(&mut self, from: (usize, usize), to: (usize, usize), size: usize, label: Option<i32>) {
        let point = |(x, y): (usize, usize)| (x as f64, y as f64);
        let ((x0, y0), (x1, y1)) = (point(from), point(to));
        let (along_x, along_y) = (x1 - x0, y1 - y0);
        let length = along_x * along_x + along_y * along_y;
        let reach = size as f64 / 2.0;
        self.relabel(label.unwrap_or(NONE), |x, y| {
            let at = if length > 0.0 { ((x - x0) * along_x + (y - y0) * along_y) / length } else { 0.0 };
            let at = at.clamp(0.0, 1.0);
            (x - x0 - at * along_x).hypot(y - y0 - at * along_y) <= reach
        });
    }

    /// Labels every pixel within an outline, by the even-odd rule.
    pub(crate) fn fill_outline(&mut self, corners: &[(usize, usize)], label: i32) {
        // Corners lie a little beside the middles of pixels, so that no ray goes through one.
        const BESIDE: f64 = 1e-6;
        let corners: Vec<(f64, f64)> = corners.iter().map(|(x, y)| (*x as f64, *y as f64 + BESIDE)).collect();
        let last = corners.last().copied();
        self.relabel(label, |x, y| {
            let before = last.into_iter().chain(corners.iter().copied());
            let crossed = before
                .zip(corners.iter().copied())
                .filter(|((x0, y0), (x1, y1))| (*y0 > y) != (*y1 > y) && x <= x0 + (y - y0) / (y1 - y0) * (x1 - x0));
            crossed.count() % 2 == 1
        });
    }

    /// Labels every pixel that has the label of `other` which this one has there.
    pub(crate) fn fill_like(&mut self, other: &LabelMap, (x, y): (usize, usize), label: Option<i32>) {
        let Some(wanted) = other.at(x, y).filter(|_| other.labels.len() == self.labels.len()) else { return };
        for (own, other) in self.labels.iter_mut().zip(&other.labels) {
            if *other == wanted {
                *own = label.unwrap_or(NONE);
            }
        }
    }

    fn relabel(&mut self, label: i32, is_meant: impl Fn(f64, f64) -> bool) {
        for (row, labels) in self.labels.chunks_mut(self.width.max(1)).enumerate() {
            for (column, own) in labels.iter_mut().enumerate() {
                if is_meant(column as f64, row as f64) {
                    *own = label;
                }
            }
        }
    }

    /// Whether a pixel lies where two labels meet.
    pub(crate) fn is_edge(&self, x: usize, y: usize) -> bool {
        let own = self.at(x, y);
        [(x + 1, y), (x, y + 1)].into_iter().any(|(x, y)| x < self.width && y < self.height && self.at(x, y) != own)
    }
}

/// The labels as an NPY file of little-endian 32-bit whole numbers.
pub(crate) fn npy(map: &LabelMap) -> Vec<u8> {
    let header = format!("{{'descr': '<i4', 'fortran_order': False, 'shape': ({}, {}), }}", map.height, map.width);
    // Magic, version and length take 10 bytes, the line's end one; data begin at a multiple of 64.
    let length = (header.len() + 11).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(length as u16).to_le_bytes());
    bytes.extend_from_slice(format!("{header:<width$}\n", width = length - 1).as_bytes());
    bytes.extend(map.labels.iter().flat_map(|label| label.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(map: &LabelMap) -> Vec<String> {
        let sign = |label: &i32| if *label < 0 { '.' } else { char::from(b'0' + *label as u8) };
        map.labels.chunks(map.width).map(|row| row.iter().map(sign).collect()).collect()
    }

    #[test]
    fn a_stroke_is_as_wide_as_the_brush_and_round_at_its_ends() {
        let mut map = LabelMap::empty(7, 5);
        map.stroke((2, 2), (4, 2), 4, Some(0));
        assert_eq!(drawn(&map), ["..000..", ".00000.", "0000000", ".00000.", "..000.."]);
        map.stroke((3, 0), (3, 4), 1, None);
        assert_eq!(drawn(&map), ["..0.0..", ".00.00.", "000.000", ".00.00.", "..0.0.."]);
        assert_eq!(map.share(), 18.0 / 35.0);
    }

    #[test]
    fn an_outline_takes_what_lies_within() {
        let mut map = LabelMap::empty(6, 5);
        map.fill_outline(&[(1, 0), (5, 0), (5, 3), (1, 3)], 2);
        assert_eq!(map.used(), [2]);
        assert_eq!(map.at(3, 2), Some(2));
        assert_eq!((map.at(0, 2), map.at(3, 4)), (None, None));
        let area = (map.share() * 30.0).round();
        assert!((12.0..=20.0).contains(&area), "{:?}", drawn(&map));
    }

    #[test]
    fn a_region_is_taken_whole() {
        let cut = LabelMap::of(3, vec![0, 0, 1, 0, 1, 1]);
        let mut map = LabelMap::empty(3, 2);
        map.fill_like(&cut, (0, 1), Some(4));
        assert_eq!(drawn(&map), ["44.", "4.."]);
        assert_eq!(map.kept(), [0.0, 0.0, 1.0, 0.0, 1.0, 1.0]);
        map.fill_like(&cut, (1, 0), None);
        assert!(map.is_empty());
        assert!(cut.is_edge(1, 0) && cut.is_edge(0, 1) && !cut.is_edge(0, 0) && !cut.is_edge(1, 1));
    }

    #[test]
    fn another_size_takes_the_nearest_label() {
        let map = LabelMap::of(2, vec![0, 1, -1, 2]);
        assert_eq!(drawn(&map.scaled(4, 2)), ["0011", "..22"]);
        assert_eq!(drawn(&map.scaled(1, 1)), ["0"]);
        assert_eq!(map.scaled(2, 2), map);
    }

    #[test]
    fn the_file_is_as_numpy_writes_it() {
        let bytes = npy(&LabelMap::of(2, vec![-1, 3, 0, 70_000]));
        assert_eq!(bytes.len() - 16, 128, "data begin at a multiple of 64");
        let header = String::from_utf8_lossy(&bytes[10..128]);
        assert!(header.starts_with("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 2), }"), "{header}");
        assert!(header.ends_with(" \n"));
        assert_eq!(usize::from(bytes[8]) + 10, 128);
        assert_eq!(bytes[128..136], [255, 255, 255, 255, 3, 0, 0, 0]);
    }
}
