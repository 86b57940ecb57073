"""Recipe: every setting of a training run in one validated object, and the presets to start from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sneaker_core.errors import RecipeError
from sneaker_core.networks.architectures import ARCHITECTURES, HEAD_KINDS
from sneaker_core.networks.bundled_models import DEFAULT_MODEL, present_name
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.networks.trainable_layers import TRAINABLE
from sneaker_core.training.recipe_fields import (
    AUGMENTATION_FIELDS,
    AUGMENTATIONS,
    PRESETS,
    augmentation_strength,
    current_fields,
)

# The architecture's own head, or one kind for any architecture.
HEADS = ("default", *HEAD_KINDS)
# Cost of a step that trains only the head, relative to a full step: there is no backward pass through the backbone.
_HEAD_STEP = 0.35
# Networks halve the size several times, so sizes are multiples of this many pixels.
_MULTIPLE = 8


@dataclass(frozen=True)
class Recipe:
    """Every setting of a training run.

    Attributes
    ----------
    name : str
        Preset it was made from, a key of `RECIPES`; empty for none.
    network : str
        Architecture, a key of `ARCHITECTURES`.
    head : str
        One of `HEADS`.
    init : str
        Pretrained weights of the backbone: the name or folder of a model, "imagenet", a weights file, or "none".
    trainable : str
        Trainable layers, one of `TRAINABLE`. With "head", the head learns from embeddings that are computed once.
    epochs : int
        Passes over the training photos, 1 to 1000.
    head_epochs : int
        Epochs at the start that train only the head, so its random weights do not harm the backbone. The last epoch
        always trains all trainable layers.
    size : int
        Input height and width in pixels, 32 to 512.
    small_size : int
        Input height and width during the first `small_share` of the epochs; smaller is faster.
    small_share : float
        0 to 1.
    final_scale : float
        Factor by which the finished model's input is larger than `size`, 1 to 2; see `final_size`.
    batch : int
        Photos per step, 2 to 1024.
    learning_rate : float
        Peak learning rate of the head in the one-cycle schedule.
    backbone_rate : float
        Learning rate of the backbone as a share of the head's, 0 to 1.
    warmup : float
        Share of all steps before the learning rate peaks, 0 to 1.
    weight_decay : float
        0 to 1.
    label_smoothing : float
        Probability spread over the wrong classes, 0 to 0.9.
    ema_decay : float
        Decay per step of the exponential moving average (EMA) of the weights; 0 turns it off.
    class_balance_exponent : float
        A class of n photos is sampled in proportion to n ** exponent: 1 keeps the dataset's frequencies, 0 samples
        all classes equally.
    negatives_share : float
        Share of samples that are negatives, if there are any, 0 to 0.5.
    footwear_share : float
        Share of samples that show other footwear, if there are any, 0 to 0.4.
    crop : float
        Smallest share of the photo's area that a random crop keeps, 0.05 to 1.
    horizontal_flip : float
        Probability of a horizontal flip, 0 to 1.
    rotation : float
        Largest rotation in degrees.
    color_jitter : float
        Strength of random brightness, contrast, saturation and hue, 0 to 1.
    random_erasing : float
        Probability that a rectangle is erased, 0 to 1.
    trivial_augment : float
        Probability of one random TrivialAugment operation, 0 to 1.
    background_swap : float
        Probability that a photo with an even, light background gets a negative as its background, 0 to 1; only if
        there are negatives.
    mixup : float
        Probability that a batch is mixed by CutMix or mixup, 0 to 1.
    patience : int
        Stop after this many epochs without better validation accuracy; 0 never stops early.
    val_share, test_share : float
        Shares of each class's photos used for validation and test.
    seed : int
        Seed of the split, the weights and the sampling.
    """

    name: str = ""
    network: str = "mobilenet_v2"
    head: str = "default"
    init: str = "imagenet"
    trainable: str = "all"
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
    ema_decay: float = 0.998
    class_balance_exponent: float = 0.5
    negatives_share: float = 0.08
    footwear_share: float = 0.08
    crop: float = 0.4
    horizontal_flip: float = 0.5
    rotation: float = 12.0
    color_jitter: float = 0.4
    random_erasing: float = 0.2
    trivial_augment: float = 0.0
    background_swap: float = 0.0
    mixup: float = 0.0
    patience: int = 0
    val_share: float = 0.08
    test_share: float = 0.10
    seed: int = 0

    def __post_init__(self) -> None:
        for name, allowed in (("network", sorted(ARCHITECTURES)), ("trainable", TRAINABLE), ("head", HEADS)):
            if getattr(self, name) not in allowed:
                raise RecipeError(f"{name} is {getattr(self, name)!r}; choose one of: {', '.join(allowed)}.")
        for name, (lowest, highest) in RANGES.items():
            value = getattr(self, name)
            if not lowest <= value <= highest:
                raise RecipeError(f"{name} is {value}; it must be from {lowest:g} to {highest:g}.")
        self._check_size()

    def _check_size(self) -> None:
        """Some networks take one size only, or none below a minimum."""
        network = ARCHITECTURES[self.network]
        sizes = {"size": self.size, **({"small_size": self.small_size} if self.small_share else {})}
        for name, value in sizes.items():
            if network.fixed_size and value != network.size:
                raise RecipeError(f"{name} is {value}; {self.network} takes exactly {network.size} pixels.")
            if value < network.smallest:
                raise RecipeError(f"{name} is {value}; {self.network} needs at least {network.smallest} pixels.")

    @property
    def augmentation(self) -> str:
        """Augmentation strength, a key of `AUGMENTATIONS`, or "custom" if the settings match none."""
        return augmentation_strength(vars(self))

    @property
    def head_kind(self) -> str | None:
        """Head for `build_network`: None is the architecture's own."""
        return None if self.head == "default" else self.head

    def as_applied(self) -> "Recipe":
        """Recipe with only the augmentations that take effect: with "head", views are cropped and flipped only."""
        if self.trainable != "head":
            return self
        return replace(self, color_jitter=0.0, random_erasing=0.0, trivial_augment=0.0, mixup=0.0, background_swap=0.0)

    def trains_head_only(self, epoch: int) -> bool:
        """Whether an epoch, counted from 0, trains only the head."""
        return self.trainable == "head" or epoch < min(self.head_epochs, self.epochs - 1)

    def size_of(self, epoch: int) -> int:
        """Input height and width in pixels in an epoch, counted from 0."""
        return self.small_size if epoch < round(self.small_share * self.epochs) else self.size

    def preprocessing(self, size: int) -> Preprocessing:
        """Preprocessing for the network at a size, in pixels per side."""
        return ARCHITECTURES[self.network].preprocessing(size)

    @property
    def final_size(self) -> int:
        """Input height and width of the finished model, in pixels.

        Random crops are enlarged to the training size, so sneakers look larger in training than in whole photos. A
        somewhat larger input makes up for that (Touvron et al., "Fixing the train-test resolution discrepancy", 2019).
        It equals `size` if photos are not cropped, the backbone is frozen, or the network takes one size only.
        """
        if self.crop >= 1 or self.trainable == "head" or ARCHITECTURES[self.network].fixed_size:
            return self.size
        return max(self.size, round(self.size * self.final_scale / _MULTIPLE) * _MULTIPLE)

    def work(self) -> list[float]:
        """Approximate cost of each epoch, relative to one that trains all layers at full size."""
        return [
            (self.size_of(epoch) / self.size) ** 2 * (_HEAD_STEP if self._skips_backward(epoch) else 1.0)
            for epoch in range(self.epochs)
        ]

    def _skips_backward(self, epoch: int) -> bool:
        return self.trainable != "head" and self.trains_head_only(epoch)

    def changed(self, changes: Mapping[str, Any]) -> "Recipe":
        """A copy with other settings.

        Parameters
        ----------
        changes : mapping
            Setting -> value, under current or old names. Text is converted to the field's type; None values are
            ignored. "augmentation" sets all settings of that strength, before any that are given one by one. A
            different network brings its own default size and pretrained weights. Pretrained weights in place of the
            bundled model's are taken to be MobileNetV2's unless a network is given.

        Raises
        ------
        RecipeError
            There is no such setting, or a value is out of range.
        """
        given = current_fields({key: value for key, value in changes.items() if value is not None})
        strength = given.pop("augmentation", None)
        known = {field.name for field in fields(self)} - {"name"}
        unknown = sorted(given.keys() - known)
        if unknown:
            settings = ", ".join(sorted({*known, "augmentation"}))
            raise RecipeError(f"There is no setting {unknown[0]!r}. Available settings: {settings}.")
        if strength is not None and strength not in AUGMENTATIONS:
            raise RecipeError(f"augmentation is {strength!r}; choose one of: {', '.join(AUGMENTATIONS)}.")
        typed = {key: _as_type(key, value, type(getattr(self, key))) for key, value in given.items()}
        augmentation = {key: float(value) for key, value in AUGMENTATIONS[strength].items()} if strength else {}
        return replace(self, **{**_network_defaults(self, typed), **augmentation, **typed})

    def differences(self, base: "Recipe") -> dict[str, Any]:
        """Settings in which this recipe differs from another, field -> own value; the name is not compared."""
        own, other = self.to_dict(), base.to_dict()
        return {key: value for key, value in own.items() if key != "name" and value != other[key]}

    def changes_from_preset(self) -> dict[str, Any]:
        """Changes that make this recipe from its preset: ``make_recipe(self.name, changes) == self``."""
        preset = RECIPES.get(self.name, Recipe())
        # Other pretrained weights alone would mean another network.
        is_same = (self.network, self.init) == (preset.network, preset.init)
        changes = {} if is_same else {"network": self.network}
        changes |= self.differences(preset.changed(changes))
        if self.augmentation in AUGMENTATIONS and changes.keys() & set(AUGMENTATION_FIELDS):
            changes = {key: value for key, value in changes.items() if key not in AUGMENTATION_FIELDS}
            changes["augmentation"] = self.augmentation
        if changes.get("small_size") == changes.get("size"):
            changes.pop("small_size", None)  # `size` alone sets both
        return changes | self.differences(preset.changed(changes))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Recipe":
        """The recipe that `to_dict` described, under current or old field names.

        Raises
        ------
        RecipeError
            There is no such field, or a value is out of range or of the wrong type.
        """
        given = current_fields(values)
        known = {field.name: field.type for field in fields(cls)}
        unknown = sorted(given.keys() - known.keys())
        if unknown:
            raise RecipeError(f"A recipe has no field {unknown[0]!r}.")
        return cls(**{key: _as_type(key, value, type(getattr(cls, key))) for key, value in given.items()})


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
    "ema_decay": (0, 0.99999),
    "class_balance_exponent": (0, 1),
    "negatives_share": (0, 0.5),
    "footwear_share": (0, 0.4),
    "crop": (0.05, 1),
    "horizontal_flip": (0, 1),
    "rotation": (0, 180),
    "color_jitter": (0, 1),
    "random_erasing": (0, 1),
    "trivial_augment": (0, 1),
    "background_swap": (0, 1),
    "mixup": (0, 1),
    "patience": (0, 1000),
    "val_share": (0.01, 0.5),
    "test_share": (0.01, 0.5),
    "seed": (0, 2**31 - 1),
}

