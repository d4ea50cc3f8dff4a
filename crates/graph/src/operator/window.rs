//! The geometry that convolutions and poolings share: kernels sliding over spatial axes.

use super::{
    Arguments, Refusal,
    arguments::{invalid, unsupported},
};

/// Kernels, strides, dilations and pads beyond this are mistakes, whose arithmetic could overflow.
pub(crate) const LARGEST_SIZE: usize = 1 << 20;

/// A kernel sliding over the spatial axes, one entry per axis in each list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Window {
    pub(crate) kernel: Vec<usize>,
    pub(crate) strides: Vec<usize>,
    pub(crate) dilations: Vec<usize>,
    /// Padding before and after.
    pub(crate) pads: Vec<(usize, usize)>,
    pub(crate) ceil: bool,
}

impl Window {
    /// Reads strides, dilations and pads; `spatial` are the input's spatial lengths.
    pub(crate) fn resolve(arguments: &Arguments<'_>, kernel: Vec<usize>, spatial: &[usize]) -> Result<Window, Refusal> {
        let axes = spatial.len();
        if kernel.len() != axes {
            return invalid(format!("a kernel of {} axes slides over {axes} spatial axes", kernel.len()));
        }
        if kernel.iter().any(|&size| size == 0 || size > LARGEST_SIZE) {
            return invalid(format!("kernel shape {kernel:?} makes no sense"));
        }
        let strides = positive(arguments, "strides", axes)?;
        let dilations = positive(arguments, "dilations", axes)?;
        let ceil = arguments.int("ceil_mode", 0) != 0;
        let mut window = Window { kernel, strides, dilations, pads: vec![(0, 0); axes], ceil };
        match arguments.text("auto_pad").unwrap_or("NOTSET") {
            "NOTSET" => window.pads = explicit_pads(arguments, axes)?,
            "VALID" => {}
            "SAME_UPPER" => window.pads = window.same_pads(spatial, |total| total / 2),
            "SAME_LOWER" => window.pads = window.same_pads(spatial, |total| total.div_ceil(2)),
            other => return invalid(format!("auto_pad {other:?} is not one of NOTSET, VALID, SAME_UPPER, SAME_LOWER")),
        }
        Ok(window)
    }

    /// Length that one kernel covers along an axis, holes included.
    pub(crate) fn extent(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1) * self.dilations[axis] + 1
    }

    /// Pads so that the output has `ceil(length / stride)` positions; `before` gives the leading share of the total.
    fn same_pads(&self, spatial: &[usize], before: fn(usize) -> usize) -> Vec<(usize, usize)> {
        let pad = |axis: usize| {
            let stride = self.strides[axis];
            let covered = (spatial[axis].div_ceil(stride).max(1) - 1) * stride + self.extent(axis);
            let total = covered.saturating_sub(spatial[axis]);
            (before(total), total - before(total))
        };
        (0..spatial.len()).map(pad).collect()
    }

    /// Output lengths.
    pub(crate) fn output(&self, spatial: &[usize]) -> Result<Vec<usize>, Refusal> {
        let length = |axis: usize| match self.output_length(axis, spatial[axis]) {
            Some(length) => Ok(length),
            None => invalid(format!(
                "a kernel covering {} positions does not fit into an axis of {} with pads {:?}",
                self.extent(axis),
                spatial[axis],
                self.pads[axis]
            )),
        };
        (0..spatial.len()).map(length).collect()
    }

    /// Number of positions along an axis of this length; nothing where the kernel does not fit.
    pub(crate) fn output_length(&self, axis: usize, length: usize) -> Option<usize> {
        let (before, after) = self.pads[axis];
        let room = (length + before + after).checked_sub(self.extent(axis))?;
        let stride = self.strides[axis];
        if !self.ceil {
            return Some(room / stride + 1);
        }
        let count = room.div_ceil(stride) + 1;
        // A window that would start in the padding after the input does not count.
        let starts_outside = (count - 1) * stride >= length + before;
        Some(if starts_outside { count - 1 } else { count })
    }

    /// The input positions under the kernel at output position `to`, along an axis of this length.
    pub(crate) fn taps(&self, axis: usize, length: usize, to: usize) -> Vec<usize> {
        let start = to * self.strides[axis];
        (0..self.kernel[axis])
            .filter_map(|tap| (start + tap * self.dilations[axis]).checked_sub(self.pads[axis].0))
            .filter(|&at| at < length)
            .collect()
    }

    /// How many positions under the kernel are input or padding: in ceil mode the last windows may lie beyond both.
    pub(crate) fn padded_taps(&self, axis: usize, length: usize, to: usize) -> usize {
        let (before, after) = self.pads[axis];
        let start = to * self.strides[axis];
        (0..self.kernel[axis]).filter(|tap| start + tap * self.dilations[axis] < before + length + after).count()
    }

    /// One list as the fixed-size array that burn takes.
    pub(crate) fn array<const N: usize, T: Copy + Default>(list: &[T]) -> [T; N] {
        let mut array = [T::default(); N];
        array.iter_mut().zip(list).for_each(|(to, &from)| *to = from);
        array
    }
}

