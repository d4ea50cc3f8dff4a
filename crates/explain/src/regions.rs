//! Parts of the input that are kept or removed as a whole: cells of a grid, segments of like colour, single elements, or a
//! label map from a file.

use std::collections::BTreeSet;
use std::fmt;

use burn::tensor::{Int, Tensor, TensorData};
use vitrine_graph::Value;
use vitrine_image::{
    ImageError, Planes,
    segment::{
        Felzenszwalb, LabelMap, Markers, Quickshift, Slic, Watershed, felzenszwalb, quickshift, slic, watershed,
    },
    to_planes,
};
use vitrine_protocol::{Layout, ParameterValue};

use crate::{
    Attribution, Context, ExplainError, HeatMap, attribution::picture_size, hierarchy::Hierarchy, options::OptionValue,
};

/// What the parts of one of the program's own pictures are called where regions are asked for, and among
/// [`Context::infill_files`] those who know them give them.
pub const PARTS: &str = "parts";

/// Which parts the input is cut into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionsSpec {
    /// 8 x 8 cells over a picture, or one for each row or column of pixels where there are fewer; of an input that is no
    /// picture every element.
    Auto,
    /// So many rows and columns of cells over the picture, as equal as whole pixels allow.
    Grid([usize; 2]),
    /// So many compact segments of like colour, by SLIC (Achanta et al. 2012).
    Slic(usize),
    /// Segments by Felzenszwalb and Huttenlocher's graph (2004), at this scale: larger gives larger ones.
    Felzenszwalb(usize),
    /// Segments by quick shift (Vedaldi, Soatto 2008), as LIME's authors take them.
    Quickshift,
    /// So many segments by watersheds from a grid of markers.
    Watershed(usize),
    /// Every input element its own.
    Elements,
    /// The parts of what one of the program's own pictures shows, where they are known: the label map [`PARTS`].
    Parts,
    /// A label map from a file.
    File(String),
}

impl RegionsSpec {
    /// Reads regions as typed. What is no known word is a path; nothing for a known one whose number is missing
    /// or zero.
    pub fn parse(text: &str) -> Option<RegionsSpec> {
        match text {
            "auto" => return Some(RegionsSpec::Auto),
            "elements" => return Some(RegionsSpec::Elements),
            PARTS => return Some(RegionsSpec::Parts),
            "quickshift" => return Some(RegionsSpec::Quickshift),
            _ => {}
        }
        let positive = |text: &str| text.parse().ok().filter(|number| *number > 0);
        match text.split_once(':') {
            Some(("grid", size)) => {
                let (rows, columns) = size.split_once('x').unwrap_or((size, size));
                Some(RegionsSpec::Grid([positive(rows)?, positive(columns)?]))
            }
            Some(("slic", segments)) => Some(RegionsSpec::Slic(positive(segments)?)),
            Some(("felzenszwalb", scale)) => Some(RegionsSpec::Felzenszwalb(positive(scale)?)),
            Some(("watershed", segments)) => Some(RegionsSpec::Watershed(positive(segments)?)),
            _ => Some(RegionsSpec::File(text.to_owned())),
        }
    }
}

impl RegionsSpec {
    /// Regions of about half the width and height, or as many more as so many such steps give; what has no size stays.
    pub(crate) fn finer(&self, steps: usize, [height, width]: [usize; 2]) -> RegionsSpec {
        if steps == 0 {
            // What does not fit stays so, and is refused.
            return self.clone();
        }
        let (sides, parts) = (1_usize << steps, 1_usize << (2 * steps));
        match self {
            RegionsSpec::Auto => RegionsSpec::Grid([8, 8]).finer(steps, [height, width]),
            RegionsSpec::Grid([rows, columns]) => {
                RegionsSpec::Grid([(rows * sides).min(height), (columns * sides).min(width)])
            }
            RegionsSpec::Slic(segments) => RegionsSpec::Slic((segments * parts).min(height * width)),
            RegionsSpec::Watershed(segments) => RegionsSpec::Watershed((segments * parts).min(height * width)),
            RegionsSpec::Felzenszwalb(scale) => RegionsSpec::Felzenszwalb((scale / parts).max(1)),
            RegionsSpec::Quickshift | RegionsSpec::Elements | RegionsSpec::Parts | RegionsSpec::File(_) => self.clone(),
        }
    }

