"""Choices in the address: links, old values, things that are gone, and choices made by code."""

import pytest
from streamlit.testing.v1 import AppTest

from ui.kit.page_links import Page, page_address


def items_page() -> None:
    import streamlit as st

    from ui.kit.address import USUAL, choose_item, choose_next
    from ui.kit.missing_links import draw_missing

    names = st.session_state.get("names", ["a", "b", "c"])
    notices = st.container()
    chosen = choose_item("dataset", names, noun="dataset", usual=st.session_state.get("usual"), old={"former": "b"})
    st.markdown(f"shown {chosen}")
    st.button("c next", on_click=choose_next, args=("dataset", "c"))
    if st.button("b after the widget"):
        choose_next("dataset", "b")
        st.rerun()
    st.button("deleted", on_click=choose_next, args=("dataset", USUAL))
    with notices:
        draw_missing()


def sections_page() -> None:
    import streamlit as st

    from ui.kit.address import choose_section
    from ui.kit.missing_links import draw_missing

    shown = choose_section("section", ["Overview", "Photos"], label="Section", old={"Pictures": "Photos"})
    st.markdown(f"shown {shown}")
    draw_missing()


def several_page() -> None:
    import streamlit as st

    from ui.kit.address import choose_items
    from ui.kit.missing_links import draw_missing

    names = st.session_state.get("names", ["a", "b", "c"])
    st.markdown(f"shown {choose_items('runs', names, noun='run', most=2, label='Show', help='')}")
    draw_missing()


def filter_page() -> None:
    import streamlit as st

    from ui.kit.address import follow_choices, write_choice
    from ui.kit.missing_links import draw_missing

    names = st.session_state.get("names", ["a", "b", "c"])
    follow_choices("class", "filter", names, noun="class")
    chosen = st.multiselect("Class", names, key="filter", on_change=write_choice, args=("class", "filter"))
    st.markdown(f"shown {chosen}")
    draw_missing()


def opened(page, **params) -> AppTest:
    app = AppTest.from_function(page)
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


def query(app: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[-1] for name, value in app.query_params.items()}


def shown(app: AppTest) -> str:
    assert not app.exception
    return next(one.value.removeprefix("shown ") for one in app.markdown if one.value.startswith("shown "))


class TestItem:
    def test_the_usual_one_without_a_link(self):
        app = opened(items_page)
        assert shown(app) == "a"
        assert not app.warning

    def test_a_choice_that_cannot_be_emptied_is_not_called_required(self):
        box = opened(items_page).selectbox[0].proto
        assert not box.required and box.default == 0

    def test_a_link(self):
        app = opened(items_page, dataset="b")
        assert shown(app) == "b" and not app.warning

    def test_an_old_value(self):
        app = opened(items_page, dataset="former")
        assert shown(app) == "b" and not app.warning

    def test_a_link_to_something_gone_says_so_until_something_else_is_chosen(self):
        app = opened(items_page, dataset="*gone*")
        assert shown(app) == "None" and app.selectbox[0].proto.placeholder == "Choose a dataset"
        assert [one.value for one in app.warning] == [
            r"The link leads to the dataset “\*gone\*”, which isn't here. It may have been renamed or deleted."
        ]
        assert len(app.run().warning) == 1 and shown(app) == "None"
        app.selectbox[0].select("b").run()
        assert shown(app) == "b" and not app.warning

    def test_what_a_link_names_is_shown_once_it_is_there(self):
        app = opened(items_page, dataset="d")
        assert shown(app) == "None"
        app.session_state["names"] = ["a", "d"]
        assert shown(app.run()) == "d" and not app.warning

    def test_chosen_twice(self):
        app = opened(items_page)
        for name in ("b", "c", "a"):
            app.selectbox[0].select(name).run()
            assert shown(app) == name

    def test_code_chooses_from_a_callback_and_below_the_widget(self):
        app = opened(items_page)
        app.button[0].click().run()
        assert shown(app) == "c"
        app.button[1].click().run()
        assert shown(app) == "b"

    @pytest.mark.parametrize("params", [{"dataset": "b"}, {}])
    def test_nothing_takes_the_place_of_what_goes_while_it_is_shown(self, params):
        app = opened(items_page, **params)
        if not params:
            app.selectbox[0].select("b").run()
        app.session_state["names"] = ["a", "c"]
        for _ in range(2):
            app.run()
            assert shown(app) == "None" and "The dataset “b” isn't here anymore." in app.warning[0].value
        app.selectbox[0].select("c").run()
        assert shown(app) == "c" and not app.warning

    def test_what_is_deleted_here_makes_room_for_the_usual_one(self):
        app = opened(items_page, dataset="b")
        app.session_state["names"] = ["a", "c"]
        app.button[2].click().run()
        assert shown(app) == "a" and not app.warning

    def test_code_that_chooses_what_is_not_there_changes_nothing(self):
        app = opened(items_page)
        app.session_state["names"] = ["a", "b"]
        app.button[0].click().run()
        assert shown(app) == "a"

    def test_another_usual_one(self):
        app = AppTest.from_function(items_page)
        app.session_state["usual"] = "c"
        assert shown(app.run()) == "c"


