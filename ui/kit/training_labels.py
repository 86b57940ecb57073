"""Old names of `ui.kit.labels` and `ui.kit.run_text`, until every page uses the new ones."""

from ui.kit.labels import AUGMENTATION_LABELS as AUGMENTATION_WORDS
from ui.kit.labels import RECIPE_LABELS as RECIPE_WORDS
from ui.kit.labels import STATE_LABELS, recipe_title
from ui.kit.labels import TRAINABLE_LABELS as PART_WORDS
from ui.kit.run_text import other_trainings_text as others_at_work
from ui.kit.run_text import queue_text as waiting_words
from ui.kit.run_text import run_end_text as end_words
from ui.kit.run_text import split_counts_text as photos_words

__all__ = [
    "AUGMENTATION_WORDS",
    "PART_WORDS",
    "RECIPE_WORDS",
    "STATE_BADGES",
    "STATE_WORDS",
    "end_words",
    "others_at_work",
    "photos_words",
    "recipe_title",
    "waiting_words",
]

STATE_WORDS = {state: label.word for state, label in STATE_LABELS.items()}
STATE_BADGES = {state: (label.color, label.icon) for state, label in STATE_LABELS.items()}
