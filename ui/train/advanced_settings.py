"""Advanced settings of a recipe, each with an explanation."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st

from sneaker_core.datasets.index import Dataset
from sneaker_core.errors import RecipeError, SneakerError
from sneaker_core.networks.architectures import ARCHITECTURES
from sneaker_core.networks.model_registry import list_models
from sneaker_core.networks.trainable_layers import TRAINABLE
from sneaker_core.training.planning.lr_finder_job import lr_finder_params
from sneaker_core.training.recipe import Recipe, make_recipe
from sneaker_core.training.recipe_fields import AUGMENTATIONS
from sneaker_core.workspace.paths import workspace
from ui.kit import dataset_cache
from ui.kit.changes import server_path_input
from ui.kit.labels import AUGMENTATION_LABELS, TRAINABLE_LABELS
from ui.kit.text import escape_markdown, truncate_middle
from ui.train import training_cache
from ui.train.lr_finder_view import applied_rate, draw_lr_finder
from ui.train.train_keys import Key

_IMAGENET, _NOTHING, _FILE = "imagenet", "none", ""
_INIT_WORDS = {
    _IMAGENET: "ImageNet: general-purpose weights, downloaded once",
    _NOTHING: "None: random weights",
    _FILE: "A weights file on this computer",
}


@dataclass(frozen=True)
class Choices:
    """Settings of a training.

    Attributes
    ----------
    preset : str
    recipe : Recipe or None
        None if its settings are invalid.
    negatives : Path or None
        Folder of photos that show no sneaker.
    error : str or None
        Why a setting is invalid, in one sentence.
    """

    preset: str
    recipe: Recipe | None
    negatives: Path | None = None
    error: str | None = None


def choose_advanced(name: str, source: str, dataset: Dataset, only: tuple[str, ...]) -> Choices:
    """Draw the advanced settings behind a switch; while it is off, the preset is used unchanged.

    Parameters
    ----------
    name : str
        Name of the preset.
    source : str
        Name of the dataset.
    dataset : Dataset
    only : tuple of str
        Classes to use; empty for all.
    """
    if not st.toggle(
        "Advanced",
        key=Key.TRAIN_ADVANCED,
        persist_state="session",
        help="Change any setting of the recipe. When off, the recipe is used unchanged.",
    ):
        return Choices(name, make_recipe(name))
    form = _Form(name)
    network = form.network()
    wanted: dict[str, Any] = {"network": network, "init": form.init(network)}
    wanted |= form.sizes(network)
    wanted |= form.optimizer()
    rate_place = st.container()
    wanted |= form.augmentation()
    wanted |= form.regularization()
    negatives, error_text = form.negatives()
    changes = _changed(name, wanted)
    try:
        chosen = make_recipe(name, changes)
    except RecipeError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return Choices(name, None, negatives, str(error))
    with rate_place:
        params = lr_finder_params(workspace(), source, chosen, only, negatives)
        draw_lr_finder(params, chosen.learning_rate, name)
    if wanted["init"] == _FILE:
        error_text = "Enter the path of a weights file."
    _draw_preview(chosen, dataset, only)
    if error_text:
        st.error(escape_markdown(error_text), icon=":material/error:")
    return Choices(name, chosen, negatives, error_text)


def _changed(name: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that differ from the preset with the wanted network."""
    network = {"network": wanted["network"]}
    base = make_recipe(name, network)
    usual = {**base.to_dict(), "augmentation": base.augmentation}
    changes = {key: value for key, value in wanted.items() if value is not None and value != usual[key]}
    # Other pretrained weights alone would mean another network.
    return {**network, **changes} if "init" in changes or base.network != make_recipe(name).network else changes