pub(crate) fn positive(arguments: &Arguments<'_>, name: &str, axes: usize) -> Result<Vec<usize>, Refusal> {
    let Some(given) = arguments.ints(name) else { return Ok(vec![1; axes]) };
    let sizes: Vec<usize> = given
        .iter()
        .filter_map(|&size| usize::try_from(size).ok())
        .filter(|size| (1..=LARGEST_SIZE).contains(size))
        .collect();
    if given.len() != axes || sizes.len() != axes {
        return invalid(format!("{name} {given:?} should be {axes} positive numbers"));
    }
    Ok(sizes)
}

pub(crate) fn explicit_pads(arguments: &Arguments<'_>, axes: usize) -> Result<Vec<(usize, usize)>, Refusal> {
    let Some(given) = arguments.ints("pads") else { return Ok(vec![(0, 0); axes]) };
    if given.len() != 2 * axes {
        return invalid(format!("pads {given:?} should be {} numbers", 2 * axes));
    }
    let sizes: Vec<usize> =
        given.iter().filter_map(|&size| usize::try_from(size).ok()).filter(|&size| size <= LARGEST_SIZE).collect();
    if sizes.len() != given.len() {
        return unsupported(format!("negative or enormous pads {given:?}"));
    }
    Ok((0..axes).map(|axis| (sizes[axis], sizes[axis + axes])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(kernel: usize, stride: usize, pads: (usize, usize), ceil: bool) -> Window {
        Window { kernel: vec![kernel], strides: vec![stride], dilations: vec![1], pads: vec![pads], ceil }
    }

    #[test]
    fn ceil_mode_adds_the_last_partial_window() {
        assert_eq!(window(2, 2, (0, 0), false).output(&[5]).unwrap(), [2]);
        assert_eq!(window(2, 2, (0, 0), true).output(&[5]).unwrap(), [3]);
    }

    #[test]
    fn a_ceil_mode_window_may_not_start_in_the_padding() {
        // Windows of 2 at 0, 2, 4 over one pad, four inputs, one pad: the third starts inside, a fourth would not.
        assert_eq!(window(2, 2, (1, 1), true).output(&[4]).unwrap(), [3]);
        assert_eq!(window(1, 2, (1, 1), true).output(&[4]).unwrap(), [3]);
    }

    #[test]
    fn same_padding_puts_the_odd_one_at_the_named_end() {
        let window = window(3, 2, (0, 0), false);
        assert_eq!(window.same_pads(&[4], |total| total / 2), [(0, 1)]);
        assert_eq!(window.same_pads(&[4], |total| total.div_ceil(2)), [(1, 0)]);
    }
}
