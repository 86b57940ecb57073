"""The catalog: complete, well formed, and found by any spelling of a class's name."""

import json
import re
import shutil
from collections import Counter
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from sneaker_core.__main__ import main
from sneaker_core.catalog.entries import ShoeCategory, ShoeType, Sneaker
from sneaker_core.catalog.lookup import find_entry, read_catalog, search_link
from sneaker_core.catalog.search import search
from sneaker_core.datasets.synthetic.sample_plan import CLASSES
from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.class_results import bundled_results
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.workspace.paths import BUNDLED_MODELS, CATALOG, MODEL_FILE

SHOE_TYPES = {
    "athletic": "basketball, ballet flats, climbing, golf, high-tops, ice skates, running, soccer",
    "boots": "ankle boots, army, Chelsea, cowboy, hiking, knee-high, mid-calf, Uggs, Wellington",
    "casual": "boat shoes, Chuck Taylor, clogs, flip-flop, Old Skool, sandal, slippers, sneakers, moccasin, mule",
    "dress": "brogue, derby, dress shoe, loafer, oxford",
    "heels": "cone, court, high, kitten, laced booties, Lita, Mary Jane platforms, platform, wedges",
}
BRITISH = re.compile(r"\b(colour|grey|mould|centre|tyre|fibre|favour|cosy|jewell|aluminium)", re.IGNORECASE)

SNEAKERS = read_catalog().sneakers
TYPES = read_catalog().shoe_types


def prose(entry: Sneaker | ShoeType) -> dict[str, str]:
    """Field -> text, of all that the entry says in sentences."""
    if isinstance(entry, ShoeType):
        return {"pros": entry.pros, "cons": entry.cons, "distinction": entry.distinction}
    marks = {f"mark {number}": mark for number, mark in enumerate(entry.marks, 1)}
    note = {"note": entry.note} if entry.note else {}
    return {**marks, "strengths": entry.strengths, "weaknesses": entry.weaknesses, **note}


def test_all_that_the_bundled_model_can_name_has_an_entry():
    model = json.loads((BUNDLED_MODELS / DEFAULT_MODEL / MODEL_FILE).read_text(encoding="utf-8"))
    assert sorted(sneaker.name for sneaker in SNEAKERS) == sorted(model["classes"])
    assert [name for name in model["footwear_types"] if not isinstance(find_entry(name), ShoeType)] == []


def test_the_shoe_types_are_complete_in_five_categories():
    assert set(SHOE_TYPES) == set(ShoeCategory)
    found = {name: find_entry(name) for names in SHOE_TYPES.values() for name in names.split(", ")}
    assert [name for name, entry in found.items() if not isinstance(entry, ShoeType)] == []
    assert Counter(entry.name for entry in found.values()) == Counter(entry.name for entry in TYPES)
    for category, names in SHOE_TYPES.items():
        assert {found[name].category for name in names.split(", ")} == {category}


def slips(field: str, text: str) -> list[str]:
    """What is wrong with the form of a text of the catalog."""
    most = 90 if field.startswith("mark") else 110
    wrong = {
        f"{len(text)} characters, not {most}": len(text) > most,
        "spaces": text != " ".join(text.split()),
        "typographic quotes, three dots or a hyphen for a dash": re.search("[“”‘’]|\\.\\.\\.|--| - ", text),
        "British spelling": BRITISH.search(text),
        "a period": text.endswith(".") != (field == "note"),
        "a small first letter": text[0].islower() and not text.startswith("adidas"),
    }
    return [problem for problem, found in wrong.items() if found]


def test_texts_are_short_and_in_the_house_style():
    texts = {(entry.name, field): text for entry in (*SNEAKERS, *TYPES) for field, text in prose(entry).items()}
    assert {place: wrong for place, text in texts.items() if (wrong := slips(place[1], text))} == {}


def test_slips_of_style_are_seen():
    good = 'Gray suede, no "N"'
    assert slips("mark 1", good) == [] == slips("note", f"{good}.")
    bad = [
        "x" * 91,
        "Two  spaces",
        "“Quoted”",
        "Then...",
        "One - two",
        "Grey suede",
        "A moulded sole",
        "Ends.",
        "small",
    ]
    assert [text for text in bad if not slips("mark 1", text)] == []


