"""Every setting of a recipe that a person may want to change, with what it means."""

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
from ui.kit.text import plain, shortened
from ui.kit.training_labels import AUGMENTATION_WORDS, PART_WORDS
from ui.train import training_cache
from ui.train.lr_finder_view import draw_rates, taken_rate
from ui.train.train_keys import Key

_IMAGENET, _NOTHING, _FILE = "imagenet", "none", ""
_INIT_WORDS = {
    _IMAGENET: "ImageNet: general weights, fetched from the web once",
    _NOTHING: "Nothing: random weights",
    _FILE: "A file of weights on this computer",
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
    """The settings of a recipe, behind a switch: while it is off, the recipe is taken as it is.

    Parameters
    ----------
    name : str
        Of the recipe.
    source : str
        The dataset's name as commands take it.
    dataset : Dataset
    only : tuple of str
        Classes that are used; all when empty.
    """
    if not st.toggle(
        "Advanced",
        key=Key.TRAIN_ADVANCED,
        persist_state="session",
        help="Every setting of the recipe. Switched off, the recipe is taken as it is.",
    ):
        return Choices(name, make_recipe(name))
    form = _Form(name)
    network = form.network()
    wanted: dict[str, Any] = {"network": network, "init": form.init(network)}
    wanted |= form.sizes(network)
    wanted |= form.steps()
    rate_place = st.container()
    wanted |= form.looks()
    wanted |= form.care()
    negatives, trouble = form.negatives()
    changes = _changed(name, wanted)
    try:
        chosen = make_recipe(name, changes)
    except RecipeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return Choices(name, None, negatives, str(error))
    with rate_place:
        params = lr_finder_params(workspace(), source, chosen, only, negatives)
        draw_rates(params, chosen.learning_rate, name)
    if wanted["init"] == _FILE:
        trouble = "Say which file of weights to start from."
    _draw_preview(chosen, dataset, only)
    if trouble:
        st.error(plain(trouble), icon=":material/error:")
    return Choices(name, chosen, negatives, trouble)


def _changed(name: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Those settings that are others than the recipe's, as it is for the network that is wanted."""
    base, changes = make_recipe(name), {}
    if wanted["network"] != base.network:
        changes["network"] = wanted["network"]
        base = make_recipe(name, changes)
    usual = {**base.to_dict(), "augmentation": base.augmentation}
    return {**changes, **{key: value for key, value in wanted.items() if value is not None and value != usual[key]}}


class _Form:
    """The widgets; each recipe has its own, so that another recipe comes with its own settings."""

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
                help="How the program that learns is built.",
            )
            with st.container(height="stretch", vertical_alignment="bottom"):
                st.caption(ARCHITECTURES[chosen].about)
        return str(chosen)

    def init(self, network: str) -> str:
        """What it starts from; empty while a file is still to be named."""
        models = [entry.name for entry in list_models(workspace()) if entry.spec.network == network]
        general = [_IMAGENET] if ARCHITECTURES[network].imagenet else []
        options = [*models, *general, _NOTHING, _FILE]
        usual = next(init for init in (self.base.init, _IMAGENET, _NOTHING) if init in options)
        with st.grid(2, min_column_width=280):
            chosen = st.selectbox(
                "Start from",
                options,
                index=options.index(usual),
                format_func=lambda init: _INIT_WORDS.get(init, f"The model {init}"),
                key=self.key(Key.TRAIN_INIT, network),
                persist_state="session",
                help="What the network knows before it sees your photos. Models of the same network can serve.",
            )
            part = self._part()
            if chosen == _FILE:
                path = st.text_input(
                    "File of weights",
                    key=self.key(Key.TRAIN_INIT_FILE, network),
                    persist_state="session",
                    placeholder="/home/me/mobilenet_v2.safetensors",
                    help="A .safetensors or .pth file with torchvision's names, on the computer of SoleScope.",
                )
                chosen = (path or "").strip()
        self.part = part
        return str(chosen)

    def _part(self) -> str:
        return str(
            st.selectbox(
                "What learns",
                TRAINABLE,
                index=TRAINABLE.index(self.base.trainable),
                format_func=lambda part: PART_WORDS[part],
                key=self.key(Key.TRAIN_PART),
                persist_state="session",
                help="The rest of the network stays as it was. The less learns, the faster, and the fewer photos do.",
            )
        )

    def sizes(self, network: str) -> dict[str, Any]:
        usual = make_recipe(self.name, {"network": network} if network != self.base.network else {}).size
        with st.grid(3, min_column_width=180):
            size = self._number(
                "Size in pixels", Key.TRAIN_SIZE, usual, 32, "Height and width that the network sees. More shows "
                "more, and takes time by its square.", item=network
            )  # fmt: skip
            epochs = self._number(
                "Epochs", Key.TRAIN_EPOCHS, self.base.epochs, 1, "Passes over all training photos."
            )  # fmt: skip
            batch = self._number(
                "Photos a step (batch)", Key.TRAIN_BATCH, self.base.batch, 8, "How many photos one correction is "
                "based on. Less needs less memory."
            )  # fmt: skip
        return {"size": size, "epochs": epochs, "batch": batch, "trainable": self.part}

    def steps(self) -> dict[str, Any]:
        turn, usual = taken_rate(self.name) or (0, self.base.learning_rate)
        with st.grid(2, min_column_width=240):
            rate = st.number_input(
                "Learning rate",
                value=usual,
                step=0.0005,
                format="%g",
                key=self.key(Key.TRAIN_RATE, str(turn)),
                persist_state="session",
                help="How large each correction is: too small learns slowly, too large forgets what it knew.",
            )
            decay = self._share(
                "Weight decay", Key.TRAIN_DECAY, self.base.weight_decay, "Pulls weights towards nothing, a little at "
                "each step, against learning by heart."
            )  # fmt: skip
        return {"learning_rate": rate, "weight_decay": decay}

    def looks(self) -> dict[str, Any]:
        words = list(AUGMENTATIONS)
        chosen = st.selectbox(
            "Changes to photos (augmentation)",
            words,
            index=words.index(self.base.augmentation),
            format_func=lambda word: AUGMENTATION_WORDS[word],
            key=self.key(Key.TRAIN_AUGMENTATION),
            persist_state="session",
            help="Each time a photo is shown it looks a little different, so that it cannot be learned by heart.",
        )
        return {"augmentation": chosen}

    def care(self) -> dict[str, Any]:
        with st.grid(3, min_column_width=200):
            drawn_up = st.slider(
                "Rare classes drawn up",
                0.0,
                1.0,
                1 - self.base.class_balance_exponent,
                0.1,
                key=self.key(Key.TRAIN_RARE),
                persist_state="session",
                help="0 shows photos as often as they come; 1 shows all classes equally often, however rare.",
            )
            smoothing = self._share(
                "Label smoothing", Key.TRAIN_SMOOTHING, self.base.label_smoothing, "How much doubt is taught along "
                "with each label. Helps where some labels are wrong."
            )  # fmt: skip
            patience = self._number(
                "Stop early after", Key.TRAIN_PATIENCE, self.base.patience, 1, "Epochs without getting better on the "
                "validation photos; 0 never stops early."
            )  # fmt: skip
            seed = self._number(
                "Seed", Key.TRAIN_SEED, self.base.seed, 1, "The same seed gives the same run; another one, other luck."
            )
            with st.container(height="stretch", vertical_alignment="bottom"):
                averaging = st.toggle(
                    "Average the weights",
                    self.base.ema_decay > 0,
                    key=self.key(Key.TRAIN_AVERAGING),
                    persist_state="session",
                    help="The model is a mean over the last steps: steadier, and usually a little better.",
                )
        exponent, usual = round(1 - drawn_up, 2), self.base.class_balance_exponent
        return {
            "class_balance_exponent": usual if abs(exponent - usual) < 1e-6 else exponent,
            "label_smoothing": smoothing,
            "patience": patience,
            "seed": seed,
            "ema_decay": (self.base.ema_decay or Recipe.ema_decay) if averaging else 0.0,
        }

    def negatives(self) -> tuple[Path | None, str | None]:
        """The folder with photos of other things, and what is wrong with it."""
        text = st.text_input(
            "Photos of other things",
            key=self.key(Key.TRAIN_OTHERS),
            persist_state="session",
            placeholder="/home/me/not-sneakers",
            help="A folder, on the computer that SoleScope runs on, with photos of anything but sneakers. With them "
            "the model learns to say “not a sneaker I know”. Leave it empty to do without.",
        )
        path = (text or "").strip()
        if not path:
            return None, None
        try:
            there = Path(path).is_absolute() and Path(path).is_dir()
        except (OSError, ValueError):
            there = False
        if there:
            return Path(path), None
        return None, f"There is no folder {shortened(path)!r} on this computer; give its whole path, or leave it empty."

    def _number(self, label: str, key: Key, value: int, step: int, about: str, item: str = "") -> int | None:
        # Without limits of their own: a recipe says what is allowed, in one place.
        return st.number_input(
            label, value=value, step=step, key=self.key(key, item), persist_state="session", help=about
        )

    def _share(self, label: str, key: Key, value: float, about: str) -> float | None:
        return st.number_input(
            label, value=value, step=0.01, format="%.3f", key=self.key(key), persist_state="session", help=about
        )


def _draw_preview(chosen: Recipe, dataset: Dataset, only: tuple[str, ...]) -> None:
    if not st.toggle("Show what happens to photos", key=Key.TRAIN_PREVIEW):
        return
    # The start and the length of a training do not show on its photos.
    looks = replace(Recipe(), **{key: getattr(chosen, key) for key in ("size", "small_size", *AUGMENTATIONS["none"])})
    try:
        with st.spinner("Changing some photos…"):
            sheet = training_cache.augmentation_sheet(dataset_cache.review_key(dataset), only, looks, workspace())
    except SneakerError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.image(sheet, width=760, alt="Three photos, each as it is and then in four versions that training shows")
    st.caption("Left: the photo as it is. The others: how one epoch or the next shows it to the network.")
