"""Search queries: classes, query templates, and excluded words."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sneaker_core.errors import CollectError
from sneaker_core.workspace.clean_names import clean_name

MODEL = "{model}"
DEFAULT_TEMPLATES = (MODEL, f"{MODEL} for sale", f"{MODEL} on feet", f"{MODEL} outfit")
# Children's sizes share the name but differ in proportions and often in materials.
DEFAULT_EXCLUDED = ("kids", "toddler", "infant", "baby", "crib", "grade school", "preschool", "youth")

_LONGEST = 120
_MOST_CLASSES = 2000
_MOST_LIST_BYTES = 1_000_000
_SKU_TITLES = {"sku", "style", "style code", "style id"}
_NAME_TITLES = {"name", "model", "title"}


@dataclass(frozen=True)
class CollectClass:
    """A class to collect photos of.

    Attributes
    ----------
    name : str
        The label, 1 to 120 characters.
    terms : str
        Replacement for ``{model}`` in queries; by default, the name.

    Raises
    ------
    CollectError
        A value is empty or too long.
    """

    name: str
    terms: str = ""

    def __post_init__(self) -> None:
        name = _checked("class name", self.name)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "terms", _checked("search text", _plain(self.terms) or _plain(name) or name))


def clean_templates(templates: Iterable[str]) -> tuple[str, ...]:
    """Validate query templates.

    Parameters
    ----------
    templates : iterable of str
        Each with ``{model}`` in place of the class; blank ones and duplicates are dropped.

    Returns
    -------
    tuple of str

    Raises
    ------
    CollectError
        There are none, or one lacks ``{model}``, is too long or has other braces.
    """
    kept = _unique(map(clean_name, templates))
    if not kept:
        raise CollectError(f"Add at least one query template, such as “{MODEL} on feet”.")
    for template in kept:
        _checked("query template", template)
        if MODEL not in template:
            raise CollectError(f"The query template “{template}” needs {MODEL} in place of the class.")
        if re.search("[{}]", template.replace(MODEL, "")):
            raise CollectError(f"The query template “{template}” has braces other than {MODEL}. Remove them.")
    return kept


def clean_excluded(words: Iterable[str]) -> tuple[str, ...]:
    """Normalize excluded words and phrases; blank ones and duplicates are dropped.

    Raises
    ------
    CollectError
        One is too long.
    """
    kept = _unique(_plain(word).lower() for word in words)
    return tuple(_checked("excluded word", word) for word in kept)


def queries_for(item: CollectClass, templates: Sequence[str], excluded: Sequence[str]) -> tuple[str, ...]:
    """Return the queries for one class, in the order of the templates.

    Parameters
    ----------
    item : CollectClass
    templates : sequence of str
        From `clean_templates`.
    excluded : sequence of str
        From `clean_excluded`. Words in the class's own search terms are not excluded: nothing would be found.

    Returns
    -------
    tuple of str
        For Bing, where ``-word`` and ``-"two words"`` exclude results.
    """
    own = f" {item.terms.lower()} "
    without = [f'-"{word}"' if " " in word else f"-{word}" for word in excluded if f" {word} " not in own]
    return _unique(" ".join([template.replace(MODEL, item.terms), *without]) for template in templates)


def read_names(lines: Iterable[str]) -> tuple[CollectClass, ...]:
    """Make classes from names, one per line; blank lines and duplicates are dropped.

    Raises
    ------
    CollectError
        A name is too long.
    """
    return tuple(CollectClass(name) for name in _unique(map(clean_name, lines)))


def read_skus(data: bytes) -> tuple[CollectClass, ...]:
    """Read a list of SKUs.

    Parameters
    ----------
    data : bytes
        UTF-8 text: a CSV file with the columns sku and name, separated by commas, semicolons or tabs (a header is
        optional and may swap the columns), or one SKU per line.

    Returns
    -------
    tuple of CollectClass
        One per distinct SKU. Its name is the shoe's name, followed by the SKU if several SKUs share the name, or the
        SKU alone. Searches use both.

    Raises
    ------
    CollectError
        The file is too large, is not text or has no SKU; the message names the invalid line.
    """
    if len(data) > _MOST_LIST_BYTES:
        raise CollectError(f"The list of SKUs is larger than {_MOST_LIST_BYTES / 1e6:g} MB. Choose a shorter one.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CollectError("The list of SKUs isn't UTF-8 text. Save it as a CSV or text file.") from None
    names = _names_by_sku(text)
    if not names:
        raise CollectError("The list has no SKUs. Write one per line: “sku,name” or the SKU alone.")
    if len(names) > _MOST_CLASSES:
        raise CollectError(f"The list has {len(names):,} SKUs; the limit is {_MOST_CLASSES:,}.")
    return tuple(_class_of(sku, name, list(names.values())) for sku, name in names.items())


def _class_of(sku: str, name: str, names: list[str]) -> CollectClass:
    shared = sum(other.casefold() == name.casefold() for other in names) > 1
    if not name:
        return CollectClass(sku)
    return CollectClass(f"{name} {sku}" if shared else name, f"{name} {sku}")


def _names_by_sku(text: str) -> dict[str, str]:
    lines = list(io.StringIO(text, newline=None))  # str.splitlines would also break a line within a name
    first = next((line for line in lines if line.strip()), "")
    separator = max(",;\t", key=first.count)
    sku_at, name_at = 0, 1
    names: dict[str, str] = {}
    reader = csv.reader(lines, delimiter=separator)
    try:
        for position, row in enumerate(row for row in reader if any(cell.strip() for cell in row)):
            titles = [cell.strip().lower() for cell in row]
            if position == 0 and _SKU_TITLES & set(titles):
                sku_at = next(at for at, title in enumerate(titles) if title in _SKU_TITLES)
                name_at = next((at for at, title in enumerate(titles) if title in _NAME_TITLES), len(titles))
                continue
            sku, name = (clean_name(row[at]) if at < len(row) else "" for at in (sku_at, name_at))
            if not sku or len(sku) > 40 or len(name) > _LONGEST - 41 or "\0" in "".join(row):
                raise CollectError(f"Line {reader.line_num} of the list has no valid SKU and name.")
            names.setdefault(sku, name)
    except csv.Error:
        raise CollectError(f"Line {reader.line_num} of the list isn't valid CSV.") from None
    return names


def _plain(text: str) -> str:
    """Remove search operators: quotes, and dashes and plus signs before a word or alone."""
    return " ".join(re.sub(r"(?<!\S)[-+]+", " ", re.sub('["“”]', " ", text)).split())


def _checked(what: str, text: str) -> str:
    text = clean_name(text)
    if not text:
        raise CollectError(f"The {what} is empty.")
    if len(text) > _LONGEST:
        raise CollectError(f"The {what} “{text[:30]}…” is longer than {_LONGEST} characters. Shorten it.")
    return text


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