def test_facts_of_sneakers_are_plausible_and_have_sources():
    names = {sneaker.name for sneaker in SNEAKERS}
    for sneaker in SNEAKERS:
        assert sneaker.year is None or 1900 <= sneaker.year <= 2026, sneaker.name
        assert all(len(name.split()) > 1 for name in sneaker.designers), sneaker.name
        assert len(set(sneaker.sources)) == len(sneaker.sources) > 0, sneaker.name
        assert not any("http" in source.title for source in sneaker.sources), sneaker.name
        assert 1 <= len(set(sneaker.look_alikes)) == len(sneaker.look_alikes) <= 3, sneaker.name
        assert set(sneaker.look_alikes) <= names - {sneaker.name}, sneaker.name


def test_no_two_entries_say_the_same():
    """Marks, strengths and so on are about one shoe, so a repeated one is a slip."""
    texts = Counter(text for entry in (*SNEAKERS, *TYPES) for text in prose(entry).values())
    assert [text for text, count in texts.items() if count > 1] == []


@pytest.mark.parametrize(
    "spell", [str, str.upper, str.lower, lambda name: name.replace(" ", "_"), lambda name: name.replace(" ", "-"),
              lambda name: re.sub("[ -]", "", name), lambda name: f" {name.replace(' ', '  ')}\t"],
    ids=["as it is", "upper", "lower", "underscores", "hyphens", "joined", "spaced"],
)  # fmt: skip
def test_entries_are_found_by_name_and_alias_however_spelled(spell):
    for entry in (*SNEAKERS, *TYPES):
        for name in (entry.name, *entry.aliases):
            assert find_entry(spell(name)) is entry


@pytest.mark.parametrize("name", ["", " ", "Air Jordan", "Air Jordan 99", "Air Jordan 1 Low", "not_a_shoe", "../nike"])
def test_other_names_are_not_found(name):
    assert find_entry(name) is None


@pytest.mark.parametrize(
    ("name", "query"),
    [("Puma Suede", "Puma Suede shoes"), ("Derby shoes", "Derby shoes"), ("A&B #1 ünder?", "A&B #1 ünder? shoes")],
)
def test_where_to_look_is_a_plain_web_search(name, query):
    link = urlsplit(search_link(name))
    assert (link.scheme, link.netloc, link.path, link.fragment) == ("https", "duckduckgo.com", "/", "")
    assert parse_qs(link.query) == {"q": [query]}


def found(text: str, entries=SNEAKERS) -> list[str]:
    return [entry.name for entry in search(entries, text)]


@pytest.mark.parametrize(
    ("text", "first"),
    [("jordan 4", "Air Jordan 4"), ("AIR_JORDAN_iv", "Air Jordan 4"), ("jordan 1", "Air Jordan 1"),
     ("af1", "Nike Air Force 1"), ("tinker  MAX", "Nike Air Max 1"),
     ("geL-lyte", "ASICS Gel-Lyte III"), ("jordan", "Air Jordan 1"),
     ("club\u00a0c", "Reebok Club C 85"), ("Ｖａｎｓ old-skool", "Vans Old Skool")],
)  # fmt: skip
def test_a_search_takes_any_spelling_of_names_lines_and_designers(text, first):
    assert found(text)[0] == first


def test_a_search_finds_all_that_a_text_names_and_nothing_else():
    assert found("hatfield") == [one.name for one in SNEAKERS if "Tinker Hatfield" in one.designers]
    assert found("converse") == [one.name for one in SNEAKERS if one.brand == "Converse"]
    assert found("Air Max") == [one.name for one in SNEAKERS if one.line == "Air Max"]
    assert found("loafer", TYPES) == ["Loafers"]
    assert found("") == found(" - ") == [one.name for one in SNEAKERS]
    assert [text for text in ("loafers", "jordan 99", "jordan; drop", "<b>", "\u200b?") if found(text)] == []


