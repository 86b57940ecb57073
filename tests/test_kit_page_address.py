"""What a page shows stays its own: over leaving and returning, in one address a choice, under any name."""

import re
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

PAGES = {
    "items": """
import streamlit as st
from ui.kit import page_address
from ui.kit.address import choose_item, choose_section, set_address_value
from ui.kit.page_frame import page_body

with page_body("Items"):
    name = choose_item("dataset", st.session_state.get("names", ["a", "b", "c"]), noun="dataset")
    section = choose_section("section", ["Overview", "Photos"], label="Section")
    if section == "Photos":
        choose_item("photo", ["1", "2"], noun="photo")
    page_address.change({"typed": st.session_state.get("typed")}, chosen=False)
    st.markdown(f"shown {name} {section}")
""",
    "other": """
import streamlit as st
from ui.kit.address import choose_item
from ui.kit.page_frame import page_body

with page_body("Other"):
    st.markdown(f"shown {choose_item('dataset', ['x', 'b'], noun='dataset')}")
""",
}
MAIN = """
import streamlit as st

st.navigation([st.Page("pages/items.py", default=True), st.Page("pages/other.py")]).run()
"""


@pytest.fixture
def app(tmp_path: Path) -> AppTest:
    (tmp_path / "pages").mkdir()
    for name, code in PAGES.items():
        (tmp_path / "pages" / f"{name}.py").write_text(code)
    (tmp_path / "main.py").write_text(MAIN)
    return AppTest.from_file(str(tmp_path / "main.py")).run()


def shown(app: AppTest) -> str:
    assert not app.exception
    return next(one.value.removeprefix("shown ") for one in app.markdown if one.value.startswith("shown "))


def visit(app: AppTest, page: str, **params: str) -> str:
    """Follow a link, or the navigation, whose links name nothing."""
    app.query_params.clear()
    for name, value in params.items():
        app.query_params[name] = value
    return shown(app.switch_page(f"pages/{page}.py").run())


@pytest.mark.parametrize("reported", [{}, {"dataset": "a", "section": "Overview"}], ids=["nothing", "what was pinned"])
def test_a_choice_holds_though_the_browser_still_reports_the_address_before_it(app: AppTest, reported: dict[str, str]):
    visit(app, "items")
    app.selectbox(key="dataset").select("b").run()
    app.query_params.clear()
    for name, value in reported.items():
        app.query_params[name] = value
    app.segmented_control(key="section").select("Photos").run()
    assert shown(app) == "b Photos"
    assert app.query_params == {"dataset": "b", "section": "Photos", "photo": "1"}


def scripts(app: AppTest) -> list[str]:
    return [one.proto.body for one in app.get("html") if "replaceState" in one.proto.body]


def test_a_page_is_shown_as_it_was_left(app):
    app.selectbox(key="dataset").select("b").run()
    app.segmented_control(key="section").set_value("Photos").run()
    assert visit(app, "other") == "x"
    assert visit(app, "items") == "b Photos"
    assert shown(app.run()) == "b Photos"
    # The other page has a parameter of the same name, with a choice of its own.
    app.selectbox(key="dataset").select("c").run()
    assert visit(app, "other") == "x"
    assert visit(app, "items") == "c Photos"


def test_a_link_goes_before_what_was_left(app):
    app.segmented_control(key="section").set_value("Photos").run()
    visit(app, "other")
    assert visit(app, "items", dataset="c") == "c Overview"


def test_what_was_left_and_is_gone_is_named_and_not_replaced(app):
    app.selectbox(key="dataset").select("b").run()
    visit(app, "other")
    app.session_state["names"] = ["a", "c"]
    assert visit(app, "items") == "None Overview"
    assert "the dataset “b”, which isn't here" in app.warning[0].value


def test_what_is_first_today_is_still_shown_once_another_is_first(app):
    assert shown(app) == "a Overview"
    visit(app, "other")
    app.session_state["names"] = ["A new one", "a"]
    assert visit(app, "items") == "a Overview"


def test_what_is_shown_unasked_replaces_the_address_and_adds_none(app):
    assert not app.query_params
    assert "dataset=a" in scripts(app)[0]
    visit(app, "other")
    visit(app, "items")
    assert not app.query_params and "dataset=a" in scripts(app)[0]


def test_what_is_pinned_again_replaces_what_was_pinned_before(app):
    for text in ("one", "two"):
        app.session_state["typed"] = text
        app.run()
    (script,) = scripts(app)  # the browser is where the script before left it, and reports where it was first
    before, after = script.split(".some(")
    assert "dataset=a&typed=one" in before and "dataset=a&typed=two" not in before
    assert "dataset=a&typed=two" in after


def test_a_choice_and_what_follows_from_it_are_one_address(app):
    app.segmented_control(key="section").set_value("Photos").run()
    app.selectbox(key="photo").select("2").run()
    assert app.query_params == {"dataset": "a", "section": "Photos", "photo": "2"}
    app.segmented_control(key="section").set_value("Overview").run()
    assert app.query_params == {"dataset": "a", "section": "Overview"} and not scripts(app)


@pytest.mark.parametrize("name", ["</script><b>", "a&b=c", "ä ö", "'\"\\", "100 %", "#1"])
def test_names_in_the_script_stay_names(app, name):
    app.session_state["names"] = [name]
    visit(app, "other")
    assert visit(app, "items", section="Photos") == f"{name} Photos"
    (script,) = scripts(app)
    assert script.count("<") == 2 and parse_qs(re.search(r'search = "(.*?)"', script)[1])["dataset"] == [name]
