"""What to search for: classes, templates that make queries of them, and words that no result may have."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sneaker_core.errors import CollectError

MODEL = "{model}"
DEFAULT_TEMPLATES = (MODEL, f"{MODEL} for sale", f"{MODEL} on feet", f"{MODEL} outfit")
# A child's size is another shoe under the same name: other proportions, often other materials.
DEFAULT_EXCLUDED = ("kids", "toddler", "infant", "baby", "crib", "grade school", "preschool", "youth")

_LONGEST = 120
_MOST_CLASSES = 2000
_MOST_LIST_BYTES = 1_000_000
_SKU_TITLES = {"sku", "style", "style code", "style id"}
_NAME_TITLES = {"name", "model", "title"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class CollectClass:
    """A class to collect photos of.

    Attributes
    ----------
    name : str
        As it is shown and filed under; 1 to 120 characters.
    terms : str
        What stands for ``{model}`` in a query; the name when left empty.

    Raises
    ------
    CollectError
        A text is empty, too long or has control characters.
    """

    name: str
    terms: str = ""

    def __post_init__(self) -> None:
        name = _checked("class name", self.name)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "terms", _checked("search text", _plain(self.terms) or _plain(name) or name))


def clean_templates(templates: Iterable[str]) -> tuple[str, ...]:
    """Query templates as a person wrote them, checked.

    Parameters
    ----------
    templates : iterable of str
        Each with ``{model}`` where the class goes; blank ones and repeats are left out.

    Returns
    -------
    tuple of str

    Raises
    ------
    CollectError
        There is none, or one lacks ``{model}``, is too long or has other braces.
    """
    kept = _unique(" ".join(template.split()) for template in templates)
    if not kept:
        raise CollectError(f"Give at least one query template, such as “{MODEL} on feet”.")
    for template in kept:
        _checked("query template", template)
        if MODEL not in template:
            raise CollectError(f"The query template “{template}” lacks {MODEL}, which stands for the class.")
        if re.search("[{}]", template.replace(MODEL, "")):
            raise CollectError(f"The query template “{template}” has braces other than {MODEL}; take them out.")
    return kept


def clean_excluded(words: Iterable[str]) -> tuple[str, ...]:
    """Words and phrases that no result may have: without signs around them, blank ones and repeats left out.

    Raises
    ------
    CollectError
        One is too long or has control characters.
    """
    kept = _unique(_plain(word).lower() for word in words)
    return tuple(_checked("excluded word", word) for word in kept)


def queries_for(item: CollectClass, templates: Sequence[str], excluded: Sequence[str]) -> tuple[str, ...]:
    """Queries for one class, in the order of the templates.

    Parameters
    ----------
    item : CollectClass
    templates : sequence of str
        From `clean_templates`.
    excluded : sequence of str
        From `clean_excluded`. A word of the class's own terms is not excluded: nothing would be found.

    Returns
    -------
    tuple of str
        For Bing, where ``-word`` and ``-"two words"`` leave results out.
    """
    own = f" {item.terms.lower()} "
    without = [f'-"{word}"' if " " in word else f"-{word}" for word in excluded if f" {word} " not in own]
    return _unique(" ".join([template.replace(MODEL, item.terms), *without]) for template in templates)


def read_names(lines: Iterable[str]) -> tuple[CollectClass, ...]:
    """Classes from names, a line each; blank lines and repeats are left out.

    Raises
    ------
    CollectError
        A name is too long or has control characters.
    """
    return tuple(CollectClass(name) for name in _unique(" ".join(line.split()) for line in lines))


def read_skus(data: bytes) -> tuple[CollectClass, ...]:
    """Read a list of SKUs.

    Parameters
    ----------
    data : bytes
        UTF-8: a CSV file with the columns sku and name (with or without a line of titles, which may also name them
        in the other order; comma, semicolon or tab between them), or a text file with a SKU a line.

    Returns
    -------
    tuple of CollectClass
        One a SKU, repeats left out. The name is the shoe's, with the SKU behind it where several SKUs share a
        name, or the SKU alone; both are searched for.

    Raises
    ------
    CollectError
        The file is too large, is no text or holds no SKU; the message names the line that is wrong.
    """
    if len(data) > _MOST_LIST_BYTES:
        raise CollectError(f"The list of SKUs is over {_MOST_LIST_BYTES / 1e6:g} MB; give a shorter one.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CollectError("The list of SKUs is no text in UTF-8; save it as a CSV or text file.") from None
    names = _names_by_sku(text)
    if not names:
        raise CollectError("The list holds no SKU; give a line for each, “sku,name” or the SKU alone.")
    if len(names) > _MOST_CLASSES:
        raise CollectError(f"The list holds {len(names)} SKUs; give at most {_MOST_CLASSES}.")
    return tuple(_class_of(sku, name, list(names.values())) for sku, name in names.items())


def _class_of(sku: str, name: str, names: list[str]) -> CollectClass:
    shared = sum(other.casefold() == name.casefold() for other in names) > 1
    if not name:
        return CollectClass(sku)
    return CollectClass(f"{name} {sku}" if shared else name, f"{name} {sku}")


def _names_by_sku(text: str) -> dict[str, str]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=first.count)
    sku_at, name_at = 0, 1
    names: dict[str, str] = {}
    reader = csv.reader(text.splitlines(), delimiter=separator)
    try:
        for position, row in enumerate(row for row in reader if any(cell.strip() for cell in row)):
            titles = [cell.strip().lower() for cell in row]
            if position == 0 and _SKU_TITLES & set(titles):
                sku_at = next(at for at, title in enumerate(titles) if title in _SKU_TITLES)
                name_at = next((at for at, title in enumerate(titles) if title in _NAME_TITLES), len(titles))
                continue
            sku, name = (" ".join(row[at].split()) if at < len(row) else "" for at in (sku_at, name_at))
            if not sku or len(sku) > 40 or len(name) > _LONGEST - 41 or _CONTROL.search(sku + name):
                raise CollectError(f"Line {reader.line_num} of the list has no usable SKU and name.")
            names.setdefault(sku, name)
    except csv.Error:
        raise CollectError(f"Line {reader.line_num} of the list is no CSV that can be read.") from None
    return names


def _plain(text: str) -> str:
    """Text without what a search would take for its own signs: quotes, and dashes before a word or alone."""
    return " ".join(re.sub(r"(?<!\S)[-+]+", " ", re.sub('["“”]', " ", text)).split())


def _checked(what: str, text: str) -> str:
    text = " ".join(text.split())
    if not text:
        raise CollectError(f"A {what} is empty.")
    if len(text) > _LONGEST:
        raise CollectError(f"The {what} “{text[:30]}…” is over {_LONGEST} characters; shorten it.")
    if _CONTROL.search(text):
        raise CollectError(f"The {what} {text!r} has a control character in it.")
    return text


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