    /// Whether the regions depend on what the picture shows.
    pub(crate) fn is_looked_for(&self) -> bool {
        match self {
            RegionsSpec::Slic(_)
            | RegionsSpec::Felzenszwalb(_)
            | RegionsSpec::Quickshift
            | RegionsSpec::Watershed(_) => true,
            RegionsSpec::Auto
            | RegionsSpec::Grid(_)
            | RegionsSpec::Elements
            | RegionsSpec::Parts
            | RegionsSpec::File(_) => false,
        }
    }
}

impl fmt::Display for RegionsSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegionsSpec::Grid([rows, columns]) => write!(formatter, "grid:{rows}x{columns}"),
            RegionsSpec::Auto => formatter.write_str("auto"),
            RegionsSpec::Slic(segments) => write!(formatter, "slic:{segments}"),
            RegionsSpec::Felzenszwalb(scale) => write!(formatter, "felzenszwalb:{scale}"),
            RegionsSpec::Quickshift => formatter.write_str("quickshift"),
            RegionsSpec::Watershed(segments) => write!(formatter, "watershed:{segments}"),
            RegionsSpec::Elements => formatter.write_str("elements"),
            RegionsSpec::Parts => formatter.write_str(PARTS),
            RegionsSpec::File(path) => formatter.write_str(path),
        }
    }
}

impl OptionValue for RegionsSpec {
    fn from_parameter(value: &ParameterValue) -> Option<Self> {
        RegionsSpec::parse(&value.to_string())
    }

    fn to_parameter(&self) -> ParameterValue {
        ParameterValue::Text(self.to_string())
    }
}

/// As LIME's authors call it for pictures.
const LIMES_QUICKSHIFT: Quickshift =
    Quickshift { ratio: 0.2, kernel_size: 4.0, max_dist: 200.0, sigma: 0.0, convert2lab: true };

/// The input cut into parts.
#[derive(Clone, Debug)]
pub struct Regions {
    /// How many there are, at least one.
    pub count: usize,
    /// The region of every place, row by row; `count` where there is none.
    labels: Vec<u32>,
    /// Shape of `labels` beside an input, without the batch axis: the input's, or with 1 in place of the channels.
    shape: Vec<usize>,
    /// Places that are in no region.
    uncovered: usize,
}

impl Regions {
    /// Cuts the context's input.
    ///
    /// # Errors
    /// [`ExplainError::NotAnImage`] for cells over an input without height and width, [`ExplainError::Regions`] for more
    /// cells than pixels, for a file that fits neither the input nor its height and width, and for segments of an input of
    /// which it is not known how pixels became it.
    pub async fn of(context: &Context<'_>, spec: &RegionsSpec) -> Result<Regions, ExplainError> {
        let refused = |problem| ExplainError::Regions { regions: spec.to_string(), problem };
        let segmented: &dyn Fn(&Planes) -> Result<LabelMap, ImageError> = match spec {
            RegionsSpec::Auto
            | RegionsSpec::Grid(_)
            | RegionsSpec::Elements
            | RegionsSpec::Parts
            | RegionsSpec::File(_) => {
                return Regions::fixed(context, spec);
            }
            RegionsSpec::Slic(segments) => &|planes| slic(planes, &Slic { n_segments: *segments, ..Slic::default() }),
            RegionsSpec::Felzenszwalb(scale) => {
                &|planes| felzenszwalb(planes, &Felzenszwalb { scale: *scale as f32, ..Felzenszwalb::default() })
            }
            RegionsSpec::Quickshift => &|planes| quickshift(planes, &LIMES_QUICKSHIFT),
            RegionsSpec::Watershed(segments) => {
                &|planes| watershed(planes, &Watershed { markers: Markers::Grid(*segments), ..Watershed::default() })
            }
        };
        let Some(pixels) = context.pixels else {
            return Err(refused(
                "segments need a picture, and it is not known how pixels become this input".to_owned(),
            ));
        };
        let planes = to_planes(&context.input.to_vec().await?, pixels)?;
        let map = segmented(&planes).map_err(|error| refused(error.to_string().trim_end_matches('.').to_owned()))?;
        let shape = match context.layout() {
            Layout::Nchw => vec![1, map.height, map.width],
            Layout::Nhwc => vec![map.height, map.width, 1],
        };
        Ok(Regions { count: map.count, labels: map.labels, shape, uncovered: 0 })
    }

