"""How a network is trained: one validated, stored set of choices."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sneaker_core.errors import RecipeError
from sneaker_core.networks.architectures import ARCHITECTURES, HEAD_KINDS
from sneaker_core.networks.trainable_layers import PARTS

# A network's usual head, or one kind for any network.
HEADS = ("usual", *HEAD_KINDS)
# What a step costs that trains the head alone, as a share of one that trains everything: no backward pass.
_HEAD_STEP = 0.35
# Networks halve the size several times: sizes go by this many pixels.
_MULTIPLE = 8
# How strongly training photos are changed, by a word: settings of a recipe.
AUGMENTATIONS: dict[str, dict[str, float]] = {
    "none": {"crop": 1, "mirror": 0, "rotation": 0, "colour": 0, "erase": 0, "trivial": 0, "mix": 0},
    "light": {"crop": 0.7, "mirror": 0.5, "rotation": 5, "colour": 0.15, "erase": 0, "trivial": 0, "mix": 0},
    "standard": {"crop": 0.4, "mirror": 0.5, "rotation": 12, "colour": 0.4, "erase": 0.2, "trivial": 0, "mix": 0},
    "strong": {"crop": 0.3, "mirror": 0.5, "rotation": 15, "colour": 0.4, "erase": 0.2, "trivial": 0.5, "mix": 0.5},
}


@dataclass(frozen=True)
class Recipe:
    """Every choice of a training run.

    Attributes
    ----------
    network : str
        A name of `ARCHITECTURES`.
    head : str
        One of `HEADS`.
    init : str
        What the backbone starts from: the name or folder of a model, "imagenet", a safetensors file, or "none".
    part : str
        What learns, one of `PARTS`. The head alone learns from embeddings that are computed once.
    epochs : int
        Passes over the training photos, 1 to 1000.
    head_epochs : int
        So many of them, the first ones but never the last, train the head alone: its random start does no harm to
        the backbone.
    size : int
        Height and width in pixels that the network sees, 32 to 512.
    small_size : int
        Height and width during the first `small_share` of the epochs; smaller is faster.
    small_share : float
        0 to 1.
    final_scale : float
        The finished model sees photos so many times larger, 1 to 2; for `final_size`.
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
    mirror : float
        Probability that a photo is mirrored, 0 to 1.
    rotation : float
        Largest rotation in degrees.
    colour : float
        Strength of random brightness, contrast, saturation and hue, 0 to 1.
    erase : float
        Probability that a rectangle is blanked, 0 to 1.
    trivial : float
        Probability that a photo gets one random change of TrivialAugment, 0 to 1.
    mix : float
        Probability that a batch is mixed by CutMix or MixUp, 0 to 1.
    patience : int
        Stop when validation has not improved for so many epochs; 0 never stops.
    val_share, test_share : float
        Shares of the photos of each class that are kept from training.
    seed : int
    """

    network: str = "mobilenet_v2"
    head: str = "usual"
    init: str = "imagenet"
    part: str = "all"
    epochs: int = 16
    head_epochs: int = 1
    size: int = 160
    small_size: int = 160
    small_share: float = 0.0
    final_scale: float = 1.15
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
    mirror: float = 0.5
    rotation: float = 12.0
    colour: float = 0.4
    erase: float = 0.2
    trivial: float = 0.0
    mix: float = 0.0
    patience: int = 0
    val_share: float = 0.08
    test_share: float = 0.10
    seed: int = 0

    def __post_init__(self) -> None:
        for name, allowed in (("network", sorted(ARCHITECTURES)), ("part", PARTS), ("head", HEADS)):
            if getattr(self, name) not in allowed:
                raise RecipeError(f"{name} is {getattr(self, name)!r}; choose one of: {', '.join(allowed)}.")
        for name, (lowest, highest) in RANGES.items():
            value = getattr(self, name)
            if not lowest <= value <= highest:
                raise RecipeError(f"{name} is {value}; it must be from {lowest:g} to {highest:g}.")
        self._check_size()

    def _check_size(self) -> None:
        """A network may see one size only, or none below some size."""
        network = ARCHITECTURES[self.network]
        sizes = {"size": self.size, **({"small_size": self.small_size} if self.small_share else {})}
        for name, value in sizes.items():
            if network.fixed_size and value != network.size:
                raise RecipeError(f"{name} is {value}; {self.network} sees photos of exactly {network.size} pixels.")
            if value < network.smallest:
                raise RecipeError(f"{name} is {value}; {self.network} needs at least {network.smallest} pixels.")

    @property
    def augmentation(self) -> str:
        """The word of `AUGMENTATIONS` for what is done to the photos; "custom" where none says it."""
        found = (
            word for word, values in AUGMENTATIONS.items() if all(getattr(self, k) == v for k, v in values.items())
        )
        return next(found, "custom")

    @property
    def head_kind(self) -> str | None:
        """For `build_network`: None is a network's usual head."""
        return None if self.head == "usual" else self.head

    def as_applied(self) -> "Recipe":
        """With the changes to photos that come to bear: embeddings are made of views, whose colours stay."""
        return replace(self, colour=0.0, erase=0.0, trivial=0.0, mix=0.0) if self.part == "head" else self

    def head_alone(self, epoch: int) -> bool:
        """Whether the head learns alone in an epoch, counted from 0."""
        return self.part == "head" or epoch < min(self.head_epochs, self.epochs - 1)

    def size_of(self, epoch: int) -> int:
        """Height and width in pixels that the network sees in an epoch, counted from 0."""
        return self.small_size if epoch < round(self.small_share * self.epochs) else self.size

    @property
    def final_size(self) -> int:
        """Height and width in pixels that the finished model sees.

        A random crop is enlarged to the size of training, so sneakers look larger there than in whole photos; whole
        photos of a somewhat larger size make up for that (Touvron et al., "Fixing the train-test resolution
        discrepancy", 2019). Not where nothing was cropped, the backbone never learned, or the network sees one size.
        """
        if self.crop >= 1 or self.part == "head" or ARCHITECTURES[self.network].fixed_size:
            return self.size
        return max(self.size, round(self.size * self.final_scale / _MULTIPLE) * _MULTIPLE)

    def work(self) -> list[float]:
        """What each epoch costs beside one that trains everything at the full size, about."""
        return [
            (self.size_of(epoch) / self.size) ** 2 * (_HEAD_STEP if self._spares_the_backbone(epoch) else 1.0)
            for epoch in range(self.epochs)
        ]

    def _spares_the_backbone(self, epoch: int) -> bool:
        return self.part != "head" and self.head_alone(epoch)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


