"""Names as people write them: of classes, datasets, runs, evaluations, studies and worlds.

`clean_name` is applied wherever a name comes in: what nobody can see makes no difference between two names. Names that
differ in ways that are easily overlooked are never taken for each other silently; `near_names` finds them, so that
they can be offered.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

# Letters and symbols that show as empty space: the fillers of Hangul, and the braille cell without dots.
_BLANKS = str.maketrans(dict.fromkeys("\u115f\u1160\u2800\u3164\uffa0", " "))
# A surrogate is half a character, or a byte that isn't text; it can't be stored.
_REPLACEMENTS = {"Cf": "", "Cc": "", "Cs": "\ufffd"}
# Separators: underscores and dashes by category, spaces, and the dashes that Unicode files elsewhere.
_SEPARATING = ("Pc", "Pd", "Zs")
_OTHER_DASHES = "\u02d7\u2043\u2212"
# Marks that only choose how the character before them is drawn, such as in color.
_INVISIBLE_MARKS = re.compile("[\u034f\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_BETWEEN_DIGITS = re.compile(r"(?<=\d) (?=\d)")


@lru_cache(maxsize=65536)
def clean_name(text: str) -> str:
    """A name without differences that nobody can see.

    Parameters
    ----------
    text : str
        A name from outside: of a folder, in a table, typed, or in a link.

    Returns
    -------
    str
        Composed (NFC); spaces, tabs and line breaks of every kind are one space, and none at the ends; without control
        and format characters (zero-width, bidirectional, byte order mark). Joiners go too, though they shape emoji and
        some scripts: a name stays readable without them, and else two names could look the same. May be empty.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    spaced = " ".join(text.translate(_BLANKS).split())
    seen = "".join(_REPLACEMENTS.get(unicodedata.category(char), char) for char in spaced)
    # Dropped characters may have kept spaces, or a letter and its accent, apart.
    return unicodedata.normalize("NFC", " ".join(seen.split()))


def clean_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names in an old record, cleaned; as they are if two would become one or one would vanish."""
    cleaned = tuple(map(clean_name, names))
    return cleaned if all(cleaned) and len(set(cleaned)) == len(names) else tuple(names)


@lru_cache(maxsize=65536)
def name_key(name: str) -> str:
    """A key that names share if they differ only in case, underscores, hyphens or spaces.

    Separators between digits count, but not which: "990 5" and "990-5" are alike, "9905" is another shoe.
    """
    # Folding the case can undo the composition, and the other way round.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", clean_name(name)).casefold())
    visible = clean_name(_INVISIBLE_MARKS.sub("", folded))
    spaced = "".join(" " if _separates(char) else char for char in visible)
    joined = _BETWEEN_DIGITS.sub("_", " ".join(spaced.split()))
    return unicodedata.normalize("NFC", joined.replace(" ", ""))


def _separates(char: str) -> bool:
    return char in _OTHER_DASHES or unicodedata.category(char) in _SEPARATING


def near_names(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Known names that unknown ones may be meant for.

    Parameters
    ----------
    names, known : iterable of str

    Returns
    -------
    dict of str to str
        Name that is not known -> the only known one with the same `name_key`; names without exactly one are left out.
    """
    there = list(dict.fromkeys(known))
    by_key: dict[str, list[str]] = {}
    for name in there:
        by_key.setdefault(name_key(name), []).append(name)
    unknown = (name for name in dict.fromkeys(names) if name not in there)
    return {name: found[0] for name in unknown if len(found := by_key.get(name_key(name), [])) == 1}


def near_names_text(near: dict[str, str]) -> str:
    """The result of `near_names` as a question: "air_jordan_1 -> Air Jordan 1?"."""
    return f"{', '.join(f'{name} -> {known}' for name, known in near.items())}?" if near else ""


def did_you_mean(names: Iterable[str], known: Iterable[str]) -> str:
    """A sentence that follows an error about unknown names, with a space before it; empty if none is near."""
    text = near_names_text(near_names(names, known))
    return f" Did you mean {text}" if text else ""
