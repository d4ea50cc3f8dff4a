//! Draws a sheet of critters to a PNG file, one class per row.
//!
//! ```text
//! cargo run --release -p vitrine-scenes --example contact_sheet -- sheet.png 128
//! ```

use std::{env, fs::File, io::BufWriter};

use vitrine_scenes::{Class, Scene};

const COLUMNS: usize = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let path = arguments.next().unwrap_or("sheet.png".to_owned());
    let size: u16 = arguments.next().unwrap_or("64".to_owned()).parse()?;

    let side = usize::from(size);
    let (width, height) = (COLUMNS * side, Class::ALL.len() * side);
    let mut sheet = vec![0; 3 * width * height];
    for (row, class) in Class::ALL.into_iter().enumerate() {
        for column in 0..COLUMNS {
            let image = Scene::sample(column as u64, class).render(size);
            for (y, line) in image.rgb.chunks_exact(3 * side).enumerate() {
                let start = 3 * ((row * side + y) * width + column * side);
                sheet[start..start + line.len()].copy_from_slice(line);
            }
        }
    }

    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header()?.write_image_data(&sheet)?;
    Ok(())
}
