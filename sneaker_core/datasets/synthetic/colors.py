"""Colorways: the colors of a sneaker."""

import colorsys
from dataclasses import dataclass

import numpy as np

__all__ = ["Color", "Colorway", "choose_colorway", "lighter", "mixed", "shifted"]

Color = tuple[int, int, int]

# Four matching colors each: body, overlays, accent, sole.
_PALETTES = (
    ("f4f1ea", "f4f1ea", "2f6b4f", "f8f5ee"),  # white and green
    ("f5f3ee", "e4e0d6", "1f3a5f", "f7f4ec"),  # white and navy
    ("1d1d20", "2a2a2e", "f2efe8", "f4f1ea"),  # black and white
    ("22252b", "31353d", "e4572e", "20222a"),  # black and orange
    ("d9cfc0", "b8a88f", "f2ece0", "f0e8d8"),  # sand
    ("8a9a7b", "6d7f61", "e8dcc0", "efe6d2"),  # sage
    ("c8553d", "a9412d", "f3d9b1", "f5ebd9"),  # brick
    ("2b4c7e", "1f3962", "f0a202", "f6f1e5"),  # blue and amber
    ("b7c4cf", "8fa3b3", "eee3cb", "f7f3ea"),  # fog
    ("f2b5b0", "e58f8a", "fbeee6", "fdf6ef"),  # rose
    ("5b3a5f", "7a5480", "f2c14e", "f2ece4"),  # plum and yellow
    ("0f6e6e", "0a5454", "ffb997", "f5efe6"),  # teal and peach
    ("e9c46a", "d9a441", "264653", "fbf4e1"),  # mustard and petrol
    ("a3b8a5", "e9e4d8", "d97b5c", "f3ede0"),  # mint and clay
    ("6b4f3f", "8d6b54", "d8c3a5", "e9dcc6"),  # brown leather
    ("9aa0a8", "c3c7cc", "e63946", "f1f1ef"),  # gray and red
    ("3d405b", "e07a5f", "f2cc8f", "f4f1de"),  # dusk
    ("b8d8d8", "7a9e9f", "ef6f6c", "eef5f2"),  # seafoam and coral
    ("e8e4dc", "c9302c", "1c1c1e", "f5f2ea"),  # white, red, black
    ("1b3022", "395e46", "cba135", "ece4cf"),  # forest and gold
    ("cdb4db", "a98bc0", "ffc8dd", "f8f4fb"),  # lilac
    ("274690", "576ca8", "f5f3f5", "dfe6f2"),  # royal
    ("f28f3b", "c8553d", "2d3047", "fbf1e4"),  # tangerine
    ("4a4e57", "5f6570", "b9e769", "d9dcd6"),  # graphite and lime
    ("efe9dd", "cbbfa8", "7b2d3b", "e8dcc4"),  # cream and wine
    ("86b6d8", "f4f4f0", "f4d35e", "f9f7f1"),  # sky
    ("7d8471", "4f5548", "ff8c42", "33362f"),  # olive and orange
    ("5a1f2b", "7d2e3d", "e6d5b8", "efe5d0"),  # wine
)
_WHITES = ("fbf9f4", "f1ead9", "ffffff")
_GUM = "b9824f"


@dataclass(frozen=True)
class Colorway:
    """The colors of a sneaker by part."""

    base: Color
    overlay: Color
    accent: Color
    sole: Color
    outsole: Color
    lace: Color
    lining: Color
    thread: Color


def choose_colorway(rng: np.random.Generator) -> Colorway:
    """Choose a palette and vary it slightly, so that photos rarely have the same colors."""
    palette = [_color(code) for code in _PALETTES[int(rng.integers(len(_PALETTES)))]]
    turn, tint, tone = rng.uniform(-0.03, 0.03), rng.uniform(0.85, 1.12), rng.uniform(0.93, 1.05)
    base, overlay, accent, sole = (shifted(color, turn, tint, tone) for color in palette)
    swap = int(rng.integers(4))
    if swap == 1:
        base, overlay = overlay, base
    elif swap == 2 and _brightness(overlay) != _brightness(accent):
        overlay, accent = accent, overlay
    white = _color(_WHITES[int(rng.integers(len(_WHITES)))])
    lace = (white, sole, accent, overlay)[int(rng.choice(4, p=(0.4, 0.25, 0.2, 0.15)))]
    outsole = (_color(_GUM), mixed(overlay, (25, 25, 30), 0.35), accent, mixed(sole, (90, 84, 76), 0.45))[
        int(rng.choice(4, p=(0.25, 0.3, 0.2, 0.25)))
    ]
    lining = mixed(accent if rng.random() < 0.4 else base, (30, 28, 34), 0.45)
    thread = (mixed(base, (20, 20, 25), 0.4), lighter(base, 0.45), lighter(accent, 0.2))[int(rng.integers(3))]
    return Colorway(base, overlay, accent, sole, outsole, lace, lining, thread)


def mixed(color: Color, other: Color, share: float) -> Color:
    """Mix a color with a share (0 to 1) of another."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(color, other, strict=True))
    return (red, green, blue)


def lighter(color: Color, share: float) -> Color:
    """Lighten a color, or darken it if `share` is negative."""
    return mixed(color, (255, 255, 255), share) if share > 0 else mixed(color, (0, 0, 0), -share)


def shifted(color: Color, turn: float, tint: float, tone: float) -> Color:
    """Shift the hue of a color (in turns) and scale its saturation and brightness."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(part / 255 for part in color))
    red, green, blue = colorsys.hsv_to_rgb((hue + turn) % 1, min(saturation * tint, 1), min(value * tone, 1))
    return (round(red * 255), round(green * 255), round(blue * 255))


def _color(code: str) -> Color:
    return (int(code[:2], 16), int(code[2:4], 16), int(code[4:], 16))


def _brightness(color: Color) -> int:
    return sum(color)