    /// How many regions there will be. Of segments, which have to be looked for, it is the number asked for, or a usual one.
    ///
    /// # Errors
    /// As for [`Regions::of`].
    pub fn expected(context: &Context<'_>, spec: &RegionsSpec) -> Result<usize, ExplainError> {
        const USUAL: usize = 50;
        match spec {
            RegionsSpec::Slic(segments) | RegionsSpec::Watershed(segments) => Ok(*segments),
            RegionsSpec::Felzenszwalb(_) | RegionsSpec::Quickshift => Ok(USUAL),
            RegionsSpec::Auto
            | RegionsSpec::Grid(_)
            | RegionsSpec::Elements
            | RegionsSpec::Parts
            | RegionsSpec::File(_) => Ok(Regions::fixed(context, spec)?.count),
        }
    }

    /// The tree that there will be; of segments, which have to be looked for, that of as many evenly spread ones.
    ///
    /// # Errors
    /// As for [`Regions::of`].
    pub(crate) fn expected_tree(context: &Context<'_>, spec: &RegionsSpec) -> Result<Hierarchy, ExplainError> {
        if spec.is_looked_for() {
            let centre = |region: usize| [0.0, region as f64];
            return Ok(Hierarchy::of(&(0..Regions::expected(context, spec)?).map(centre).collect::<Vec<_>>()));
        }
        Ok(Hierarchy::of(&Regions::fixed(context, spec)?.centres(context)))
    }

    /// Row and column of the middle of every region, in pixels; what is no picture is one row.
    pub(crate) fn centres(&self, context: &Context<'_>) -> Vec<[f64; 2]> {
        let width = picture_size(context.shape(), context.layout()).map_or(self.labels.len(), |[_, width]| width);
        let area = picture_size(context.shape(), context.layout()).map_or(self.labels.len(), |[rows, _]| rows * width);
        let channels = (self.labels.len() / area).max(1);
        let mut sums = vec![[0.0; 3]; self.count + 1];
        for (place, label) in self.labels.iter().enumerate() {
            let pixel = if context.layout() == Layout::Nhwc { place / channels } else { place % area };
            let here = [pixel / width, pixel % width, 1].map(|number| number as f64);
            sums[*label as usize].iter_mut().zip(here).for_each(|(sum, number)| *sum += number);
        }
        sums.into_iter().take(self.count).map(|[rows, columns, places]| [rows / places, columns / places]).collect()
    }

    /// Every three regions that meet in a point, in their order: of a grid, three of the four cells around each corner.
    pub(crate) fn threes(&self) -> Vec<[usize; 3]> {
        let mut threes = BTreeSet::new();
        for corner in 0..self.labels.len() {
            let mut around: Vec<usize> = self.around(corner).map(|place| self.labels[place] as usize).collect();
            around.retain(|region| *region < self.count);
            around.sort_unstable();
            around.dedup();
            for (first, one) in around.iter().enumerate() {
                for (second, two) in around.iter().enumerate().skip(first + 1) {
                    threes.extend(around.iter().skip(second + 1).map(|three| [*one, *two, *three]));
                }
            }
        }
        threes.into_iter().collect()
    }

    /// A place and what lies one further along one or more axes, as far as there is such.
    fn around(&self, place: usize) -> impl Iterator<Item = usize> {
        let mut step = 1;
        let mut all = vec![place];
        for length in self.shape.iter().rev() {
            if place / step % length + 1 < *length {
                let further: Vec<usize> = all.iter().map(|place| place + step).collect();
                all.extend(further);
            }
            step *= length;
        }
        all.into_iter()
    }

