"""The Catalog page and the knowledge card: search, filters, links, and installs with missing or damaged files."""

import re
import shutil
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from sneaker_core.catalog import lookup
from sneaker_core.catalog.lookup import find_entry, read_catalog
from sneaker_core.datasets.dataset_collection import create_dataset
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.evaluation import evaluation_collection
from sneaker_core.evaluation.class_results import class_results
from sneaker_core.evaluation.evaluation_collection import bundled_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.metric_text import mix_up_texts, right_text
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.checkpoint import save_model, with_spec
from sneaker_core.workspace.paths import BUNDLED_MODELS, CATALOG
from tests.app_pages import again, open_page, words
from tests.conftest import KNOWN
from tests.factories import draw_dataset
from tests.links import follow_link, link_labels
from ui.catalog.catalog_choices import SHOE_TYPES, SNEAKERS
from ui.catalog.catalog_keys import Key
from ui.catalog.entry_cards import CARDS_A_PAGE
from ui.identify.identify_keys import Key as IdentifyKey
from ui.kit.catalog_text import SHOE_PARAM

opened = partial(open_page, "catalog")

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty workspace."""
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(tmp_path / "workspace"))
    return tmp_path / "workspace"


def address(app: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[-1] for name, value in app.query_params.items()}


def cards(app: AppTest) -> list[str]:
    return [heading.value.replace("\\", "") for heading in app.subheader]


class TestList:
    def test_a_page_of_cards_with_the_numbers_of_the_matrix(self, home):
        app = opened()
        sneakers = read_catalog().sneakers
        assert cards(app) == [one.name for one in sneakers[:CARDS_A_PAGE]]
        assert app.header[0].value == f"{len(sneakers)} sneakers" and address(app) == {}
        table = read_table(bundled_evaluation(DEFAULT_MODEL))
        for name, result in class_results(table).items():
            assert (right_text(result).capitalize() in words(app)) or name not in cards(app)
        assert words(app).count("Drawing of a similar shape, not the sneaker itself") == CARDS_A_PAGE

    def test_search_and_filters_are_in_the_address(self, home):
        app = opened(page="2")
        app.text_input(key=Key.SEARCH).set_value(" air_jordan-IV ")
        assert cards(again(app)) == ["Air Jordan 4"] and address(app) == {"search": "air_jordan-IV"}
        app.button(key=Key.CLEAR).click()
        assert address(again(app)) == {} and len(cards(app)) == CARDS_A_PAGE
        app.selectbox(key=Key.BRAND).set_value("Nike")
        app.selectbox(key=Key.CATEGORY).set_value("basketball")
        expected = [one for one in read_catalog().sneakers if (one.brand, one.category) == ("Nike", "basketball")]
        assert cards(again(app)) == [one.name for one in expected]
        assert address(app) == {"brand": "Nike", "category": "basketball"}
        # Categories of sneakers are none of shoe types.
        app.segmented_control(key=Key.LIST).set_value(SHOE_TYPES)
        assert (
            address(again(app)) == {"list": SHOE_TYPES}
            and app.header[0].value == f"{len(read_catalog().shoe_types)} shoe types"
        )
        assert not app.warning

    def test_a_link_restores_all_of_it(self, home):
        app = opened(list=SHOE_TYPES, category="boots", search="boots")
        expected = [one.name for one in read_catalog().shoe_types if one.category == "boots"]
        assert set(cards(app)) <= set(expected) and "Hiking boots" in cards(app)
        assert app.text_input(key=Key.SEARCH).value == "boots"
        last = opened(page="6")
        assert cards(last) == [one.name for one in read_catalog().sneakers[5 * CARDS_A_PAGE :]]

    def test_what_the_other_list_has_is_offered(self, home):
        app = opened(search="loafer", brand="Nike")
        assert cards(app) == [] and "No sneaker matches." in words(app)
        app.button(key=Key.OTHER_LIST).click()
        assert cards(again(app)) == ["Loafers"] and address(app) == {"list": SHOE_TYPES, "search": "loafer"}

    @pytest.mark.parametrize("links", [
        {"brand": "Gucci", "category": "dress", "page": "99", "shoe": "Air Jordan 99"},
        {"list": "Hats", "page": "-1", "shoe": "<b>x</b>"},
    ])  # fmt: skip
    def test_links_to_what_is_not_here_say_so(self, home, links):
        app = opened(**links)
        for param, value in links.items():
            noun = "section" if param == "list" else param
            assert f"The link leads to the {noun} “{value}”, which isn't here." in words(app)
        assert len(cards(app)) == CARDS_A_PAGE and not app.error


class TestDetails:
    def test_all_that_is_known_and_where_to_see_more(self, home, tmp_path):
        source = draw_dataset(tmp_path / "photos", {"Chuck_70": 3, "sofa": 2, "Converse Chuck 70": 2})
        import_photos(create_dataset(home, "mine"), source)
        app = opened(shoe="CHUCK-70")
        sneaker = find_entry("Chuck 70")
        text = words(app)
        for said in (
            *sneaker.marks,
            sneaker.strengths,
            sneaker.weaknesses,
            str(sneaker.year),
            sneaker.sources[0].title,
        ):
            assert said in text
        assert app.header[0].value == sneaker.name and cards(app) == [] and "None" not in text
        result = class_results(read_table(bundled_evaluation(DEFAULT_MODEL)))[sneaker.name]
        for said in (right_text(result), *mix_up_texts(result).values()):
            assert said[0].upper() + said[1:] in link_labels(app)
        assert "2 photos in mine" in link_labels(app)
        follow_link(app, "3 photos in mine, class Chuck_70")
        assert "**3** of 7 photos" in [one.value for one in app.markdown]

    def test_opening_and_closing_keep_the_list(self, home):
        app = opened(brand="Nike", page="1")
        app.button(key=Key.OPEN.of("Nike Dunk")).click()
        assert address(again(app))[SHOE_PARAM] == "Nike Dunk"
        app.button(key=Key.LOOK_ALIKE.of("Nike Air Force 1")).click()
        assert again(app).header[0].value == "Nike Air Force 1"
        app.button(key=Key.CLOSE).click()
        assert SHOE_PARAM not in address(again(app)) and address(app)["brand"] == "Nike" and len(cards(app)) == 12
        app.button(key=Key.OPEN.of("Nike Dunk")).click()
        again(app).selectbox(key=Key.BRAND).set_value("Puma")
        assert cards(again(app)) == ["Puma Suede"] and SHOE_PARAM not in address(app)

    @pytest.mark.parametrize("name", ["Nike Blazer Mid 77", "Air Jordan 29", "Loafers"])
    def test_what_is_not_known_is_left_out(self, home, name):
        app = opened(shoe=name, list=SNEAKERS)
        assert app.header[0].value == name
        assert not re.search(r"\bNone\b|n/a|· *·|Designed by *$", words(app), re.MULTILINE)
        (link,) = [one.proto.url for one in app.get("link_button")]
        assert parse_qs(urlsplit(link).query)["q"][0].startswith(name)


class TestInstalls:
    def test_without_the_bundled_evaluation(self, home, tmp_path, monkeypatch):
        monkeypatch.setattr(evaluation_collection, "BUNDLED_MODELS", tmp_path / "models")
        app = opened()
        assert len(cards(app)) == CARDS_A_PAGE and "test photo" not in words(app) and not app.warning
        assert link_labels(opened(shoe="Nike Dunk")) == []

    @pytest.mark.parametrize("file", ["evaluation.json", "predictions.parquet"])
    def test_with_a_damaged_evaluation(self, home, tmp_path, monkeypatch, file):
        copy = tmp_path / "models" / DEFAULT_MODEL
        shutil.copytree(BUNDLED_MODELS / DEFAULT_MODEL / "evaluation", copy / "evaluation")
        (copy / "evaluation" / file).write_bytes(b"{")
        monkeypatch.setattr(evaluation_collection, "BUNDLED_MODELS", tmp_path / "models")
        app = opened()
        (warning,) = app.warning
        assert file in warning.value.replace("\\", "") and len(cards(app)) == CARDS_A_PAGE and not app.error

    def test_with_a_damaged_catalog_until_it_is_mended(self, home, tmp_path, monkeypatch):
        shutil.copytree(CATALOG, tmp_path / "catalog")
        file = tmp_path / "catalog" / "sneakers" / "puma.toml"
        good = file.read_bytes()
        monkeypatch.setattr(lookup, "CATALOG", tmp_path / "catalog")
        file.write_bytes(good.replace(b"[[sneakers]]", b"[[shoes]]"))
        app = opened()
        (error,) = app.error
        assert "puma.toml: unknown: shoes. Correct the file." in error.value.replace("\\", "") and cards(app) == []
        file.write_bytes(good.replace(b'"Skate Low"', b'"A shape that nobody drew"'))
        assert not opened(shoe="Puma Suede").error
        shutil.rmtree(tmp_path / "catalog")
        assert not opened().error  # read once, kept while the app runs


CARD_PAGE = """
import streamlit as st
from ui.kit.knowledge_card import draw_knowledge

