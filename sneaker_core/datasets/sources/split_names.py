"""The usual names of splits, alone or with a prefix or a suffix: train, training_set, seg_test, val2017, PublicTest."""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from sneaker_core.datasets.split import Split

_WORDS = MappingProxyType({
    **dict.fromkeys(("train", "training", "trn", "trainval"), Split.TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "validate", "vld", "dev", "devel", "development"), Split.VAL),
    **dict.fromkeys(("test", "testing", "tst", "eval", "evaluation", "holdout", "heldout"), Split.TEST),
})  # fmt: skip
# In a column of splits these are clear; a folder may be called so for other reasons.
_SHORT_WORDS = MappingProxyType(
    {"tr": Split.TRAIN, "va": Split.VAL, "vl": Split.VAL, "te": Split.TEST, "ts": Split.TEST}
)
_EVALUATION = frozenset({"eval", "evaluation"})
# Words and numbers that stand beside the name of a split and don't change it.
_AROUND = re.compile(
    r"(set|sets|data|dataset|split|images?|imgs?|photos?|pictures?|folder|labels?|seg|cropped|crops?|resized|raw"
    r"|public|private|\d+)"
)
_HELD_OUT = re.compile(r"h(o|e)ld[\W_]*out", re.IGNORECASE)
# "publicTest" and "PublicTest" are two words, "TEST" is one.
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
# What programs write in a column of splits where there is none.
_NO_SPLIT = frozenset({"", "-", "?", "na", "n/a", "nan", "none", "null", "unassigned"})


def split_of_name(name: str, ignored: frozenset[str] = frozenset()) -> str | None:
    """The split that a folder or a table names; None if it names none, or something else besides.

    Parameters
    ----------
    name : str
        "train", "Validation", "training_set", "seg_test" and so on. "Train shoes" names no split.
    ignored : set of str
        Further words that may stand beside the split.

    Returns
    -------
    str or None
        "train", "val" or "test".
    """
    return _split_of(name, ignored, _WORDS)


def splits_of_folders(names: Collection[str]) -> dict[str, str]:
    """The split that each of some sibling folders names; those that name none are left out.

    A word that all of them have, such as the name of the dataset, may stand beside the split. Beside a test folder, a
    folder for evaluation is for validation.
    """
    return _splits_of(names, _WORDS)


def splits_of_cells(values: Collection[str]) -> dict[str, str]:
    """The split that each value in a column of splits names, as `splits_of_folders`; also by words such as "tr"."""
    return _splits_of(values, {**_WORDS, **_SHORT_WORDS})


def states_no_split(value: str) -> bool:
    """Whether a value in a column of splits stands for none: an empty one, "NaN", "unassigned"."""
    return value.strip().lower() in _NO_SPLIT


def _splits_of(names: Collection[str], known: Mapping[str, Split]) -> dict[str, str]:
    common = frozenset.intersection(*(frozenset(_words(name)) for name in names)) if len(names) > 1 else frozenset()
    found = {name: split for name in names if (split := _split_of(name, common, known)) is not None}
    evaluation = {name for name in found if not _EVALUATION.isdisjoint(_words(name))}
    if any(split == Split.TEST for name, split in found.items() if name not in evaluation):
        found |= dict.fromkeys(evaluation, Split.VAL.value)
    return found


def _split_of(name: str, ignored: frozenset[str], known: Mapping[str, Split]) -> str | None:
    words = _words(name)
    named = {known[word] for word in words if word in known}
    others = [word for word in words if word not in known and not _AROUND.fullmatch(word) and word not in ignored]
    return named.pop().value if len(named) == 1 and not others else None


def _words(name: str) -> list[str]:
    """Words and numbers of a name, in lower case."""
    return [word.lower() for word in _WORD.findall(_HELD_OUT.sub("holdout", name))]
