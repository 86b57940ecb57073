"""The usual names of splits, alone or with a prefix or a suffix: train, training_set, seg_test, val2017."""

import re
from collections.abc import Collection

from sneaker_core.datasets.split import Split

_WORDS = {
    **dict.fromkeys(("train", "training"), Split.TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "dev"), Split.VAL),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), Split.TEST),
}
_EVALUATION = frozenset({"eval", "evaluation"})
# Words and numbers that stand beside the name of a split and don't change it.
_AROUND = re.compile(
    r"(set|sets|data|dataset|split|images?|imgs?|photos?|pictures?|folder|labels?|seg|cropped|crops?|resized|raw|\d+)"
)


def split_of_name(name: str, ignored: frozenset[str] = frozenset()) -> str | None:
    """The split that a folder, a table or a cell names; None if it names none, or something else besides.

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
    words = _words(name)
    named = {_WORDS[word] for word in words if word in _WORDS}
    others = [word for word in words if word not in _WORDS and not _AROUND.fullmatch(word) and word not in ignored]
    return named.pop().value if len(named) == 1 and not others else None


def splits_of_folders(names: Collection[str]) -> dict[str, str]:
    """The split that each of some sibling folders names; those that name none are left out.

    A word that all of them have, such as the name of the dataset, may stand beside the split. Beside a test folder, a
    folder for evaluation is for validation.
    """
    common = frozenset.intersection(*(frozenset(_words(name)) for name in names)) if len(names) > 1 else frozenset()
    found = {name: split for name in names if (split := split_of_name(name, common)) is not None}
    evaluation = {name for name in found if not _EVALUATION.isdisjoint(_words(name))}
    if any(split == Split.TEST for name, split in found.items() if name not in evaluation):
        found |= dict.fromkeys(evaluation, Split.VAL.value)
    return found


def _words(name: str) -> list[str]:
    """Words and numbers of a name, in lower case."""
    return re.findall(r"[a-z]+|\d+", name.lower())