def test_every_sneaker_is_drawn_as_a_synthetic_one():
    assert {sneaker.name: sneaker.drawing for sneaker in SNEAKERS if sneaker.drawing not in CLASSES} == {}


PUMA = "sneakers/puma.toml"
DAMAGE = {
    "not TOML": (PUMA, 'brand = "Puma"', "brand =", "Invalid value"),
    "a missing field": (PUMA, 'line = "Suede"\n', "", "Puma Suede: line must be a text"),
    "a misspelled field": (PUMA, "year =", "yaer =", "Puma Suede: unknown: yaer"),
    "no drawing": (PUMA, 'drawing = "Skate Low"\n', "", "Puma Suede: drawing must be a text"),
    "an empty text": (PUMA, 'line = "Suede"', 'line = " "', "Puma Suede: line must be a text"),
    "a year as text": (PUMA, "year = 1968", 'year = "1968"', "Puma Suede: year must be a whole number"),
    "a text for a list": (PUMA, '["Puma Suede Classic", "Suede Classic"]', '"Suede"', "aliases must be a list"),
    "an unknown category": (PUMA, '"training"', '"walking"', "category is 'walking', but must be one of basketball, "),
    "two marks": (PUMA, '    "Suede all over, usually in one strong color",\n', "", "there must be 3 marks, not 2"),
    "a source without a publisher": (PUMA, "Athleta Magazine: ", "", "must read 'Publisher: Title'"),
    "entries that are no tables": (PUMA, "[[sneakers]]", "[sneakers]", "sneakers must be a list of tables"),
    "no brand": (PUMA, 'brand = "Puma"\n', "", "brand must be a text"),
    "one name for two": (
        PUMA,
        '"Suede Classic"]',
        '"vans-AUTHENTIC"]',
        "'Vans Authentic' stands for Puma Suede and again",
    ),
    "an alias twice": (
        PUMA,
        '"Suede Classic"]',
        '"puma_suede"]',
        "'puma_suede' stands for Puma Suede and again for Puma",
    ),
    "a type without a category": ("shoe_types.toml", 'category = "dress"\n', "", "category must be a text"),
}


@pytest.mark.parametrize(("file", "old", "new", "problem"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_named_with_what_is_wrong(tmp_path, file, old, new, problem):
    shutil.copytree(CATALOG, tmp_path / "catalog")
    damaged = tmp_path / "catalog" / file
    text = damaged.read_text(encoding="utf-8")
    assert old in text
    damaged.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(SneakerError, match=re.escape(problem)) as caught:
        read_catalog(tmp_path / "catalog")
    assert str(tmp_path / "catalog") in str(caught.value)


def test_a_missing_or_unreadable_file_is_named(tmp_path):
    with pytest.raises(SneakerError, match="There are no sneakers in"):
        read_catalog(tmp_path)
    shutil.copytree(CATALOG, tmp_path / "catalog")
    types = tmp_path / "catalog" / "shoe_types.toml"
    types.write_bytes(b"\xff\xfe")
    with pytest.raises(SneakerError, match=r"shoe_types\.toml: 'utf-8' codec"):
        read_catalog(tmp_path / "catalog")
    types.unlink()
    with pytest.raises(SneakerError, match=r"shoe_types\.toml: No such file"):
        read_catalog(tmp_path / "catalog")


def test_the_command_shows_what_the_page_shows():
    found = CliRunner().invoke(main, ["catalog", "air_jordan_iv", "--json"])
    (entry,) = json.loads(found.output)
    result = bundled_results()["Air Jordan 4"]
    assert (entry["name"], entry["result"]["right"]) == ("Air Jordan 4", result.right)
    plain = CliRunner().invoke(main, ["catalog", "loafer"]).output
    assert "Loafers  dress" in plain and find_entry("loafer").distinction in plain
    assert len(CliRunner().invoke(main, ["catalog"]).output.splitlines()) == len(SNEAKERS) + len(TYPES)
    assert "knows nothing named 'sofa'" in CliRunner().invoke(main, ["catalog", "sofa"]).output