RANGES: dict[str, tuple[float, float]] = {
    "epochs": (1, 1000),
    "head_epochs": (0, 1000),
    "size": (32, 512),
    "small_size": (32, 512),
    "small_share": (0, 1),
    "final_scale": (1, 2),
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
    "mirror": (0, 1),
    "rotation": (0, 180),
    "colour": (0, 1),
    "erase": (0, 1),
    "trivial": (0, 1),
    "mix": (0, 1),
    "patience": (0, 1000),
    "val_share": (0.01, 0.5),
    "test_share": (0.01, 0.5),
    "seed": (0, 2**31 - 1),
}

RECIPES: dict[str, Recipe] = {
    "quick": Recipe(part="head", epochs=40, head_epochs=0, size=192, batch=64, learning_rate=5e-3, init="street22"),
    # From the bundled model: it has seen many sneakers, and works without a network.
    "finetune": Recipe(init="street22"),
    "scratch": Recipe(init="none", epochs=60, head_epochs=0, learning_rate=3e-3, backbone_rate=1.0),
}


def recipe(name: str, changes: Mapping[str, Any] | None = None) -> Recipe:
    """A named recipe, with some of its values changed.

    Parameters
    ----------
    name : str
        "quick", "finetune" or "scratch".
    changes : mapping, optional
        Field -> value; text is turned into the field's type. None values are passed over. "augmentation" stands for
        the settings of that word, before those that are named themselves. Another network brings the size that it
        usually sees and weights that fit it.

    Raises
    ------
    RecipeError
        No such recipe or field, or a value out of its range.
    """
    if name not in RECIPES:
        raise RecipeError(f"There is no recipe {name!r}; choose one of: {', '.join(RECIPES)}.")
    base = RECIPES[name]
    given = {key: value for key, value in (changes or {}).items() if value is not None}
    word = given.pop("augmentation", "standard" if base.augmentation == "standard" else None)
    known = {field.name for field in fields(base)}
    unknown = sorted(given.keys() - known)
    if unknown:
        names = ", ".join(sorted({*known, "augmentation"}))
        raise RecipeError(f"A recipe has no setting {unknown[0]!r}; it has: {names}.")
    if word is not None and word not in AUGMENTATIONS:
        raise RecipeError(f"augmentation is {word!r}; choose one of: {', '.join(AUGMENTATIONS)}.")
    typed = {key: _as_type(key, value, type(getattr(base, key))) for key, value in given.items()}
    augmentation = {k: _as_type(k, v, float) for k, v in AUGMENTATIONS[word].items()} if word else {}
    return replace(base, **{**_usual_for(typed, base), **augmentation, **typed})


def _usual_for(given: Mapping[str, Any], base: Recipe) -> dict[str, Any]:
    """The size and the starting weights that go with another network; one size given alone is the small one too."""
    network, size = ARCHITECTURES.get(given.get("network", base.network)), given.get("size")
    usual: dict[str, Any] = {}
    if network is not None and network.name != base.network:
        size = size or network.size
        if base.init != "none":
            usual["init"] = "imagenet" if network.imagenet else "none"
    return usual if size is None else {**usual, "size": size, "small_size": size}


def _as_type(key: str, value: Any, wanted: type) -> Any:
    try:
        return wanted(value)
    except (TypeError, ValueError, OverflowError):
        raise RecipeError(f"{key} is {value!r}; it must be {'a number' if wanted is not str else 'text'}.") from None
