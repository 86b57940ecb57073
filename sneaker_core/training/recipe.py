"""How a network is trained: one validated, stored set of choices."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sneaker_core.errors import RecipeError
from sneaker_core.networks.architectures import ARCHITECTURES


@dataclass(frozen=True)
class Recipe:
    """Every choice of a training run.

    Attributes
    ----------
    network : str
        A name of `ARCHITECTURES`.
    init : str
        What the backbone starts from: the name or folder of a model, "imagenet", a safetensors file, or "none".
    freeze : bool
        Train the head alone, on embeddings computed once.
    epochs : int
        Passes over the training photos, 1 to 1000.
    size : int
        Height and width in pixels that the network sees, 32 to 512.
    small_size : int
        Height and width during the first `small_share` of the epochs; smaller is faster.
    small_share : float
        0 to 1.
    batch : int
        Photos a step, 2 to 1024.
    learning_rate : float
        Highest rate of the one-cycle schedule, for the head.
    backbone_rate : float
        Rate of the backbone as a share of the head's, 0 to 1.
    warmup : float
        Share of all steps before the rate is at its highest, 0 to 1.
    weight_decay : float
    label_smoothing : float
        Probability spread over the wrong classes, 0 to below 1.
    average_decay : float
        Decay a step of the exponential moving average of the weights, 0 (none) to below 1.
    rare_power : float
        A class of n photos is drawn in proportion to n ** rare_power: 1 as it comes, 0 all alike.
    others_share : float
        Share of draws that are photos of other things, where there are any, 0 to 0.5.
    crop : float
        Smallest share of the photo's area that a random crop keeps, above 0 to 1.
    rotation : float
        Largest rotation in degrees.
    colour : float
        Strength of random brightness, contrast, saturation and hue, 0 to 1.
    erase : float
        Probability that a rectangle is blanked, 0 to 1.
    mix : float
        Probability that a batch is mixed by CutMix or MixUp, 0 to 1.
    val_share, test_share : float
        Shares of the photos of each class that are kept from training.
    seed : int
    """

    network: str = "mobilenet_v2"
    init: str = "imagenet"
    freeze: bool = False
    epochs: int = 16
    size: int = 160
    small_size: int = 160
    small_share: float = 0.0
    batch: int = 32
    learning_rate: float = 2e-3
    backbone_rate: float = 0.5
    warmup: float = 0.25
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    average_decay: float = 0.998
    rare_power: float = 0.5
    others_share: float = 0.08
    crop: float = 0.4
    rotation: float = 12.0
    colour: float = 0.4
    erase: float = 0.2
    mix: float = 0.0
    val_share: float = 0.08
    test_share: float = 0.10
    seed: int = 0

    def __post_init__(self) -> None:
        if self.network not in ARCHITECTURES:
            raise RecipeError(f"network is {self.network!r}; choose one of: {', '.join(sorted(ARCHITECTURES))}.")
        for name, (lowest, highest) in RANGES.items():
            value = getattr(self, name)
            if not lowest <= value <= highest:
                raise RecipeError(f"{name} is {value}; it must be from {lowest:g} to {highest:g}.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


RANGES: dict[str, tuple[float, float]] = {
    "epochs": (1, 1000),
    "size": (32, 512),
    "small_size": (32, 512),
    "small_share": (0, 1),
    "batch": (2, 1024),
    "learning_rate": (1e-6, 1),
    "backbone_rate": (0, 1),
    "warmup": (0, 1),
    "weight_decay": (0, 1),
    "label_smoothing": (0, 0.9),
    "average_decay": (0, 0.99999),
    "rare_power": (0, 1),
    "others_share": (0, 0.5),
    "crop": (0.05, 1),
    "rotation": (0, 180),
    "colour": (0, 1),
    "erase": (0, 1),
    "mix": (0, 1),
    "val_share": (0.01, 0.5),
    "test_share": (0.01, 0.5),
    "seed": (0, 2**31 - 1),
}

RECIPES: dict[str, Recipe] = {
    "quick": Recipe(freeze=True, epochs=40, size=192, batch=64, learning_rate=5e-3, init="street22"),
    "finetune": Recipe(),
    "scratch": Recipe(init="none", epochs=60, learning_rate=3e-3, backbone_rate=1.0),
}


def recipe(name: str, changes: Mapping[str, Any] | None = None) -> Recipe:
    """A named recipe, with some of its values changed.

    Parameters
    ----------
    name : str
        "quick", "finetune" or "scratch".
    changes : mapping, optional
        Field -> value; text is turned into the field's type. None values are passed over.

    Raises
    ------
    RecipeError
        No such recipe or field, or a value out of its range.
    """
    if name not in RECIPES:
        raise RecipeError(f"There is no recipe {name!r}; choose one of: {', '.join(RECIPES)}.")
    base = RECIPES[name]
    known = {field.name for field in fields(base)}
    values: dict[str, Any] = {}
    for key, value in (changes or {}).items():
        if key not in known:
            raise RecipeError(f"A recipe has no setting {key!r}; it has: {', '.join(sorted(known))}.")
        if value is not None:
            values[key] = _as_type(key, value, type(getattr(base, key)))
    return replace(base, **values)


def _as_type(key: str, value: Any, wanted: type) -> Any:
    if wanted is bool and isinstance(value, str):
        if value.lower() not in ("true", "false"):
            raise RecipeError(f"{key} is {value!r}; it must be true or false.")
        return value.lower() == "true"
    try:
        return wanted(value)
    except (TypeError, ValueError, OverflowError):
        raise RecipeError(f"{key} is {value!r}; it must be {'a number' if wanted is not str else 'text'}.") from None