st.navigation([st.Page(lambda: draw_knowledge({name!r}), title="Card"), st.Page("pages/catalog.py")]).run()
"""


def card_of(name: str, folder: Path) -> AppTest:
    (folder / "pages").mkdir()
    (folder / "pages" / "catalog.py").touch()
    (folder / "app.py").write_text(CARD_PAGE.format(name=name), encoding="utf-8")
    app = AppTest.from_file(str(folder / "app.py"), default_timeout=60).run()
    assert not app.exception
    return app


class TestKnowledgeCard:
    @pytest.mark.parametrize("name", ["air_jordan_4", "Oxfords", "Flat sandals"])
    def test_a_few_lines_and_a_link(self, name, tmp_path):
        app = card_of(name, tmp_path)
        entry = find_entry(name)
        said = entry.marks if hasattr(entry, "marks") else (entry.distinction, entry.pros, entry.cons)
        assert all(text in words(app) for text in said)
        assert link_labels(app) == [f"{entry.name} in the catalog"]

    @pytest.mark.parametrize("name", ["sofa", "", "<b>"])
    def test_nothing_for_other_classes(self, name, tmp_path):
        app = card_of(name, tmp_path)
        assert words(app) == "" and link_labels(app) == []

    def test_a_damaged_catalog_costs_a_line_and_no_answer(self, tmp_path, monkeypatch):
        monkeypatch.setattr(lookup, "CATALOG", tmp_path / "catalog")
        app = card_of("Nike Dunk", tmp_path)
        assert "There are no sneakers in" in words(app)

    def test_it_follows_an_answer_but_not_each_of_many(self, models_home, tiny_model, sneaker_jpeg):
        names = ("Air Jordan 4", "Nike Dunk", "Puma Suede", "vans_old_skool")
        save_model(with_spec(tiny_model, name="known", classes=names, decision=KNOWN), models_home.bundled / "known")
        app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).run()
        app.file_uploader(key=IdentifyKey.UPLOADS).upload("one.jpg", sneaker_jpeg(1))
        (link,) = link_labels(again(app))
        entry = find_entry(link.removesuffix(" in the catalog"))
        assert entry.name.lower() in app.header[0].value.lower().replace("\\", "").replace("_", " ")
        assert all(mark in words(app) for mark in entry.marks)
        for number in (1, 2):
            app.file_uploader(key=IdentifyKey.UPLOADS).upload(f"{number}.jpg", sneaker_jpeg(number))
        assert link_labels(again(app)) == []