# The network of the bundled model, and that of pretrained weights from elsewhere if none is named.
_NETWORK, _USUAL_NETWORK = "efficientnet_lite0", "mobilenet_v2"

RECIPES: dict[str, Recipe] = {
    "quick": Recipe(
        "quick",
        _NETWORK,
        trainable="head",
        epochs=40,
        head_epochs=0,
        size=192,
        batch=64,
        learning_rate=5e-3,
        init=DEFAULT_MODEL,
    ),
    # Starts from the bundled model: it was trained on many sneakers and needs no download.
    "finetune": Recipe("finetune", _NETWORK, init=DEFAULT_MODEL),
    "scratch": Recipe("scratch", init="none", epochs=60, head_epochs=0, learning_rate=3e-3, backbone_rate=1.0),
}


def make_recipe(name: str, changes: Mapping[str, Any] | None = None) -> Recipe:
    """A preset with some of its settings changed.

    Parameters
    ----------
    name : str
        "quick", "finetune" or "scratch".
    changes : mapping, optional
        As for `Recipe.changed`.

    Raises
    ------
    RecipeError
        There is no such preset or setting, or a value is out of range.
    """
    if name not in RECIPES:
        raise RecipeError(f"There is no recipe {name!r}; choose one of: {', '.join(PRESETS)}.")
    return RECIPES[name].changed(changes or {})


