//! Numbers for people.

/// Four significant digits at most, no trailing zeros: `0.1235`, `12.3`, `1.2e-7`.
pub(crate) fn short(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || !value.is_finite() {
        return if size == 0.0 { "0".to_owned() } else { value.to_string() };
    }
    if !(1e-4..1e6).contains(&size) {
        return format!("{value:.1e}");
    }
    let decimals = (3 - size.log10().floor() as i32).clamp(0, 7) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A fraction in percent: `97.3 %`, `<0.1 %`.
pub(crate) fn percent(fraction: f64) -> String {
    match 100.0 * fraction {
        percent if percent > 0.0 && percent < 0.1 => "<0.1 %".to_owned(),
        percent if percent < 100.0 && percent > 99.9 => ">99.9 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

/// A duration: `0.04 s`, `2.5 s`, `75 s`, `3 min`.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 0.095 => format!("{s:.2} s"),
        s if s < 9.95 => format!("{s:.1} s"),
        s if s < 99.5 => format!("{s:.0} s"),
        s => format!("{:.0} min", s / 60.0),
    }
}

/// A number of bytes: `12.3 MB`.
pub(crate) fn megabytes(bytes: u64) -> String {
    match bytes as f64 / 1e6 {
        size if bytes > 0 && size < 0.05 => "<0.1 MB".to_owned(),
        size if size > 999.0 => format!("{:.1} GB", size / 1e3),
        size => format!("{size:.1} MB"),
    }
}

/// A number of bytes out of all, if that is known: `12.3 of 45.0 MB`.
pub(crate) fn megabytes_of(bytes: u64, all: Option<u64>) -> String {
    match all {
        Some(all) => format!("{:.1} of {:.1} MB", bytes as f64 / 1e6, all as f64 / 1e6),
        None => megabytes(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_are_kept_and_no_zeros() {
        let cases = [
            (0.0, "0"),
            (1.0, "1"),
            (12.3, "12.3"),
            (-0.123_456, "-0.1235"),
            (1234.6, "1235"),
            (99_999.0, "99999"),
            (0.000_012, "1.2e-5"),
            (2.5e7, "2.5e7"),
        ];
        for (value, text) in cases {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn a_percentage_never_pretends_to_be_certain() {
        let cases = [(0.0, "0.0 %"), (0.0004, "<0.1 %"), (0.973, "97.3 %"), (0.99999, ">99.9 %"), (1.0, "100.0 %")];
        for (fraction, text) in cases {
            assert_eq!(percent(fraction), text);
        }
    }

    #[test]
    fn durations_get_coarser_as_they_grow() {
        let cases = [(0.042, "0.04 s"), (2.46, "2.5 s"), (75.2, "75 s"), (170.0, "3 min")];
        for (value, text) in cases {
            assert_eq!(seconds(value), text);
        }
    }

    #[test]
    fn sizes_are_told_in_decimal_megabytes() {
        let cases = [
            (0, "0.0 MB"),
            (20_000, "<0.1 MB"),
            (12_340_000, "12.3 MB"),
            (1_000_000_000, "1.0 GB"),
            (998_000_000, "998.0 MB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(megabytes(bytes), text);
        }
        assert_eq!(megabytes_of(12_340_000, Some(45_000_000)), "12.3 of 45.0 MB");
        assert_eq!(megabytes_of(12_340_000, None), "12.3 MB");
    }
}