    /// Cuts the context's input in a way that does not depend on its values.
    fn fixed(context: &Context<'_>, spec: &RegionsSpec) -> Result<Regions, ExplainError> {
        let shape = context.shape();
        let refused = |problem| ExplainError::Regions { regions: spec.to_string(), problem };
        let picture = picture_size(shape, context.layout());
        let spatial = match (shape.len(), context.layout()) {
            (3, Layout::Nchw) => picture.map(|[height, width]| vec![1, height, width]),
            (3, Layout::Nhwc) => picture.map(|[height, width]| vec![height, width, 1]),
            _ => picture.map(Vec::from),
        };
        let length: usize = shape.iter().product();
        match spec {
            RegionsSpec::Auto => {
                let cells = |[height, width]: [usize; 2]| RegionsSpec::Grid([height.min(8), width.min(8)]);
                Regions::fixed(context, &picture.map_or(RegionsSpec::Elements, cells))
            }
            // Segments have been looked for elsewhere.
            RegionsSpec::Elements
            | RegionsSpec::Slic(_)
            | RegionsSpec::Felzenszwalb(_)
            | RegionsSpec::Quickshift
            | RegionsSpec::Watershed(_) => Ok(Regions::labelled((0..length as i64).collect(), shape.to_vec())),
            RegionsSpec::Grid([rows, columns]) => {
                let (Some([height, width]), Some(spatial)) = (picture, spatial) else {
                    return Err(ExplainError::NotAnImage { shape: shape.to_vec() });
                };
                if *rows > height || *columns > width {
                    return Err(refused(format!("the picture has {height} rows and {width} columns of pixels only")));
                }
                let cell = |pixel: usize, size: usize, cells: usize| (pixel * cells / size) as i64;
                let label = |pixel: usize| {
                    cell(pixel / width, height, *rows) * *columns as i64 + cell(pixel % width, width, *columns)
                };
                Ok(Regions::labelled((0..height * width).map(label).collect(), spatial))
            }
            RegionsSpec::Parts | RegionsSpec::File(_) => {
                let missing = || match spec {
                    RegionsSpec::Parts => ExplainError::NoParts,
                    other => ExplainError::NoRegionsFile { path: other.to_string() },
                };
                let file = context.infill_files.get(&spec.to_string()).ok_or_else(missing)?;
                if let Some(label) = file.iter().find(|label| label.fract() != 0.0 || label.abs() >= 16_777_216.0) {
                    return Err(refused(format!("it holds {label}, and labels are whole numbers")));
                }
                let labels: Vec<i64> = file.iter().map(|label| *label as i64).collect();
                let covers = |shape: &Vec<usize>| shape.iter().product::<usize>() == labels.len();
                let Some(shape) = [Some(shape.to_vec()), spatial].into_iter().flatten().find(covers) else {
                    let found = labels.len();
                    return Err(refused(format!(
                        "it has {found} labels, and the input has {length} values{}",
                        picture.map(|[height, width]| format!(" or {height} x {width} pixels")).unwrap_or_default()
                    )));
                };
                if labels.iter().all(|label| *label < 0) {
                    return Err(refused("no label is 0 or more, so there is no region".to_owned()));
                }
                Ok(Regions::labelled(labels, shape))
            }
        }
    }

    /// Numbers the labels 0, 1 ... in their order; negative ones name no region.
    fn labelled(labels: Vec<i64>, shape: Vec<usize>) -> Regions {
        let mut known: Vec<i64> = labels.iter().copied().filter(|label| *label >= 0).collect();
        known.sort_unstable();
        known.dedup();
        let number = |label: &i64| known.binary_search(label).unwrap_or(known.len()) as u32;
        let uncovered = labels.iter().filter(|label| **label < 0).count();
        Regions { count: known.len(), labels: labels.iter().map(number).collect(), shape, uncovered }
    }