def former_recipe(name: str, changes: Mapping[str, Any]) -> Recipe:
    """The recipe of an old record, which names a preset and what differs from it: presets had MobileNetV2 then."""
    return make_recipe(name, {"network": _USUAL_NETWORK, **changes})


def _network_defaults(base: Recipe, given: Mapping[str, Any]) -> dict[str, Any]:
    """Another network, and its size and pretrained weights; `size` given alone also sets `small_size`."""
    network, size = ARCHITECTURES.get(_meant_network(base, given)), given.get("size")
    defaults: dict[str, Any] = {}
    if network is not None and network.name != base.network:
        defaults["network"] = network.name
        size = size or network.size
        if base.init != "none":
            defaults["init"] = "imagenet" if network.imagenet else "none"
    return defaults if size is None else {**defaults, "size": size, "small_size": size}


def _meant_network(base: Recipe, given: Mapping[str, Any]) -> str:
    """The network named, or else the one that the pretrained weights named instead of the bundled model's are for."""
    if "network" in given or "init" not in given or base.init != DEFAULT_MODEL:
        return str(given.get("network", base.network))
    return base.network if present_name(given["init"]) == DEFAULT_MODEL else _USUAL_NETWORK


def _as_type(key: str, value: Any, wanted: type) -> Any:
    try:
        return wanted(value)
    except (TypeError, ValueError, OverflowError):
        raise RecipeError(f"{key} is {value!r}; it must be {'a number' if wanted is not str else 'text'}.") from None