class TestSection:
    @pytest.mark.parametrize(
        ("linked", "found"), [("Photos", "Photos"), ("Pictures", "Photos"), ("Overview", "Overview")]
    )
    def test_a_link(self, linked, found):
        app = opened(sections_page, section=linked)
        assert shown(app) == found and not app.warning

    def test_an_unknown_one(self):
        app = opened(sections_page, section="Attic")
        assert shown(app) == "Overview" and "the section “Attic”" in app.warning[0].value


class TestSeveral:
    def test_a_link_to_some(self):
        assert shown(opened(several_page, runs=["c", "a"])) == "['c', 'a']"

    def test_one_of_them_is_gone(self):
        app = opened(several_page, runs=["gone", "a"])
        assert shown(app) == "['a']" and "the run “gone”, which isn't here" in app.warning[0].value

    def test_several_of_them_are_gone(self):
        app = opened(several_page, runs=["gone", "a", "lost"])
        assert shown(app) == "['a']" and "the runs “gone” and “lost”, which aren't here" in app.warning[0].value

    def test_what_goes_is_no_longer_chosen(self):
        app = opened(several_page, runs=["a", "b"])
        app.session_state["names"] = ["b", "c"]
        assert shown(app.run()) == "['b']" and not app.warning


def test_addresses_of_pages():
    assert page_address(Page.RUNS) == "runs"
    assert page_address(Page.EXPLAIN, dataset="my shoes", sample=None) == "explain?dataset=my+shoes"


class TestHistory:
    """A page just opened keeps its address: one more in the browser's history, and Back would lead to the same page."""

    @pytest.mark.parametrize("params", [{}, {"dataset": "former"}, {"dataset": "gone"}])
    def test_opening_a_page_writes_nothing(self, params):
        app = opened(items_page, **params)
        assert query(app) == params == query(app.run())

    def test_a_choice_is_written_and_back_takes_it_away(self):
        app = opened(items_page)
        app.selectbox[0].select("b").run()
        assert query(app) == {"dataset": "b"}
        del app.query_params["dataset"]
        assert shown(app.run()) == "a" and "dataset" not in app.query_params
        app.query_params["dataset"] = "c"
        assert shown(app.run()) == "c"

    def test_several_choices(self):
        app = opened(several_page, runs=["c"])
        app.multiselect[0].set_value(["c", "b"]).run()
        assert app.query_params["runs"] == ["c", "b"]
        app.multiselect[0].set_value([]).run()
        assert "runs" not in app.query_params
        app.query_params["runs"] = ["a", "b"]
        assert shown(app.run()) == "['a', 'b']"

    def test_a_section(self):
        app = opened(sections_page)
        assert not app.query_params
        app.segmented_control[0].set_value("Photos").run()
        assert query(app) == {"section": "Photos"}
        app.query_params.clear()
        assert shown(app.run()) == "Overview"


class TestSeveralThatFollow:
    def test_links_choices_and_what_is_gone(self):
        app = opened(filter_page, **{"class": ["b", "gone"]})
        for _ in range(2):  # the sentence stays while the same is shown
            assert shown(app) == "['b']" and "“gone”, which isn't here" in app.warning[0].value
            app.run()
        app.multiselect[0].set_value(["b", "c"]).run()
        assert app.query_params["class"] == ["b", "c"] and not app.warning
        app.session_state["names"] = ["a", "c"]  # merged with another one meanwhile
        app.run()
        assert shown(app) == "['c']" and not app.warning
        app.multiselect[0].set_value([]).run()
        assert "class" not in app.query_params and shown(app) == "[]"
