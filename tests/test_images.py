"""The decoder of untrusted bytes: every format, every limit and every kind of invalid file."""

import hashlib
import re
import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import EpsImagePlugin, Image, ImageCms, ImageFile, TiffImagePlugin

from sneaker_core import images
from sneaker_core.errors import ImageError, ImageTooLargeError
from sneaker_core.images import decode, load
from sneaker_core.settings import ImageLimits
from tests.factories import packed_bmp

PROJECT = Path(__file__).resolve().parent.parent
ROOMY = ImageLimits(max_bytes=20_000_000, max_pixels=50_000_000)
NOT_A_PHOTO = "This is not a photo in a format SoleScope can read (JPEG, PNG, WebP, GIF, BMP, AVIF or HEIC)."
DAMAGED = "The photo is incomplete or damaged and can't be read."
BOMB = "The photo is 20000 x 20000 pixels; the limit is 50 megapixels."

# Pillow warns about bad EXIF data; the tests check that decoding doesn't fail.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(autouse=True)
def default_limits(monkeypatch):
    for name in ("SOLESCOPE_MAX_UPLOAD_MB", "SOLESCOPE_MAX_MEGAPIXELS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def no_pixels(monkeypatch):
    """Any attempt to decode pixels fails, so a file that is rejected here was rejected by its header."""

    def refuse(self):
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", refuse)


def picture() -> Image.Image:
    """48 x 32 pixels in four quarters of different colors: every rotation or flip changes it."""
    pixels = np.empty((32, 48, 3), np.uint8)
    pixels[:16, :24], pixels[:16, 24:] = (220, 30, 30), (30, 200, 60)
    pixels[16:, :24], pixels[16:, 24:] = (40, 60, 210), (230, 220, 40)
    return Image.fromarray(pixels)


def encode(image: Image.Image, kind: str, **options) -> bytes:
    stream = BytesIO()
    if kind == "HEIC":
        pillow_heif.from_pillow(image).save(stream, **{"quality": -1, "chroma": 444} | options)
    else:
        best = {
            "JPEG": {"quality": 95, "subsampling": 0},
            "WebP": {"lossless": True},
            "AVIF": {"quality": 95, "subsampling": "4:4:4"},
        }
        image.save(stream, kind, **best.get(kind, {}) | options)
    return stream.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, bits: int, color: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG made by hand, with depths and dimensions that Pillow can't write."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows, 1))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + body + chunk(b"IEND", b"")


def exif(orientation: int) -> bytes:
    """A new one each time, because the AVIF encoder removes the orientation from the Exif object."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = "Acme"
    tags.get_ifd(0x8825)[1] = "N"
    return tags.tobytes()


def refusal(call, *args, **options) -> str:
    """The error message of the call: one plain sentence."""
    with pytest.raises(ImageError) as caught:
        call(*args, **options)
    message = str(caught.value)
    assert re.fullmatch(r"[A-Z][^\n]*[^.]\.", message) and ". " not in message, message
    assert not re.search(r"Error|Exception|Traceback|Warning|object|0x|/|<|\bPIL\b|Pillow", message), message
    return message


def difference(image: Image.Image, other: Image.Image) -> int:
    """Largest difference in any channel of any pixel."""
    assert image.mode == "RGB"
    assert image.size == other.size
    return int(np.abs(np.asarray(image, int) - np.asarray(other.convert("RGB"), int)).max())


# --- formats --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", images.FORMATS)
def test_every_format_on_the_list_is_read(kind):
    tolerance = {"PNG": 0, "WebP": 0, "BMP": 0, "GIF": 0}.get(kind, 12)
    assert difference(decode(encode(picture(), kind)), picture()) <= tolerance


def test_formats_are_those_of_the_design():
    assert images.FORMATS == ("JPEG", "PNG", "WebP", "GIF", "BMP", "AVIF", "HEIC")


@pytest.mark.parametrize("kind", images.FORMATS)
def test_one_pixel_is_enough(kind):
    assert decode(encode(Image.new("RGB", (1, 1), "red"), kind)).size == (1, 1)


def test_heic_under_its_parent_brand_is_distinguished_from_avif():
    heic = encode(picture(), "HEIC")
    assert heic[8:12] in (b"heic", b"heix")
    assert difference(decode(heic[:8] + b"mif1" + heic[12:]), picture()) <= 12
    avif = encode(picture(), "AVIF")
    assert difference(decode(avif[:8] + b"mif1" + avif[12:]), picture()) <= 12


def test_a_phones_jpeg_with_a_second_picture_in_it_gives_the_first():
    data = encode(picture(), "MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))])
    assert Image.open(BytesIO(data)).format == "MPO"
    assert decode(data).size == picture().size


@pytest.mark.parametrize(("kind", "tolerance"), [("GIF", 0), ("WebP", 0), ("PNG", 0), ("AVIF", 12)])
def test_of_an_animation_the_first_frame_is_taken(kind, tolerance):
    frames = [Image.new("RGB", (48, 32), color) for color in ("red", "blue")]
    data = encode(picture(), kind, save_all=True, append_images=frames, duration=50)
    assert Image.open(BytesIO(data)).n_frames == 3
    assert difference(decode(data), picture()) <= tolerance


def test_of_several_heic_pictures_the_primary_one_is_taken():
    file = pillow_heif.from_pillow(Image.new("RGB", (20, 20), "red"))
    file.add_from_pillow(picture())
    stream = BytesIO()
    file.save(stream, primary_index=1, quality=-1, chroma=444)
    assert difference(decode(stream.getvalue()), picture()) <= 12


# --- orientation ----------------------------------------------------------------------------------------------------

# How a camera stores an upright picture, by the EXIF standard ("the 0th row is the visual …").
STORED = {
    1: lambda u: u,
    2: lambda u: u[:, ::-1],
    3: lambda u: u[::-1, ::-1],
    4: lambda u: u[::-1],
    5: lambda u: u.transpose(1, 0, 2),
    6: lambda u: np.rot90(u),
    7: lambda u: u.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda u: np.rot90(u, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "WebP", "JPEG", "AVIF", "HEIC"])
def test_eight_orientations_give_one_answer(kind, orientation):
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](np.asarray(picture()))))
    data = encode(stored, kind, exif=exif(orientation))
    assert difference(decode(data), picture()) <= (0 if kind in ("PNG", "WebP") else 12)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(orientation):
    assert difference(decode(encode(picture(), "PNG", exif=exif(orientation))), picture()) == 0


BROKEN_EXIF = {
    "no header": b"Exif\0\0garbage, garbage",
    "offset past the end": b"Exif\0\0II*\0\xff\xff\xff\xff",
    "cut off": exif(6)[:13],
    "text as orientation": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x04six\0\0\0\0\0",
    "two orientations": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x02\0\x06\0\x08\0\0\0\0",
    "orientation elsewhere": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x05\0\0\0\x01\x7f\0\0\0\0\0\0\0",
}


@pytest.mark.parametrize("broken", BROKEN_EXIF.values(), ids=BROKEN_EXIF)
@pytest.mark.parametrize("kind", ["PNG", "WebP", "JPEG", "HEIC"])
def test_broken_exif_does_not_kill_a_good_photo(kind, broken):
    assert decode(encode(picture(), kind, exif=broken)).mode == "RGB"


def test_broken_exif_does_not_kill_a_good_avif():
    stored = picture().transpose(Image.Transpose.ROTATE_90)
    data = encode(stored, "AVIF", exif=exif(6))
    assert data.count(b"MM\0*") == 1
    assert difference(decode(data.replace(b"MM\0*", b"oops")), picture()) <= 12


def test_one_odd_tag_does_not_cost_the_orientation(monkeypatch):
    def fail(self, offset=8):
        raise ValueError("an odd tag")

    stored = encode(picture().transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif(6))
    # As Pillow does for some cameras' tags, when exif_transpose encodes all of them again.
    monkeypatch.setattr(TiffImagePlugin.ImageFileDirectory_v2, "tobytes", fail)
    assert difference(decode(stored), picture()) == 0


# --- colors ---------------------------------------------------------------------------------------------------------


def over_white(value: int, alpha: int) -> float:
    return (value * alpha + 255 * (255 - alpha)) / 255


@pytest.mark.parametrize("kind", ["PNG", "WebP", "AVIF", "HEIC"])
def test_alpha_goes_over_white(kind):
    layer = Image.new("RGBA", (40, 20), (200, 0, 0, 0))
    layer.paste((200, 0, 0, 128), (0, 0, 20, 20))
    pixels = np.asarray(decode(encode(layer, kind)), int)
    assert np.abs(pixels[:, :16] - [over_white(200, 128), over_white(0, 128), over_white(0, 128)]).max() <= 6
    assert np.abs(pixels[:, 24:] - 255).max() <= 2


def test_gray_with_alpha_goes_over_white():
    layer = Image.new("LA", (4, 4), (100, 128))
    assert decode(encode(layer, "PNG")).getpixel((0, 0)) == pytest.approx((over_white(100, 128),) * 3, abs=1)


def palette_picture() -> Image.Image:
    image = Image.new("P", (2, 1))
    image.putpalette([200, 0, 0, 0, 0, 200])
    image.putdata([0, 1])
    return image


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_transparent_palette_color_is_white(kind):
    result = decode(encode(palette_picture(), kind, transparency=0))
    assert [result.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), (0, 0, 200)]


def test_a_palette_with_an_alpha_for_each_color_goes_over_white():
    result = decode(encode(palette_picture(), "PNG", transparency=bytes([128, 255])))
    assert result.getpixel((0, 0)) == pytest.approx(
        [over_white(200, 128), over_white(0, 128), over_white(0, 128)], abs=1
    )
    assert result.getpixel((1, 0)) == (0, 0, 200)


@pytest.mark.parametrize(
    ("bits", "color", "row", "key", "expected"),
    [
        (8, 2, b"\0\xff\x00\x00\x00\xff\x00", (255, 0, 0), [(255, 255, 255), (0, 255, 0)]),
        (8, 0, b"\0\x07\x50", (7,), [(255, 255, 255), (80, 80, 80)]),
        (1, 0, b"\0\x40", (0,), [(255, 255, 255), (255, 255, 255)]),
        (16, 0, b"\0\x80\x40\x40\x40", (0x8040,), [(255, 255, 255), (64, 64, 64)]),
    ],
    ids=["rgb", "gray", "one bit", "16-bit gray"],
)
def test_a_color_that_means_transparent_is_white(bits, color, row, key, expected):
    data = png(2, 1, bits, color, row, chunk(b"tRNS", struct.pack(f">{len(key)}H", *key)))
    result = decode(data)
    assert [result.getpixel((x, 0)) for x in (0, 1)] == expected


def test_16_bit_gray_keeps_its_shape():
    ramp = np.linspace(0, 65535, 1024).astype(np.uint16).reshape(4, 256)
    result = np.asarray(decode(encode(Image.fromarray(ramp), "PNG")), float)
    assert (result[..., 0] == result[..., 1]).all() and (result[..., 0] == result[..., 2]).all()
    assert np.abs(result[..., 0] - ramp / 257).max() <= 0.51


def test_10_bit_gray_heic_keeps_its_shape():
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (64, 1))
    assert np.abs(np.asarray(decode(encode(Image.fromarray(ramp), "HEIC")), float)[..., 0] - ramp / 257).max() <= 4


@pytest.mark.parametrize("mode", ["I", "F", "I;16"])
def test_wide_gray_of_any_mode_is_scaled(mode):
    wide = Image.fromarray(np.array([[0, 257 * 100, 65535]], np.uint16)).convert(mode)
    assert np.asarray(images._to_rgb(wide))[0, :, 0].tolist() == [0, 100, 255]


def test_16_bits_a_channel_are_scaled():
    colors = png(2, 1, 16, 2, b"\0" + struct.pack(">6H", 65535, 0x8080, 0, 0, 0x4040, 65535))
    assert [decode(colors).getpixel((x, 0)) for x in (0, 1)] == [(255, 128, 0), (0, 64, 255)]
    gray_alpha = png(1, 1, 16, 4, b"\0" + struct.pack(">2H", 0, 0x8080))
    assert decode(gray_alpha).getpixel((0, 0)) == pytest.approx((127,) * 3, abs=1)


def test_cmyk_jpeg_is_not_inverted():
    inks = Image.new("CMYK", (32, 16), (0, 255, 255, 0))
    inks.paste((255, 255, 0, 0), (16, 0, 32, 16))
    data = encode(inks, "JPEG")
    assert Image.open(BytesIO(data)).mode == "CMYK"
    result = decode(data)
    assert result.getpixel((4, 8)) == pytest.approx((255, 0, 0), abs=8)
    assert result.getpixel((28, 8)) == pytest.approx((0, 0, 255), abs=8)


@pytest.mark.parametrize(("mode", "kind"), [("1", "PNG"), ("1", "BMP"), ("L", "JPEG"), ("L", "PNG"), ("P", "BMP")])
def test_fewer_colors_become_rgb(mode, kind):
    reduced = picture().convert(mode)
    assert difference(decode(encode(reduced, kind)), reduced) <= 4


def test_lab_becomes_rgb():
    lab = ImageCms.profileToProfile(
        picture(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert difference(images._to_rgb(lab), picture()) <= 6


# --- metadata -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "AVIF", "HEIC"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_no_metadata_is_left(kind, orientation):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = b"<x:xmpmeta>secret</x:xmpmeta>"
    data = encode(picture(), kind, exif=exif(orientation), icc_profile=profile, xmp=xmp, comment=b"secret")
    assert b"Acme" in data
    result = decode(data)
    assert type(result) is Image.Image  # Pillow's file classes keep the segments and text chunks
    assert result.info == {}
    assert dict(result.getexif()) == {} and dict(result.getexif().get_ifd(0x8825)) == {}
    again = encode(result, kind)
    assert b"Acme" not in again and b"secret" not in again


def test_no_metadata_is_left_of_a_transparent_picture():
    result = decode(encode(picture().convert("RGBA"), "PNG", exif=exif(6), dpi=(72, 72)))
    assert (type(result), result.info, dict(result.getexif())) == (Image.Image, {}, {})


# --- limits ---------------------------------------------------------------------------------------------------------


def with_size(kind: str) -> bytes:
    """A file whose header declares 20000 x 20000 pixels."""
    side = struct.pack(">I", 20000)
    data = encode(picture(), kind)
    if kind == "PNG":  # a valid one: 400 megapixels in about 200 kB
        return png(20000, 20000, 1, 0, bytes(20000 * 2501))
    if kind == "JPEG":
        at = data.index(b"\xff\xc0") + 5
        return data[:at] + struct.pack(">HH", 20000, 20000) + data[at + 4 :]
    if kind == "GIF":
        return data[:6] + struct.pack("<HH", 20000, 20000) + data[10:]
    if kind == "BMP":
        return data[:18] + struct.pack("<II", 20000, 20000) + data[26:]
    # AVIF and HEIC. This HEIC is coded as 64 x 64 pixels and cropped to 48 x 32; the decoder reports only the crop.
    return re.sub(rb"(ispe....).{8}", rb"\1" + side + side, data, flags=re.DOTALL)


@pytest.mark.parametrize("kind", [kind for kind in images.FORMATS if kind != "WebP"])
def test_too_many_pixels_are_refused_by_the_header(kind, no_pixels):
    data = with_size(kind)
    assert len(data) < 300_000
    assert refusal(decode, data) == BOMB
    with pytest.raises(ImageTooLargeError):
        decode(data, shrink_to=224)


def test_a_webp_over_pillows_own_cap_is_refused(no_pixels):
    side = (16383).to_bytes(3, "little")
    data = b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<II", 10, 0) + side + side
    with pytest.raises(ImageTooLargeError):
        decode(data)
    assert refusal(decode, data) == "The photo has too many pixels; the limit is 50 megapixels."


def test_a_gif_whose_first_frame_is_huge_is_refused(no_pixels):
    data = bytearray(encode(picture(), "GIF"))
    at = data.index(b"," + struct.pack("<4H", 0, 0, 48, 32))
    data[at + 5 : at + 9] = struct.pack("<HH", 9000, 9000)
    assert refusal(decode, bytes(data)) == "The photo is 9000 x 9000 pixels; the limit is 50 megapixels."


@pytest.mark.parametrize("kind", images.FORMATS)
def test_the_pixel_cap_is_exact(kind):
    data = encode(Image.new("RGB", (100, 100)), kind)
    assert decode(data, ImageLimits(10**6, 10_000)).size == (100, 100)
    assert (
        refusal(decode, data, ImageLimits(10**6, 9_999))
        == "The photo is 100 x 100 pixels; the limit is 0.009999 megapixels."
    )


@pytest.mark.parametrize("kind", ["PNG", "WebP", "GIF"])
def test_a_cap_above_pillows_own_is_kept(kind, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    data = encode(picture(), kind)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(BytesIO(data))
    assert decode(data, ImageLimits(10**6, 2_000)).size == (48, 32)
    assert decode(data, ImageLimits(10**6, 1_600)).size == (48, 32)
    assert Image.MAX_IMAGE_PIXELS == 2_000  # never lowered: another thread may be decoding


def test_a_run_length_bmp_has_a_lower_cap(no_pixels):
    message = refusal(decode, packed_bmp(5_000_001, 1))
    assert message == "The photo is 5000001 x 1 pixels; the limit is 5 megapixels."


def test_a_run_length_bmp_is_read():
    assert difference(decode(packed_bmp(40, 30)), Image.new("RGB", (40, 30))) == 0


def test_pillows_cap_stays_as_it_is_by_default():
    before = Image.MAX_IMAGE_PIXELS
    decode(encode(picture(), "PNG"))
    assert before == Image.MAX_IMAGE_PIXELS and ROOMY.max_pixels < before


def test_200_megabytes_are_refused_at_once(monkeypatch):
    monkeypatch.setattr(images, "_format_of", lambda data: pytest.fail("the bytes were looked at"))
    assert refusal(decode, bytes(200_000_000)) == "The file is 200 MB; the limit is 20 MB."


def test_the_byte_cap_is_exact():
    data = encode(picture(), "PNG")
    assert decode(data, ImageLimits(len(data), 10**6)).size == (48, 32)
    with pytest.raises(ImageTooLargeError):
        decode(data, ImageLimits(len(data) - 1, 10**6))


def test_a_file_a_little_over_the_cap_reads_as_more_than_the_cap():
    message = refusal(decode, bytes(1_000_001), ImageLimits(1_000_000, 10**6))
    assert message == "The file is 1.1 MB; the limit is 1 MB."


def test_the_environment_sets_the_caps(monkeypatch):
    data = encode(picture(), "PNG")
    monkeypatch.setenv("SOLESCOPE_MAX_MEGAPIXELS", "0.001")
    assert refusal(decode, data) == "The photo is 48 x 32 pixels; the limit is 0.001 megapixels."
    monkeypatch.setenv("SOLESCOPE_MAX_UPLOAD_MB", "0.001")
    assert refusal(decode, data + bytes(1000)) == "The file is 0.1 MB; the limit is 0.001 MB."


# --- invalid files --------------------------------------------------------------------------------------------------


def test_an_empty_file():
    assert refusal(decode, b"") == "The file is empty."


def other_formats() -> dict[str, bytes]:
    kinds = {kind: encode(picture(), kind) for kind in ("EPS", "TIFF", "PPM", "ICO", "PDF", "TGA", "JPEG2000")}
    return kinds | {
        "SVG": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>',
        "PSD": b"8BPS\0\x01" + bytes(6) + struct.pack(">HIIHH", 3, 9, 9, 8, 3) + bytes(100),
        "text": b"What are those?\n" * 20,
        "zip": b"PK\x03\x04" + bytes(100),
        "MP4 video": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100),
        "WAV sound": b"RIFF\x24\0\0\0WAVEfmt " + bytes(100),
        "zeros": bytes(1000),
        "one byte": b"\xff",
    }


@pytest.mark.parametrize("kind", other_formats())
def test_another_format_renamed_is_refused(kind, tmp_path, monkeypatch):
    # The result would be the same if Pillow had loaded all its plugins and Ghostscript were installed.
    Image.init()
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_args, **_options: pytest.fail("Ghostscript ran"))
    for name in ("shoe.png", "shoe.jpg"):
        (tmp_path / name).write_bytes(other_formats()[kind])
        assert refusal(load, tmp_path / name) == NOT_A_PHOTO


@pytest.mark.parametrize("kind", images.FORMATS)
def test_the_name_says_nothing_about_the_format(kind, tmp_path):
    (tmp_path / "shoe.eps").write_bytes(encode(picture(), kind))
    assert load(tmp_path / "shoe.eps").size == picture().size


def test_a_picture_without_pixels_is_refused():
    assert refusal(decode, png(0, 0, 8, 2, b"")) == DAMAGED


@pytest.mark.parametrize("kept", [0.05, 0.2, 0.5, 0.9, 0.99, -3, -2])
def test_a_jpeg_cut_off_anywhere_is_refused(kept):
    noise = np.random.default_rng(3).integers(0, 256, (120, 160, 3)).astype(np.uint8)
    data = encode(Image.fromarray(noise), "JPEG")
    assert refusal(decode, data[: kept if kept < 0 else int(kept * len(data))]) == DAMAGED
    assert refusal(decode, data[: kept if kept < 0 else int(kept * len(data))], shrink_to=20) == DAMAGED


@pytest.mark.parametrize("kind", images.FORMATS)
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_every_format_cut_off_is_refused(kind, kept):
    noise = np.random.default_rng(3).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    data = encode(Image.fromarray(noise), kind)
    assert refusal(decode, data[: int(kept * len(data))]) == DAMAGED


def test_a_broken_heic_is_refused():
    data = bytearray(encode(picture(), "HEIC"))
    at = data.index(b"mdat") + 8
    data[at:] = bytes(len(data) - at)
    assert refusal(decode, bytes(data)) == DAMAGED
    assert refusal(decode, bytes(data[:40])) == DAMAGED


@pytest.mark.parametrize(
    "error",
    [SyntaxError, struct.error, ValueError, OverflowError, MemoryError, zlib.error, OSError, TypeError, IndexError],
)
def test_whatever_a_decoder_raises_has_a_clear_error(error, monkeypatch):
    def fail(self):
        raise error("internals at 0xdeadbeef")

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    assert refusal(decode, encode(picture(), "JPEG")) == DAMAGED


# --- files ----------------------------------------------------------------------------------------------------------


def test_load_reads_a_file(tmp_path):
    (tmp_path / "shoe.png").write_bytes(encode(picture(), "PNG"))
    assert difference(load(tmp_path / "shoe.png"), picture()) == 0


def test_load_of_what_is_no_file(tmp_path):
    assert refusal(load, tmp_path / "none.png") == "The photo file doesn't exist."
    assert refusal(load, tmp_path / "bad\0name.png") == "The photo file doesn't exist."
    assert refusal(load, tmp_path) == "This is a folder, not a photo."


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_file_is_read_once_for_its_photo_and_its_properties(tmp_path):
    path = tmp_path / "shoe.bin"
    path.write_bytes(encode(picture(), "JPEG", exif=exif(6)))
    photo = images.load_photo(path)
    assert (photo.width, photo.height, photo.extension) == (*picture().size[::-1], ".jpg")
    assert photo.image.size == (photo.width, photo.height)
    assert images.load(path).tobytes() == photo.image.tobytes() == decode(images.read_bytes(path)).tobytes()


def test_load_does_not_wait_for_a_pipe(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.png")
    assert refusal(load, tmp_path / "pipe.png") == "The photo file doesn't exist."


def test_load_of_an_unreadable_file(tmp_path, monkeypatch):
    (tmp_path / "shoe.png").write_bytes(encode(picture(), "PNG"))

    def forbid(self, *args):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", forbid)
    assert refusal(load, tmp_path / "shoe.png") == "The file can't be opened."


def test_load_refuses_a_huge_file_before_opening_it(tmp_path, monkeypatch):
    with (tmp_path / "shoe.png").open("wb") as file:
        file.truncate(200_000_000)  # a sparse file, which takes no disk space
    monkeypatch.setattr(Path, "open", lambda *_args: pytest.fail("the file was opened"))
    assert refusal(load, tmp_path / "shoe.png") == "The file is 200 MB; the limit is 20 MB."


# --- shrinking ------------------------------------------------------------------------------------------------------


def smooth(width: int, height: int) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 90 * np.sin(x / 90 + k) * np.cos(y / 70) for k in range(3)]
    return Image.fromarray(np.stack(waves, -1).astype(np.uint8))


@pytest.mark.parametrize(
    ("shrink_to", "expected"),
    [
        (None, (1000, 803)),
        (1000, (1000, 803)),
        (401, (500, 402)),
        (402, (1000, 803)),
        (224, (500, 402)),
        (90, (125, 101)),
    ],
)
def test_shrink_to_leaves_both_sides_long_enough(shrink_to, expected):
    result = decode(encode(smooth(1000, 803), "JPEG"), shrink_to=shrink_to)
    assert result.size == expected


def test_a_shrunken_photo_is_the_same_photo_and_the_same_every_time(tmp_path):
    data = encode(smooth(1000, 800), "JPEG")
    (tmp_path / "shoe.jpg").write_bytes(data)
    small = decode(data, shrink_to=200)
    assert small.size == (250, 200)
    assert difference(small, decode(data).resize((250, 200), Image.Resampling.BOX)) <= 6
    assert (
        small.tobytes() == decode(data, shrink_to=200).tobytes() == load(tmp_path / "shoe.jpg", shrink_to=200).tobytes()
    )


def test_a_shrunken_photo_is_upright():
    stored = picture().resize((960, 640), Image.Resampling.NEAREST).transpose(Image.Transpose.ROTATE_90)
    small = decode(encode(stored, "JPEG", exif=exif(6)), shrink_to=80)
    assert difference(small, picture().resize((120, 80), Image.Resampling.NEAREST)) <= 12


@pytest.mark.parametrize("kind", [kind for kind in images.FORMATS if kind != "JPEG"])
def test_shrink_to_leaves_other_formats_alone(kind):
    assert decode(encode(smooth(200, 160), kind), shrink_to=20).size == (200, 160)


def test_shrink_to_does_not_take_a_heics_thumbnail():
    data = encode(smooth(200, 160), "HEIC", thumbnails=[100])
    assert b"thmb" in data
    assert decode(data, shrink_to=20).size == (200, 160)


# --- random bytes ---------------------------------------------------------------------------------------------------

GOOD = {
    kind: encode(picture(), kind, **({} if kind in ("GIF", "BMP") else {"exif": exif(6)})) for kind in images.FORMATS
}
EDITS = st.lists(
    st.tuples(st.sampled_from(["flip", "cut", "insert"]), st.floats(0, 1), st.binary(min_size=1, max_size=8)),
    min_size=1,
    max_size=6,
)


def mangle(data: bytes, edits: list[tuple[str, float, bytes]]) -> bytes:
    for action, where, patch in edits:
        at = int(where * len(data))
        if action == "flip":
            data = data[:at] + patch + data[at + len(patch) :]
        elif action == "insert":
            data = data[:at] + patch + data[at:]
        else:
            data = data[:at] + data[at + 7 * len(patch) :]
    return data


@pytest.mark.parametrize("kind", images.FORMATS)
@given(edits=EDITS, shrink_to=st.sampled_from([None, 8]))
@settings(max_examples=250, deadline=None, derandomize=True)
def test_mangled_bytes_give_an_image_or_an_image_error(kind, edits, shrink_to):
    data = mangle(GOOD[kind], edits)
    limits = ImageLimits(10**6, 10**6)
    try:
        result = decode(data, limits, shrink_to=shrink_to)
    except ImageError:
        refusal(decode, data, limits, shrink_to=shrink_to)
    else:
        assert (type(result), result.mode, result.info) == (Image.Image, "RGB", {})
        assert 1 <= result.width * result.height <= limits.max_pixels


@given(st.binary(max_size=200))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_random_bytes_are_no_photo(data):
    assert refusal(decode, data) in ("The file is empty.", NOT_A_PHOTO, DAMAGED)


# --- import ---------------------------------------------------------------------------------------------------------


def test_ordinary_photos_cost_no_import_of_heic_or_other_plugins():
    code = (
        "import sys; from sneaker_core import images; images.decode(bytes.fromhex(sys.argv[1]));"
        "print([name for name in ('pillow_heif', 'PIL.EpsImagePlugin', 'numpy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, encode(picture(), "JPEG").hex()]
    answer = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=True)
    assert (answer.stdout.strip(), answer.stderr) == ("[]", "")


def test_a_photo_is_told_by_its_bytes_alone():
    data = encode(picture(), "JPEG")
    one, same = images.Photo("a.jpg", data), images.Photo("b.jpg", data, "key")
    assert one.digest == same.digest == hashlib.sha256(data).hexdigest()
    assert one.digest != images.Photo("a.jpg", data + b"\0").digest
    assert str(data[:9]) not in repr(one), "a log must not hold the bytes of photos"