    /// The part of every place that is kept, `[batch, ..]` beside an input, when so much of each region is: `members`
    /// holds `batch * count` numbers from 0 to 1. What is in no region is kept.
    pub(crate) fn kept(&self, members: &[f32], device: &burn::tensor::Device) -> Result<Value, ExplainError> {
        let batch = members.len() / self.count;
        let rows: Vec<f32> = members.chunks(self.count).flat_map(|row| row.iter().copied().chain([1.0])).collect();
        let rows = Value::from_f32(&rows, &[batch, self.count + 1], device).tensor::<2>()?;
        let labels: Vec<i32> = self.labels.iter().map(|label| *label as i32).collect();
        let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [self.labels.len()]), device);
        Ok(Value::new(rows.select(1, labels)).reshape(&[&[batch], &self.shape[..]].concat())?)
    }

    /// One number per region over the input, of the input's shape without the batch axis: every element has that of its
    /// region, those in none have 0.
    pub(crate) fn over_input(&self, values: &[f32], context: &Context<'_>) -> Vec<f32> {
        let at = |place: usize| values.get(self.labels[place] as usize).copied().unwrap_or(0.0);
        let length: usize = context.shape().iter().product();
        let channels = length / self.labels.len();
        match context.layout() {
            Layout::Nhwc if channels > 1 => (0..length).map(|index| at(index / channels)).collect(),
            _ => (0..length).map(|index| at(index % self.labels.len())).collect(),
        }
    }

    /// One number per region as one number per pixel: where each channel has regions of its own, their sum.
    pub(crate) fn map(&self, values: &[f32], context: &Context<'_>) -> HeatMap {
        let at = |label: &u32| values.get(*label as usize).copied().unwrap_or(0.0);
        let placed: Vec<f32> = self.labels.iter().map(at).collect();
        HeatMap::of_input(&placed, &self.shape, context.layout())
    }

    /// The region of every pixel.
    ///
    /// # Errors
    /// [`ExplainError::Regions`] where each channel has regions of its own.
    pub fn labels_of_pixels(&self, context: &Context<'_>) -> Result<Vec<u32>, ExplainError> {
        let picture = picture_size(context.shape(), context.layout());
        if picture.is_some_and(|[height, width]| height * width == self.labels.len()) {
            return Ok(self.labels.clone());
        }
        let problem = "each channel has regions of its own, and regions of pixels are needed".to_owned();
        Err(ExplainError::Regions { regions: "as given".to_owned(), problem })
    }

    /// What the reader should know.
    pub fn note(&self) -> Option<String> {
        let (uncovered, all) = (self.uncovered, self.labels.len());
        (uncovered > 0).then(|| {
            format!("{uncovered} of {all} places are in no region; they are always kept, and their attribution is 0.")
        })
    }

    /// The attribution that one number per region amounts to.
    pub(crate) fn attribution(&self, values: &[f64], context: &Context<'_>) -> Attribution {
        let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
        Attribution {
            values: self.over_input(&values, context),
            shape: context.shape().to_vec(),
            map: self.map(&values, context),
            notes: Vec::from_iter(self.note()),
            ..Attribution::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use vitrine_protocol::{Channels, ImageInput};

    use super::*;
    use crate::testing::{Question, device, linear, read};

    fn of(spec: &str, shape: &[usize], files: &[(&str, &[f32])]) -> Result<Regions, ExplainError> {
        let input = vec![1.0; shape.iter().product()];
        let files = files.iter().map(|(path, values)| ((*path).to_owned(), values.to_vec()));
        let question = Question::new(linear(shape), &input).infill_files(files);
        pollster::block_on(Regions::of(&question.context(), &RegionsSpec::parse(spec).unwrap()))
    }

    #[test]
    fn cells_are_as_equal_as_whole_pixels_allow() {
        let regions = of("grid:2x3", &[1, 3, 7], &[]).unwrap();
        let (top, bottom) = ([0, 0, 0, 1, 1, 2, 2], [3, 3, 3, 4, 4, 5, 5]);
        assert_eq!(regions.labels, [top, top, bottom].concat());
        assert_eq!((regions.count, regions.shape), (6, vec![1, 3, 7]));
        let error = of("grid:4x1", &[1, 3, 7], &[]).unwrap_err().to_string();
        assert_eq!(error, "The regions \"grid:4x1\" do not fit: the picture has 3 rows and 7 columns of pixels only.");
    }

    /// Of 2 x 3 cells, each corner within has four cells around it, of which there are four times three.
    #[test]
    fn three_cells_meet_at_each_corner() {
        let threes = [[0, 1, 3], [0, 1, 4], [0, 3, 4], [1, 2, 4], [1, 2, 5], [1, 3, 4], [1, 4, 5], [2, 4, 5]];
        assert_eq!(of("grid:2x3", &[1, 4, 6], &[]).unwrap().threes(), threes);
        // What is in no region takes no part, and in a row there are no corners.
        let of_file = |labels: [f32; 4]| of("l.npy", &[1, 2, 2], &[("l.npy", &labels)]).unwrap().threes();
        assert_eq!(of_file([0.0, 1.0, -1.0, 2.0]), [[0, 1, 2]]);
        assert!(of_file([0.0, 1.0, -1.0, 1.0]).is_empty());
        assert!(of("elements", &[5], &[]).unwrap().threes().is_empty());
    }

    #[test]
    fn a_file_may_label_pixels_or_elements_and_leave_some_out() {
        let pixels = of("p.npy", &[2, 1, 2], &[("p.npy", &[7.0, -1.0])]).unwrap();
        assert_eq!((pixels.count, &pixels.labels[..], &pixels.shape[..]), (1, &[0, 1][..], &[1, 1, 2][..]));
        assert!(pixels.note().unwrap().starts_with("1 of 2 places are in no region;"));
        let elements = of("e.npy", &[2, 1, 2], &[("e.npy", &[5.0, 3.0, 3.0, 9.0])]).unwrap();
        assert_eq!((elements.count, &elements.labels[..]), (3, &[1, 0, 0, 2][..]));
        assert!(elements.note().is_none());
        let of_file = |labels: &[f32]| of("f.npy", &[2, 1, 2], &[("f.npy", labels)]).unwrap_err().to_string();
        assert!(of_file(&[0.0]).ends_with("it has 1 labels, and the input has 4 values or 1 x 2 pixels."));
        assert!(of_file(&[0.5, 1.0]).ends_with("it holds 0.5, and labels are whole numbers."));
        assert!(of_file(&[-1.0, -2.0]).ends_with("so there is no region."));
        let parts = of("parts", &[2, 1, 2], &[(PARTS, &[1.0, 0.0])]).unwrap();
        assert_eq!((parts.count, &parts.labels[..]), (2, &[1, 0][..]));
        let unknown = of("parts", &[2, 1, 2], &[]).unwrap_err().to_string();
        assert!(unknown.starts_with("The parts of this picture are not known"), "{unknown}");
        let missing = of("grid", &[2, 1, 2], &[]).unwrap_err().to_string();
        assert!(missing.contains("no file \"grid\"") && missing.contains("grid:HxW"), "{missing}");
    }

    #[test]
    fn what_is_kept_lies_over_the_input_as_the_labels_do() {
        let regions = of("p.npy", &[2, 1, 3], &[("p.npy", &[1.0, -1.0, 0.0])]).unwrap();
        let kept = regions.kept(&[0.25, 0.5, 1.0, 0.0], &device()).unwrap();
        assert_eq!(kept.shape(), [2, 1, 1, 3]);
        assert_eq!(read(&kept), [0.5, 1.0, 0.25, 0.0, 1.0, 1.0]);
        let input = [1.0; 6];
        let question = Question::new(linear(&[2, 1, 3]), &input);
        let found = regions.attribution(&[10.0, 20.0], &question.context());
        assert_eq!(found.values, [20.0, 0.0, 10.0, 20.0, 0.0, 10.0]);
        assert_eq!((found.map.values, found.shape), (vec![20.0, 0.0, 10.0], vec![2, 1, 3]));
    }

    #[test]
    fn a_picture_of_two_colours_is_cut_where_they_meet() {
        // 12 x 12 pixels, the left half black and the right half white.
        let input: Vec<f32> = (0..144).map(|pixel| if pixel % 12 < 6 { 0.0 } else { 1.0 }).collect();
        let pixels = ImageInput::plain(Layout::Nchw, Channels::Grey, 12, 12);
        let question = Question::new(linear(&[1, 12, 12]), &input);
        let cut = |question: &Question, spec: &str| {
            pollster::block_on(Regions::of(&question.context(), &RegionsSpec::parse(spec).unwrap()))
        };
        let pictured = question.clone().pixels(pixels);
        for spec in ["slic:4", "felzenszwalb:10", "quickshift", "watershed:4"] {
            let regions = cut(&pictured, spec).unwrap();
            let crosses = |row: usize| regions.labels[row * 12 + 5] == regions.labels[row * 12 + 6];
            // Quick shift looks further than this picture is wide.
            let cut_there = !(0..12).any(crosses) && regions.count >= 2;
            assert!(cut_there || spec == "quickshift", "{spec}: {:?}", regions.labels);
            let error = cut(&question, spec).unwrap_err().to_string();
            assert!(error.contains("segments need a picture"), "{error}");
        }
    }

    #[test]
    fn regions_read_back_as_written() {
        for text in [
            "auto",
            "grid:3x5",
            "slic:30",
            "felzenszwalb:100",
            "quickshift",
            "watershed:20",
            "elements",
            "some/labels.npy",
        ] {
            assert_eq!(RegionsSpec::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(RegionsSpec::parse("grid:4"), Some(RegionsSpec::Grid([4, 4])));
        assert_eq!(["grid:0x3", "grid:ax3", "slic:0", "watershed:"].map(RegionsSpec::parse), [None, None, None, None]);
    }
}
