//! What is said on standard output, which may be a pipe that nobody reads any more.

use std::{
    fmt::Arguments,
    io::{self, ErrorKind, Write},
    process,
};

/// As `println!`; where the reader has gone (`vitrine methods | head`) the program ends quietly, and where nothing can be written,
/// on a full disk perhaps, it says so.
macro_rules! say {
    () => { $crate::output::line(format_args!("")) };
    ($($argument:tt)*) => { $crate::output::line(format_args!($($argument)*)) };
}
pub(crate) use say;

pub(crate) fn line(text: Arguments<'_>) {
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => process::exit(0),
        Err(error) => {
            eprintln!("error: the result cannot be written: {error}.");
            process::exit(1);
        }
    }
}
