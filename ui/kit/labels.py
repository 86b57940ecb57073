"""What the interface calls job states, recipes, settings, findings and splits: the one vocabulary of all pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import streamlit as st

from sneaker_core.datasets.quality.findings import Kind
from sneaker_core.datasets.split import Split
from sneaker_core.evaluation.evaluation_record import Evaluation
from sneaker_core.evaluation.evaluation_record import Kind as EvaluationKind
from sneaker_core.workspace.jobs import JobState

Color = Literal["gray", "blue", "orange", "green", "red"]


@dataclass(frozen=True)
class StateLabel:
    """How a job state is shown.

    Attributes
    ----------
    word : str
    icon : str
        Material icon, as Streamlit writes it.
    color : Color
        Of a badge.
    """

    word: str
    icon: str
    color: Color


STATE_LABELS: Mapping[JobState, StateLabel] = MappingProxyType(
    {
        JobState.QUEUED: StateLabel("Queued", ":material/schedule:", "gray"),
        JobState.RUNNING: StateLabel("Running", ":material/hourglass_top:", "blue"),
        JobState.STOPPING: StateLabel("Stopping", ":material/hourglass_bottom:", "orange"),
        JobState.DONE: StateLabel("Done", ":material/check_circle:", "green"),
        JobState.STOPPED: StateLabel("Stopped", ":material/stop_circle:", "gray"),
        JobState.FAILED: StateLabel("Failed", ":material/error:", "red"),
        JobState.INTERRUPTED: StateLabel("Interrupted", ":material/sync_problem:", "orange"),
    }
)
# Of a run or an evaluation whose files can't be read.
DAMAGED = StateLabel("Damaged", ":material/heart_broken:", "red")


def draw_state_badge(state: JobState | StateLabel) -> None:
    """Draw a colored badge with a state."""
    label = state if isinstance(state, StateLabel) else STATE_LABELS[state]
    st.badge(label.word, icon=label.icon, color=label.color)


@dataclass(frozen=True)
class RecipeLabel:
    """How a training recipe is shown.

    Attributes
    ----------
    title, icon : str
    about : str
        What it does, in one sentence.
    when : str
        When to choose it.
    """

    title: str
    icon: str
    about: str
    when: str


RECIPE_LABELS: Mapping[str, RecipeLabel] = MappingProxyType(
    {
        "quick": RecipeLabel(
            "Quick",
            ":material/bolt:",
            "Keeps a pretrained network as it is and trains only its last layer on your classes.",
            "Start here: it quickly shows whether your photos are good enough.",
        ),
        "finetune": RecipeLabel(
            "Fine-tune",
            ":material/tune:",
            "Starts from a pretrained network and adapts all of it to your photos.",
            "For the best model. Networks other than the default download pretrained weights the first time.",
        ),
        "scratch": RecipeLabel(
            "From scratch",
            ":material/egg:",
            "Starts from random weights, so everything the model knows comes from your photos.",
            "For thousands of photos and plenty of time, or to watch how learning begins.",
        ),
    }
)


def recipe_title(name: str) -> str:
    """The title of a recipe; "Training" if there is no such recipe."""
    return RECIPE_LABELS[name].title if name in RECIPE_LABELS else "Training"


TRAINABLE_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "head": "Only the last layer (fastest)",
        "last_stage": "The last stage and the last layer",
        "all": "All layers (most thorough)",
    }
)

AUGMENTATION_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "none": "None: photos unchanged",
        "light": "Light: slight crops, flips and color changes",
        "standard": "Standard: crops, rotations, color changes, random erasing",
        "strong": "Strong: also mixes photos with each other",
    }
)

SPLIT_TITLES: Mapping[str, str] = MappingProxyType(
    {Split.TRAIN.value: "Training", Split.VAL.value: "Validation", Split.TEST.value: "Test"}
)
NO_SPLIT = "No split"
SPLIT_LABELS: Mapping[str, str] = MappingProxyType(
    {split: f"{title.lower()} photos" for split, title in SPLIT_TITLES.items()}
)


@dataclass(frozen=True)
class FindingLabel:
    """How a kind of finding is shown.

    Attributes
    ----------
    title : str
        For headings and buttons.
    badge : str
        Short enough for a small tile.
    about : str
        What it means and what to do, in one or two sentences.
    """

    title: str
    badge: str
    about: str


FINDING_LABELS: Mapping[Kind, FindingLabel] = MappingProxyType(
    {
        Kind.TWO_LABELS: FindingLabel(
            "In two classes",
            "two classes",
            "The same photo is in two classes, and only one can be right. Relabel or exclude the wrong ones; if you "
            "can't tell, exclude all of them.",
        ),
        Kind.WRONG_LABEL: FindingLabel(
            "Wrong class?",
            "wrong class?",
            "These look more like another class. Accept the suggestion if it is right. Keep the photos whose class is "
            "right; they won't be flagged again.",
        ),
        Kind.NOT_SNEAKER: FindingLabel(
            "Not a sneaker?",
            "not a sneaker?",
            "These don't look like sneakers: boxes, posters, people. Exclude the photos that show none.",
        ),
        Kind.NEAR_DUPLICATE: FindingLabel(
            "Near-duplicates",
            "near-duplicate",
            "The same photo several times: resized, cropped or mirrored. Keep the largest and exclude the rest.",
        ),
        Kind.OUTLIER: FindingLabel(
            "Outliers",
            "outlier",
            "These look unlike the other photos of their class. Some are just unusual and worth keeping; exclude those "
            "that don't belong.",
        ),
        Kind.BLURRY: FindingLabel(
            "Blurry",
            "blurry",
            "Nothing in these photos is sharp. Keep those where you can still recognize the sneaker: real photos are "
            "blurry sometimes, too.",
        ),
        Kind.DARK: FindingLabel(
            "Dark",
            "dark",
            "Even the brightest parts are dark. Keep those where you can still recognize the sneaker.",
        ),
        Kind.OVEREXPOSED: FindingLabel(
            "Overexposed",
            "overexposed",
            "Almost everything is white. Keep those where you can still recognize the sneaker.",
        ),
        Kind.TOO_SMALL: FindingLabel(
            "Too small",
            "too small",
            "So few pixels show little detail. Exclude those where you can't recognize the sneaker.",
        ),
        Kind.ODD_ASPECT_RATIO: FindingLabel(
            "Odd aspect ratio",
            "odd aspect ratio",
            "Very wide or very tall, like banners and collages. Exclude those that show several things.",
        ),
    }
)

# Distinguish a model, a run and an evaluation of the same name; names of evaluations have no comma.
_EVALUATION_SUFFIXES = {
    EvaluationKind.STORED: "",
    EvaluationKind.BUNDLED: ", built in",
    EvaluationKind.RUN: ", training run",
}


def evaluation_title(evaluation: Evaluation) -> str:
    """The name of an evaluation, unique among all evaluations."""
    if evaluation.installed_from:
        return f"{evaluation.name}, installed from {evaluation.installed_from}"
    return f"{evaluation.name}{_EVALUATION_SUFFIXES[evaluation.kind]}"


def run_evaluation_title(run: str) -> str:
    """The title of the evaluation of a run on its test photos."""
    return f"{run}{_EVALUATION_SUFFIXES[EvaluationKind.RUN]}"


def bundled_title(model: str) -> str:
    """The title of the evaluation that comes with a bundled model."""
    return f"{model}{_EVALUATION_SUFFIXES[EvaluationKind.BUNDLED]}"
