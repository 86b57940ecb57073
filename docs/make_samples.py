"""Draw the sample photos that come with SoleScope: ``python docs/make_samples.py``.

Each synthetic class once, from a seed chosen by eye, and a thing that is no shoe.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sneaker_core.datasets.synthetic.negatives import draw_negative
from sneaker_core.datasets.synthetic.rendering import draw_photo
from sneaker_core.datasets.synthetic.sample_plan import CLASSES
from sneaker_core.workspace.paths import SAMPLE_PHOTOS

SIZE, QUALITY = (800, 600), 86
# Class, or "Mug" for the thing that is no shoe -> seed.
SEEDS = {
    "Air Runner One": 105,
    "Air Runner Zero": 104,
    "Chunky Runner": 105,
    "Court Low": 107,
    "High-Top": 106,
    "Hoops Mid": 106,
    "Platform Low": 105,
    "Retro Runner": 103,
    "Skate Low": 106,
    "Slip-On": 103,
    "Sock Runner": 103,
    "Trail Runner": 103,
    "Mug": 102,
}


def main() -> None:
    """Draw all samples."""
    SAMPLE_PHOTOS.mkdir(parents=True, exist_ok=True)
    for number, (name, seed) in enumerate(SEEDS.items()):
        rng = np.random.default_rng([seed, number])
        photo = draw_photo(name, rng, SIZE) if name in CLASSES else draw_negative(rng, SIZE)
        photo.save(SAMPLE_PHOTOS / f"{name}.jpg", quality=QUALITY, optimize=True)


if __name__ == "__main__":
    main()
