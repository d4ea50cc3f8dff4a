"""Makes the image files beside this script, and in `expected/` what Pillow reads out of them.

Run with Pillow 13.0.0 and NumPy 2.4.6: `python make.py`. Everything is deterministic.
`expected/NAME.png` is the upright 8-bit RGB picture that `decode` must give for `NAME`.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

HERE = Path(__file__).parent
EXPECTED = HERE / "expected"
EXPECTED.mkdir(exist_ok=True)

WIDTH, HEIGHT = 24, 16


def picture(width=WIDTH, height=HEIGHT):
    """Smooth colours with a bright block off centre, so that no flip or turn looks like another."""
    y, x = np.mgrid[0:height, 0:width]
    red = 40 + 200 * x / width
    green = 30 + 200 * y / height
    blue = 128 + 100 * np.sin(x / 4) * np.cos(y / 3)
    pixels = np.stack([red, green, blue], axis=-1)
    pixels[height // 8 : height // 2, width // 2 : width // 2 + 5] = [250, 240, 20]
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def on_white(image):
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")


def keep(name, data, expected=None):
    """Writes a file, and what Pillow reads out of it unless something else is expected."""
    (HERE / name).write_bytes(data)
    if expected is None:
        with Image.open(io.BytesIO(data)) as image:
            upright = ImageOps.exif_transpose(image)
            expected = on_white(upright) if "A" in upright.getbands() or "transparency" in image.info else upright.convert("RGB")
    expected.save(EXPECTED / f"{name}.png", optimize=True)


def save(name, image, expected=None, **options):
    buffer = io.BytesIO()
    image.save(buffer, **options)
    keep(name, buffer.getvalue(), expected)


rgb = Image.fromarray(picture())
alpha = Image.fromarray(np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1)))
rgba = rgb.copy()
rgba.putalpha(alpha)

# JPEG: full chroma resolution where the comparison is to be tight, since decoders may smooth chroma differently.
sharp = dict(format="JPEG", quality=95, subsampling=0)
save("baseline.jpg", rgb, **sharp)
save("progressive.jpg", rgb, progressive=True, **sharp)
save("subsampled.jpg", rgb, format="JPEG", quality=95, subsampling=2)
save("restart.jpg", rgb, restart_marker_blocks=1, **sharp)
save("grey.jpg", rgb.convert("L"), **sharp)

# Inks with black among them; Pillow writes them inverted with Adobe's marker, as Photoshop does.
black = np.tile(np.linspace(0, 180, HEIGHT).astype(np.uint8)[:, None], (1, WIDTH))
inks = Image.merge("CMYK", [*(Image.fromarray(255 - picture()[..., channel]) for channel in range(3)), Image.fromarray(black)])
save("cmyk.jpg", inks, **sharp)
# The same bytes read as YCCK, Photoshop's usual form, by Adobe's transform number: other colours, same conversion.
data = bytearray((HERE / "cmyk.jpg").read_bytes())
adobe = data.index(b"Adobe")
assert data[adobe + 11] == 0, "the transform number of CMYK"
data[adobe + 11] = 2
keep("ycck.jpg", bytes(data))

# Every EXIF orientation, with a thumbnail-like end marker inside the EXIF block.
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = b"an end marker \xff\xd9 here"
    save(f"orientation_{orientation}.jpg", rgb, exif=exif, **sharp)
exif = Image.Exif()
exif[0x0112] = 6
save("orientation_6.png", rgb, format="PNG", exif=exif)

# PNG.
save("rgb.png", rgb, format="PNG", optimize=True)
save("alpha.png", rgba, format="PNG", optimize=True)
save("palette.png", rgb.quantize(16), format="PNG")
transparent = rgb.quantize(15)
save("palette_transparent.png", transparent, format="PNG", transparency=3)
save("bilevel.png", rgb.convert("1"), format="PNG")
# 16 bits: levels whose high bytes are the picture; the low bytes round up or down to the nearest 8-bit level.
level = picture()[..., 0].astype(np.uint16)
sixteen = level * 257 + np.where(level % 2 == 0, 100, -100).astype(np.int16).astype(np.uint16)
save("grey_16.png", Image.fromarray(sixteen), expected=Image.fromarray(level.astype(np.uint8)).convert("RGB"), format="PNG")

# WebP, GIF, BMP; animations whose later frames are black.
save("lossless.webp", rgb, format="WEBP", lossless=True)
save("lossy.webp", rgb, format="WEBP", quality=90)
save("alpha.webp", rgba, format="WEBP", lossless=True, exact=True)
later = Image.new("RGB", rgb.size)
save("animated.webp", rgb, format="WEBP", lossless=True, save_all=True, append_images=[later], duration=100)
save("animated.gif", rgb.quantize(32), format="GIF", save_all=True, append_images=[later.quantize(2)], duration=100)
save("still.gif", rgb.quantize(32), format="GIF", transparency=5)
save("animated.png", rgb, format="PNG", save_all=True, append_images=[later], duration=100)
save("rgb.bmp", rgb, format="BMP")
save("palette.bmp", rgb.quantize(16), format="BMP")

# Resizing: Pillow's BILINEAR on a picture with fine detail, shrunk, stretched, enlarged, and as grey.
detail = picture(37, 29).astype(np.int32) + np.random.default_rng(0).integers(-30, 31, (29, 37, 1))
detail = Image.fromarray(np.clip(detail, 0, 255).astype(np.uint8))
detail.save(HERE / "resize.png", optimize=True)
for width, height in [(16, 16), (8, 23), (64, 48), (37, 10), (5, 3)]:
    detail.resize((width, height), Image.Resampling.BILINEAR).save(EXPECTED / f"resize_{width}x{height}.png", optimize=True)
detail.convert("L").resize((16, 16), Image.Resampling.BILINEAR).save(EXPECTED / "resize_16x16_grey.png", optimize=True)

# Arrays as NumPy saves them: [2, 3] holding 0, 1.5, 3, ... in several forms.
array = np.arange(6).reshape(2, 3) * 1.5
np.save(HERE / "float32.npy", array.astype("<f4"))
np.save(HERE / "float64_big_endian.npy", array.astype(">f8"))
np.save(HERE / "float16.npy", array.astype("<f2"))
np.save(HERE / "fortran.npy", np.asfortranarray(array.astype("<f4")))
np.save(HERE / "int64.npy", np.array([-3, 0, 16777216]))
np.save(HERE / "int64_large.npy", np.array([16777217]))
np.save(HERE / "scalar.npy", np.float32(2.5))
np.save(HERE / "strings.npy", np.array(["a", "b"]))
np.savez(HERE / "stored.npz", first=array.astype("<f4"), second=np.arange(3))
np.savez_compressed(HERE / "deflated.npz", first=array.astype("<f4"), second=np.arange(3))
np.savez(HERE / "strings.npz", labels=np.array(["a", "b"]))