class _Form:
    """The widgets; each preset has its own, so it comes with its own defaults."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.base = make_recipe(name)

    def key(self, key: Key, item: str = "") -> str:
        return key.of(f"{self.name}-{item}" if item else self.name)

    def network(self) -> str:
        networks = list(ARCHITECTURES)
        with st.grid(2, min_column_width=280):
            chosen = st.selectbox(
                "Network",
                networks,
                index=networks.index(self.base.network),
                format_func=lambda name: ARCHITECTURES[name].title,
                key=self.key(Key.TRAIN_NETWORK),
                persist_state="session",
                help="Architecture of the neural network.",
            )
            with st.container(height="stretch", vertical_alignment="bottom"):
                st.caption(ARCHITECTURES[chosen].about)
        return str(chosen)

    def init(self, network: str) -> str:
        """Pretrained weights; empty while the path of a file is missing."""
        models = [entry.name for entry in list_models(workspace()) if entry.spec.network == network]
        general = [_IMAGENET] if ARCHITECTURES[network].imagenet else []
        options = [*models, *general, _NOTHING, _FILE]
        usual = next(init for init in (self.base.init, _IMAGENET, _NOTHING) if init in options)
        with st.grid(2, min_column_width=280):
            chosen = st.selectbox(
                "Pretrained weights",
                options,
                index=options.index(usual),
                format_func=lambda init: _INIT_WORDS.get(init, f"Model {init}"),
                key=self.key(Key.TRAIN_INIT, network),
                persist_state="session",
                help="What the network has learned before. Models with the same network are listed, too.",
            )
            trainable = self._trainable()
            if chosen == _FILE:
                chosen = server_path_input(
                    "Weights file",
                    key=self.key(Key.TRAIN_INIT_FILE, network),
                    persist_state="session",
                    placeholder="/home/me/mobilenet_v2.safetensors",
                    help="A .safetensors or .pth file in torchvision's format, on the computer that runs SoleScope.",
                )
        self.trainable = trainable
        return str(chosen)

    def _trainable(self) -> str:
        return str(
            st.selectbox(
                "Trainable layers",
                TRAINABLE,
                index=TRAINABLE.index(self.base.trainable),
                format_func=lambda trainable: TRAINABLE_LABELS[trainable],
                key=self.key(Key.TRAIN_TRAINABLE),
                persist_state="session",
                help="All other layers are frozen. Fewer trainable layers need less time and fewer photos.",
            )
        )

    def sizes(self, network: str) -> dict[str, Any]:
        usual = make_recipe(self.name, {"network": network} if network != self.base.network else {}).size
        with st.grid(3, min_column_width=180):
            size = self._number(
                "Photo size in pixels", Key.TRAIN_SIZE, usual, 32, "Width and height of the network's input. "
                "Doubling it takes about four times as long.", item=network
            )  # fmt: skip
            epochs = self._number(
                "Epochs", Key.TRAIN_EPOCHS, self.base.epochs, 1, "Passes over all training photos."
            )  # fmt: skip
            batch = self._number(
                "Batch size", Key.TRAIN_BATCH, self.base.batch, 8, "Photos per training step. A smaller batch needs "
                "less memory."
            )  # fmt: skip
        return {"size": size, "epochs": epochs, "batch": batch, "trainable": self.trainable}

    def optimizer(self) -> dict[str, Any]:
        turn, usual = applied_rate(self.name) or (0, self.base.learning_rate)
        with st.grid(2, min_column_width=240):
            rate = st.number_input(
                "Learning rate",
                value=usual,
                step=0.0005,
                format="%g",
                key=self.key(Key.TRAIN_RATE, str(turn)),
                persist_state="session",
                help="Size of each training step: too low learns slowly, too high makes training unstable.",
            )
            decay = self._share(
                "Weight decay", Key.TRAIN_DECAY, self.base.weight_decay, "Shrinks the weights a little at each step, "
                "which reduces overfitting."
            )  # fmt: skip
        return {"learning_rate": rate, "weight_decay": decay}

    def augmentation(self) -> dict[str, Any]:
        words = list(AUGMENTATIONS)
        chosen = st.selectbox(
            "Augmentation",
            words,
            index=words.index(self.base.augmentation),
            format_func=lambda word: AUGMENTATION_LABELS[word],
            key=self.key(Key.TRAIN_AUGMENTATION),
            persist_state="session",
            help="Random changes to training photos, which reduce overfitting.",
        )
        return {"augmentation": chosen}

    def regularization(self) -> dict[str, Any]:
        with st.grid(3, min_column_width=200):
            oversampling = st.slider(
                "Oversample rare classes",
                0.0,
                1.0,
                1 - self.base.class_balance_exponent,
                0.1,
                key=self.key(Key.TRAIN_OVERSAMPLING),
                persist_state="session",
                help="0 uses all photos equally often; 1 uses all classes equally often, however rare.",
            )
            smoothing = self._share(
                "Label smoothing", Key.TRAIN_SMOOTHING, self.base.label_smoothing, "Share of probability spread over "
                "the other classes. Helps if some labels are wrong."
            )  # fmt: skip
            patience = self._number(
                "Early stopping (epochs)", Key.TRAIN_PATIENCE, self.base.patience, 1, "Stop after this many epochs "
                "without better validation accuracy; 0 never stops early."
            )  # fmt: skip
            seed = self._number(
                "Seed", Key.TRAIN_SEED, self.base.seed, 1, "Random seed. The same seed gives the same result."
            )
            with st.container(height="stretch", vertical_alignment="bottom"):
                averaging = st.toggle(
                    "Average the weights (EMA)",
                    self.base.ema_decay > 0,
                    key=self.key(Key.TRAIN_AVERAGING),
                    persist_state="session",
                    help="Use an exponential moving average of the weights: usually a little more accurate.",
                )
        exponent, usual = round(1 - oversampling, 2), self.base.class_balance_exponent
        return {
            "class_balance_exponent": usual if abs(exponent - usual) < 1e-6 else exponent,
            "label_smoothing": smoothing,
            "patience": patience,
            "seed": seed,
            "ema_decay": (self.base.ema_decay or Recipe.ema_decay) if averaging else 0.0,
        }

    def negatives(self) -> tuple[Path | None, str | None]:
        """The folder of negatives, and why it can't be used."""
        path = server_path_input(
            "Negatives",
            key=self.key(Key.TRAIN_NEGATIVES),
            persist_state="session",
            placeholder="/home/me/not-sneakers",
            help="A folder of photos that show no sneaker, on the computer that runs SoleScope. With them the model "
            "learns to answer “not a sneaker I know”. Photos in other_footwear/<type>/ teach it other shoes, such as "
            "loafers. Optional.",
        )
        if not path:
            return None, None
        try:
            exists = Path(path).is_absolute() and Path(path).is_dir()
        except (OSError, ValueError):
            exists = False
        if exists:
            return Path(path), None
        return (
            None,
            f"Can't find the folder {truncate_middle(path)!r}. Enter its full path, or leave the field empty.",
        )

    def _number(self, label: str, key: Key, value: int, step: int, about: str, item: str = "") -> int | None:
        # No limits here: the recipe checks them.
        return st.number_input(
            label, value=value, step=step, key=self.key(key, item), persist_state="session", help=about
        )

    def _share(self, label: str, key: Key, value: float, about: str) -> float | None:
        return st.number_input(
            label, value=value, step=0.01, format="%.3f", key=self.key(key), persist_state="session", help=about
        )


def _draw_preview(chosen: Recipe, dataset: Dataset, only: tuple[str, ...]) -> None:
    if not st.toggle("Preview augmentation", key=Key.TRAIN_PREVIEW):
        return
    # Only these settings affect the preview, so it stays cached when others change.
    looks = replace(Recipe(), **{key: getattr(chosen, key) for key in ("size", "small_size", *AUGMENTATIONS["none"])})
    try:
        with st.spinner("Augmenting photos…"):
            sheet = training_cache.augmentation_sheet(dataset_cache.review_key(dataset), only, looks, workspace())
    except SneakerError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    st.image(sheet, width=760, alt="Three photos, each followed by four augmented variants")
    st.caption("Left: the original photo. Right: variants used in training.")
