"""Photos, findings, map and history of a dataset, in AppTest, with real photos and decisions."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sneaker_core.datasets.dataset_collection import create_dataset
from sneaker_core.datasets.dataset_split import make_split
from sneaker_core.datasets.index import Dataset, read_classes, read_samples
from sneaker_core.datasets.quality.findings import Kind, finding_rows, read_findings, store_findings
from sneaker_core.datasets.review_log import Action, decide, history
from sneaker_core.datasets.sources.photo_import import import_photos
from tests.app_pages import again, open_page, words
from tests.factories import draw_dataset, jpeg, photo_of_class, write
from tests.links import change_address
from ui.datasets.datasets_keys import Key
from ui.datasets.duplicate_groups import group_pages
from ui.datasets.history_view import batch_text
from ui.datasets.photo_map import (
    Overlap,
    closest_classes,
    color_groups,
    default_classes,
    farthest_from_center,
    map_figure,
    overlap_text,
)
from ui.kit.labels import FINDING_LABELS
from ui.kit.photo_grid import PHOTOS_A_PAGE
from ui.kit.review_section import Section
from ui.kit.state_keys import KitKey, StateKey
from ui.kit.text import escape_markdown

pytestmark = pytest.mark.slow

COUNTS = {"boot": 12, "clog": 12, "sandal": 6}
ODD_CLASS = "Air [Max](http://x.y) *1* <b>:smile:</b> 👟"


@pytest.fixture(autouse=True)
def fresh_caches():
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(scope="module")
def imported(tmp_path_factory) -> Path:
    """A workspace with thirty photos in three classes. Don't change it; copy it."""
    folder = tmp_path_factory.mktemp("imported")
    photos = draw_dataset(folder / "photos", COUNTS)
    import_photos(create_dataset(folder / "workspace", "shoes"), photos)
    return folder / "workspace"


@pytest.fixture
def dataset(imported, tmp_path) -> Dataset:
    shutil.copytree(imported, tmp_path / "workspace")
    return Dataset(next((tmp_path / "workspace" / "datasets").iterdir()))


@pytest.fixture
def scanned(dataset) -> Dataset:
    """With wrong labels, dark photos and near-duplicates; the most severe kind is wrong_label."""
    samples = read_samples(dataset)
    ids = list(samples["sample"])
    boots, sandals = ids[:12], ids[24:]
    copies = boots[:3]
    rows = [
        finding_rows(boots[4:7], Kind.WRONG_LABEL, [0.9, 0.8, 0.7], None, ["clog", "sandal", "clog"], ["odd"] * 3),
        finding_rows(copies, Kind.NEAR_DUPLICATE, [0.5, 1, 1], [7, 7, 7], None, ["one of 3 copies"] * 3),
        finding_rows([*sandals[:2], boots[4]], Kind.DARK, [0.5, 0.4, 0.3], None, None, ["dark"] * 3),
    ]
    families = pd.Series(range(100, 100 + len(ids)), index=ids)
    families[copies] = 7
    store_findings(dataset, pd.concat(rows, ignore_index=True), families, {"time": 1.0, "photos": 30, "model": "m"})
    return dataset


@pytest.fixture
def mapped(scanned) -> Dataset:
    """With a position on the map for every photo; one boot is among the clogs."""
    samples = read_samples(scanned)
    middles = {"boot": (-1.0, 0.0), "clog": (1.0, 0.0), "sandal": (0.0, 1.0)}
    noise = np.random.default_rng(0).normal(0, 0.05, (len(samples), 2))
    places = np.array([middles[label] for label in samples["label"]]) + noise
    places[3] = (1.0, 0.0)
    with scanned.changing() as db:
        db.executemany(
            "INSERT INTO embeddings(sample, vector, ood_score, x, y) VALUES (?, ?, 0, ?, ?)",
            [(sample, b"", float(x), float(y)) for sample, (x, y) in zip(samples["sample"], places, strict=True)],
        )
    return scanned


@pytest.fixture(autouse=True)
def workspace_of_the_app(tmp_path, monkeypatch):
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(tmp_path / "workspace"))


def opened(section: str, dataset: Dataset, **query: str) -> AppTest:
    return open_page("datasets", **{"dataset": dataset.name, "section": section.capitalize(), **query})


def press(app: AppTest, label: str, place: int = 0) -> AppTest:
    [button for button in app.button if button.label == label][place].click()
    return again(app)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def tick(app: AppTest, *places: int) -> AppTest:
    for place in places:
        app.checkbox[place].check()
    return again(app)


def widget(app: AppTest, name: str, dataset: Dataset, key: StateKey, item: str = ""):
    return app.get_by_key(Section(name, dataset).key(key, item))


def set_filter(app: AppTest, dataset: Dataset, item: str, value: object) -> AppTest:
    widget(app, "photos", dataset, Key.PHOTO_FILTER, item).set_value(value)
    return again(app)


def row(dataset: Dataset, sample: str) -> pd.Series:
    return read_samples(dataset).set_index("sample").loc[sample]


def relabel(app: AppTest, name: str, dataset: Dataset, label: str | None, place: str = "") -> AppTest:
    if label is not None:
        box = widget(app, name, dataset, KitKey.NEW_LABEL, place)
        # AppTest offers only the listed values; a user can also type.
        box.options = [*box.options, label]
        box.set_value(label)
    widget(app, name, dataset, KitKey.RELABEL, place).click()
    return again(app)


class TestFilters:
    def test_first_page_of_all(self, dataset):
        app = opened("photos", dataset)
        assert "**30** of 30 photos" in words(app)
        assert len(app.checkbox) == len(app.get("image")) == PHOTOS_A_PAGE
        assert all(image.proto.imgs[0].alt for image in app.get("image"))

    @pytest.mark.parametrize(
        ("item", "value", "count"),
        [
            ("Class", ["sandal"], 6),
            ("Class", ["clog", "sandal"], 18),
            ("text", "sandal/0", 6),
            ("text", "SANDAL/01", 1),
        ],
    )
    def test_one(self, dataset, item, value, count):
        app = set_filter(opened("photos", dataset), dataset, item, value)
        assert f"**{count}** of 30 photos" in words(app) and len(app.checkbox) == count

    def test_together_and_taken_off_again(self, dataset):
        app = set_filter(opened("photos", dataset), dataset, "Class", ["sandal"])
        set_filter(app, dataset, "text", "02.")
        assert len(app.checkbox) == 1
        set_filter(app, dataset, "Class", [])
        assert len(app.checkbox) == 3

    def test_finding_and_split(self, scanned):
        app = set_filter(opened("photos", scanned), scanned, "Finding", [FINDING_LABELS[Kind.DARK].title])
        assert len(app.checkbox) == 3 and "dark" in words(app)
        set_filter(app, scanned, "Split", ["No split"])
        assert len(app.checkbox) == 3

    def test_nothing_matches(self, dataset):
        app = set_filter(opened("photos", dataset), dataset, "text", "no such name")
        assert "No photos match" in words(app) and not app.checkbox

    def test_a_filter_stays_when_nothing_is_left_of_it(self, scanned):
        app = set_filter(opened("photos", scanned), scanned, "Finding", [FINDING_LABELS[Kind.DARK].title])
        press(press(app, "Select this page"), "Keep")
        assert "No photos match" in words(app)

    def test_classes_are_in_the_address(self, dataset):
        app = set_filter(opened("photos", dataset), dataset, "Class", ["clog", "sandal"])
        assert app.query_params["class"] == ["clog", "sandal"]
        linked = opened("photos", dataset, **{"class": "sandal"})
        assert "**6** of 30 photos" in words(linked) and not linked.warning
        assert "class" not in set_filter(linked, dataset, "Class", []).query_params

    def test_a_link_to_a_class_that_is_not_here(self, dataset):
        app = opened("photos", dataset, **{"class": ["gone", "clog"]})
        for _ in range(2):
            assert "The link leads to the class “gone”, which isn't here." in words(app)
            assert "**12** of 30 photos" in words(again(app))
        assert "gone" not in words(again(set_filter(app, dataset, "Class", ["sandal"])))

    def test_a_class_whose_last_photo_is_relabeled(self, dataset):
        app = set_filter(opened("photos", dataset), dataset, "Class", ["sandal"])
        samples = read_samples(dataset)
        decide(dataset, list(samples[samples["label"] == "sandal"]["sample"]), Action.RELABEL, "clog")
        assert "**0** of 30 photos" in words(again(app)) and not app.warning

    def test_text_is_no_pattern(self, dataset):
        assert not set_filter(opened("photos", dataset), dataset, "text", "[(").checkbox

    @pytest.mark.parametrize("order", ["Newest first", "Largest first", "Smallest first", "By class"])
    def test_orders(self, dataset, order):
        app = set_filter(opened("photos", dataset), dataset, "order", order)
        assert len(app.checkbox) == PHOTOS_A_PAGE

    def test_pages(self, dataset):
        app = opened("photos", dataset)
        app.get("pagination")[0].select(2)
        assert len(again(app).checkbox) == 6
        set_filter(app, dataset, "Class", ["boot", "clog", "sandal"])
        assert len(app.checkbox) == PHOTOS_A_PAGE, "a new filter begins on the first page"

    def test_fewer_pages_than_a_moment_ago(self, dataset):
        app = opened("photos", dataset)
        app.get("pagination")[0].select(2)
        again(app)
        decide(dataset, list(read_samples(dataset)["sample"])[:10], Action.EXCLUDE)
        assert len(again(app).checkbox) == 20


class TestDeciding:
    def test_exclude_and_undo(self, dataset):
        ids = list(read_samples(dataset)["sample"])
        app = tick(opened("photos", dataset), 0, 2)
        assert "**2 photos selected**" in words(app)
        press(app, "Exclude")
        assert "2 photos excluded." in words(app) and "**28** of 30 photos" in words(app)
        assert [row(dataset, ids[place])["excluded"] for place in (0, 1, 2)] == [True, False, True]
        assert "Keep" not in labels(app), "nothing is chosen any more"
        press(app, "Undo")
        assert "Undone for 2 photos." in words(app)
        assert not read_samples(dataset)["excluded"].any() and "**30** of 30" in words(app)

    def test_undo_takes_back_that_batch_alone(self, dataset):
        ids = list(read_samples(dataset)["sample"])
        app = press(tick(opened("photos", dataset), 0), "Exclude")
        decide(dataset, [ids[5]], Action.EXCLUDE, author="somebody else")
        press(app, "Undo")
        assert row(dataset, ids[5])["excluded"] and not row(dataset, ids[0])["excluded"]

    def test_choose_all_and_none(self, dataset):
        app = press(opened("photos", dataset), "Select this page")
        assert "**24 photos selected**" in words(app) and all(box.value for box in app.checkbox)
        app.get("pagination")[0].select(2)
        assert "**24 photos selected**" in words(again(app)) and not any(box.value for box in app.checkbox)
        press(app, "Select none")
        assert "chosen" not in words(app)

    def test_unticked_again(self, dataset):
        app = tick(opened("photos", dataset), 0, 1)
        app.checkbox[0].uncheck()
        assert "**1 photo selected**" in words(again(app))

    def test_what_a_filter_hides_is_not_decided_on(self, dataset):
        app = tick(opened("photos", dataset), 0, 1)
        set_filter(app, dataset, "Class", ["sandal"])
        assert "chosen" not in words(app)
        set_filter(app, dataset, "Class", [])
        assert "chosen" not in words(app)

    def test_keep_brings_an_excluded_photo_back(self, dataset):
        sample = read_samples(dataset)["sample"][0]
        decide(dataset, [sample], Action.EXCLUDE)
        app = set_filter(opened("photos", dataset), dataset, "state", "Excluded")
        assert "excluded" in words(app)
        press(tick(app, 0), "Keep")
        assert "1 photo kept." in words(app) and not row(dataset, sample)["excluded"]

    def test_keep_settles_the_findings_of_each_photo(self, scanned):
        app = set_filter(opened("photos", scanned), scanned, "Finding", [FINDING_LABELS[Kind.DARK].title])
        press(press(app, "Select this page"), "Keep")
        assert sorted(map(sorted, history(scanned)["kinds"])) == [["dark"], ["dark"], ["dark", "wrong_label"]]
        press(app, "Undo")
        assert len(read_findings(scanned)) == 9

    @pytest.mark.parametrize("label", ["sandal", "Brand new", ODD_CLASS, "x" * 300])
    def test_relabel(self, dataset, label):
        sample = read_samples(dataset)["sample"][0]
        app = relabel(tick(opened("photos", dataset), 0), "photos", dataset, label)
        assert row(dataset, sample)["label"] == label and label in read_classes(dataset)
        assert "1 photo relabeled to" in words(app)
        set_filter(app, dataset, "Class", [label])
        assert len(app.checkbox) == (read_samples(dataset)["label"] == label).sum()
        press(app, "Undo")
        assert row(dataset, sample)["label"] == "boot"

    def test_relabel_without_a_class_asks_for_one(self, dataset):
        app = relabel(tick(opened("photos", dataset), 0), "photos", dataset, None)
        assert "Choose a class first" in words(app) and history(dataset).empty
        assert "**1 photo selected**" in words(app)

    def test_a_class_name_too_long_is_said(self, dataset):
        app = relabel(tick(opened("photos", dataset), 0), "photos", dataset, "x" * 301)
        assert "at most 300 characters" in words(app) and history(dataset).empty


class TestFindings:
    def test_never_scanned(self, dataset):
        assert "have not been checked yet" in words(opened("findings", dataset))

    def test_nothing_found(self, dataset):
        store_findings(dataset, finding_rows([], Kind.DARK, []), pd.Series(dtype="int64"), {"time": 1.0, "photos": 30})
        assert "No problems found" in words(opened("findings", dataset))

    def test_gravest_first_and_explained(self, scanned):
        app = opened("findings", scanned)
        kinds = widget(app, "findings", scanned, Key.FINDING_KIND)
        assert kinds.value == Kind.WRONG_LABEL
        assert FINDING_LABELS[Kind.WRONG_LABEL].about in words(app)
        assert app.get("progress")[0].text == "0 of 3 reviewed"
        assert "labeled boot, looks like **sandal**" in words(app)

    def test_accept_suggestion(self, scanned):
        ids = list(read_samples(scanned)["sample"])
        app = press(opened("findings", scanned), "Select this page")
        press(app, "Accept suggestion")
        assert [row(scanned, ids[place])["label"] for place in (4, 5, 6)] == ["clog", "sandal", "clog"]
        assert "3 photos relabeled to the suggested classes." in words(app)
        assert "All 3 photos of this kind are reviewed" in words(app)
        press(app, "Undo")
        assert set(read_samples(scanned).set_index("sample").loc[ids[4:7], "label"]) == {"boot"}

    def test_accept_for_one_alone(self, scanned):
        ids = list(read_samples(scanned)["sample"])
        press(tick(opened("findings", scanned), 1), "Accept suggestion")
        assert [row(scanned, ids[place])["label"] for place in (4, 5, 6)] == ["boot", "sandal", "boot"]

    def test_dismissed_stays_dismissed(self, scanned):
        app = press(tick(opened("findings", scanned), 0), "Keep")
        assert app.get("progress")[0].text == "1 of 3 reviewed" and len(app.checkbox) == 2
        assert history(scanned)["kinds"].tolist() == [("wrong_label",)], "the other finding of this photo stays open"
        found = read_findings(scanned, dismissed=True).drop(columns="open")
        families = pd.Series(dtype="int64")
        store_findings(scanned, found, families, {"time": 2.0, "photos": 30})
        assert again(app).get("progress")[0].text == "1 of 3 reviewed" and len(app.checkbox) == 2

    def test_copies_stand_together_with_the_largest_marked(self, scanned):
        app = opened("findings", scanned)
        widget(app, "findings", scanned, Key.FINDING_KIND).set_value(Kind.NEAR_DUPLICATE)
        again(app)
        assert "3 near-duplicates labeled **boot**" in words(app)
        assert words(app).count("green-badge[largest]") == 1 and not app.checkbox[0].value
        press(app, "Select all but the largest")
        assert [box.value for box in app.checkbox] == [False, True, True]
        press(app, "Exclude")
        assert app.get("progress")[0].text == "3 of 3 reviewed", "the last one left is no copy any more"
        assert read_samples(scanned)["excluded"].sum() == 2

    def test_what_needs_no_person(self, scanned):
        app = opened("findings", scanned)
        assert "**exclude 2 photos**" in words(app) and "**relabel 3 photos**" in words(app)
        press(app, "Apply to 5 photos")
        samples = read_samples(scanned)
        assert samples["excluded"].sum() == 2 and (samples["label"] != samples["original_label"]).sum() == 3
        assert "2 photos excluded, 3 photos relabeled" in words(app)
        press(app, "Undo")
        samples = read_samples(scanned)
        assert not samples["excluded"].any() and (samples["label"] == samples["original_label"]).all()

    def test_copies_under_two_classes_that_agree_at_last(self, scanned):
        ids = list(read_samples(scanned)["sample"])
        rows = finding_rows([ids[0], ids[12]], Kind.TWO_LABELS, [1, 1], [3, 3])
        store_findings(scanned, rows, pd.Series({ids[0]: 3, ids[12]: 3}), {"time": 1.0, "photos": 30})
        app = opened("findings", scanned)
        assert "labeled **boot** and **clog**" in words(app)
        relabel(tick(app, [box.label for box in app.checkbox].index("boot")), "findings", scanned, "clog")
        assert app.get("progress")[0].text == "2 of 2 reviewed"

    def test_one_photo_from_two_folders_waits_for_a_person(self, scanned):
        ids = list(read_samples(scanned)["sample"])
        rows = finding_rows(ids[:1], Kind.TWO_LABELS, [1], [3], None, ["the same photo is filed as boot and clog"])
        store_findings(scanned, rows, pd.Series({ids[0]: 3}), {"time": 1.0, "photos": 30})
        app = opened("findings", scanned)
        assert app.get("progress")[0].text == "0 of 1 reviewed"
        assert "The same photo is filed as boot and clog" in words(app)
        press(tick(app, 0), "Keep")
        assert app.get("progress")[0].text == "1 of 1 reviewed"

    def test_no_family_is_torn_apart(self):
        sizes = [20, 5, 30, 1, 1]
        table = pd.DataFrame({"group_id": np.repeat(range(5), sizes)})
        assert group_pages(table) == [[0], [1], [2], [3, 4]]
        assert group_pages(table.iloc[:0]) == []


class TestCloserLook:
    def test_facts_findings_copies_and_decisions(self, scanned):
        ids = list(read_samples(scanned)["sample"])
        app = press(opened("photos", scanned), "Look closer", 4)
        text = words(app)
        assert "40 × 32 pixels" in text and "odd" in text and "5 of 30" in text and "Split] No split" in text
        widget(app, "photos", scanned, KitKey.EXCLUDE, "case").click()
        assert "1 photo excluded." in words(again(app)) and row(scanned, ids[4])["excluded"]
        widget(app, "photos", scanned, KitKey.UNDO, "case").click()
        again(app)
        assert not row(scanned, ids[4])["excluded"]
        relabel(app, "photos", scanned, "Something new", "case")
        assert row(scanned, ids[4])["label"] == "Something new" and "Original class" in words(app)

    def test_previous_and_next(self, dataset):
        app = press(opened("photos", dataset), "Look closer", 0)
        assert next(button for button in app.button if button.label == "Previous").disabled
        press(app, "Next")
        assert "2 of 30" in words(app)
        press(app, "Previous")
        assert "1 of 30" in words(app)

    def test_copies_lead_to_each_other_and_back(self, scanned):
        app = press(opened("photos", scanned), "Look closer", 6)
        assert "of this photo**" not in words(app)
        set_filter(app, scanned, "text", "boot/00")
        first = read_samples(scanned)["sample"][0]
        app.session_state[KitKey.ORDER.of(Section("photos", scanned).place())] = (first,)
        change_address(app, {**app.query_params, "photo": first})
        assert "2 near-duplicates of this photo" in words(app)
        [button for button in app.button if button.label == "Look closer"][-1].click()
        assert "2 of 2" in words(again(app))
        press(app, "Previous")
        assert "1 of 2" in words(app)

    def test_photo_that_is_gone(self, dataset):
        for name in ("photos", "findings", "map"):
            app = opened(name, dataset, photo="f" * 64)
            assert "This photo isn't in the dataset" in words(app)

    def test_a_link_opens_the_photo_among_those_shown(self, dataset):
        third, fourth = read_samples(dataset)["sample"][2:4]
        app = opened("photos", dataset, photo=third)
        assert "3 of 30" in words(app)
        press(app, "Next")
        assert "4 of 30" in words(app) and fourth in app.query_params["photo"]

    def test_a_link_to_a_photo_that_the_filters_hide(self, dataset):
        sample = read_samples(dataset)["sample"][2]
        decide(dataset, [sample], Action.EXCLUDE)
        app = opened("photos", dataset, photo=sample)
        assert "of 29" not in words(app) and "red-badge[excluded]" in words(app)
        press(app, "Next")
        assert "1 of 29" in words(app)

    def test_the_result_of_an_action_is_not_shown_beside_the_next_photo(self, dataset):
        app = press(opened("photos", dataset), "Look closer", 0)
        widget(app, "photos", dataset, KitKey.EXCLUDE, "case").click()
        assert "1 photo excluded." in words(again(app))
        assert "1 photo excluded." not in words(press(app, "Next"))

    def test_splits_are_said_in_words(self, dataset):
        make_split(dataset, 0.2, 0.2)
        app = opened("photos", dataset)
        assert widget(app, "photos", dataset, Key.PHOTO_FILTER, "Split").options == ["Training", "Validation", "Test"]
        assert "gray-badge[training]" in words(app) and "gray-badge[train]" not in words(app)
        set_filter(app, dataset, "Split", ["Validation"])
        assert len(app.checkbox) == (read_samples(dataset)["split"] == "val").sum()
        assert "Split] Validation" in words(press(app, "Look closer", 0))

    def test_files_that_are_gone(self, dataset):
        app = press(opened("photos", dataset), "Look closer", 0)
        st.cache_data.clear()
        shutil.rmtree(dataset.images)
        shutil.rmtree(dataset.folder / "thumbnails")
        assert "file of this photo is missing" in words(again(app)) and len(app.checkbox) == PHOTOS_A_PAGE


class TestMap:
    def test_none_yet(self, dataset):
        assert "There is no map yet" in words(opened("map", dataset))

    def test_says_what_it_shows_and_every_photo_is_a_point(self, mapped):
        app = opened("map", mapped)
        assert "boot and clog overlap the most" in words(app)
        traces = json.loads(app.get("plotly_chart")[0].proto.spec)["data"]
        assert {"boot", "clog", "sandal"} <= {trace["name"] for trace in traces}
        assert sum(len(trace["text"]) for trace in traces) == 30
        assert "No photos are selected" in words(app) and not app.checkbox

    @pytest.mark.parametrize("color_by", ["Finding", "Split", "Class"])
    def test_colors(self, mapped, color_by):
        app = opened("map", mapped)
        widget(app, "map", mapped, Key.MAP_COLOR_BY).set_value(color_by)
        assert app.get("plotly_chart") is not None and len(again(app).get("plotly_chart")) == 1

    def test_selected_on_the_map(self, mapped):
        ids = list(read_samples(mapped)["sample"])
        app = opened("map", mapped)
        app.session_state[Section("map", mapped).key(Key.MAP_SELECTED)] = ids[:3]
        assert "**3 photos** on the map" in words(again(app))
        press(tick(app, 1), "Exclude")
        assert row(mapped, ids[1])["excluded"] and "**2 photos** on the map" in words(app)
        press(app, "Undo")
        assert "**3 photos** on the map" in words(app)

    def test_keyboard_twin_shows_the_farthest_first(self, mapped):
        samples = read_samples(mapped)
        app = opened("map", mapped)
        widget(app, "map", mapped, Key.MAP_CLASS).set_value("boot")
        assert "**12 photos** labeled boot" in words(again(app))
        press(tick(app, 0), "Exclude")
        assert row(mapped, samples["sample"][3])["excluded"], "the boot amid the clogs comes first"

    def test_overlap(self):
        places = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["x", "y"])
        places["label"] = ["a", "b", "c"] * 20
        places.loc[places["label"] == "c", "x"] += 50
        overlap = closest_classes(places)
        assert (overlap.one, overlap.other) == ("a", "b") and overlap.share > 0.3
        assert overlap_text(overlap) == "a and b overlap the most: look for mix-ups there"
        assert default_classes(places, overlap) == ("a", "b", "c")
        assert closest_classes(places.head(6)) is None and "Similar photos" in overlap_text(None)
        assert overlap_text(Overlap("a", "b", 0.01)) == "No two classes overlap much"

    def test_points_know_their_photos(self):
        places = pd.DataFrame(
            {"sample": list("pqrs"), "x": [0, 1, 2, 3], "y": [0, 0, 0, 0], "label": ["a", "b", "a", "<i>"]}
        )
        places["kinds"], places["split"] = [(), ("dark",), ("dark", "blurry"), ()], ["train", None, "test", "train"]
        figure, samples = map_figure(places, color_groups(places, "Class", ("a",)))
        assert samples == [["q", "s"], ["p", "r"]]
        assert figure.data[0].text == ("b", "&lt;i&gt;") and figure.data[1].name == "a"
        named = places.assign(label=["train", "dark", "train", "dark"])
        figure, _ = map_figure(named, color_groups(named, "Class", ("train", "dark")))
        assert {trace.name for trace in figure.data if trace.showlegend} == {"train", "dark"}
        assert list(color_groups(places, "Finding", ())) == ["", "Dark", "Dark", ""]
        assert list(color_groups(places, "Split", ())) == ["Training", "", "Test", "Training"]
        assert list(farthest_from_center(places.assign(x=[0, 1, 9, 3]), "a")["sample"]) in (["p", "r"], ["r", "p"])


class TestHistory:
    def test_nothing_yet(self, dataset):
        assert "No decisions yet" in words(opened("history", dataset))

    def test_newest_first_by_whom_and_undo(self, dataset):
        ids = list(read_samples(dataset)["sample"])
        decide(dataset, ids[:3], Action.EXCLUDE, author="somebody else")
        decide(dataset, ids[4:5], Action.RELABEL, ODD_CLASS)
        app = opened("history", dataset)
        assert "**4 decisions**, 4 active" in words(app)
        assert words(app).index("1 photo relabeled to") < words(app).index("3 photos excluded")
        assert "in another session" in words(app)
        press(app, "Undo", 0)
        assert row(dataset, ids[4])["label"] == "boot" and "undone" in words(app)
        assert next(button for button in app.button if button.label == "Undo").disabled

    def test_a_batch_is_summed_up_whole(self, dataset):
        ids = list(read_samples(dataset)["sample"])
        batch = decide(dataset, ids[:3], Action.EXCLUDE)
        decide(dataset, ids[3:4], Action.RELABEL, "clog", batch=batch)
        decide(dataset, ids[4:7], Action.RELABEL, ODD_CLASS, batch=batch)
        app = opened("history", dataset)
        assert f"7 photos: 4 relabeled (3 to {ODD_CLASS}, 1 to clog), 3 excluded" in words(app)
        app.toggle[0].set_value(True)
        assert words(again(app)).count(":small[excluded]") == 3 and ":small[relabeled to clog]" in words(app)

    @pytest.mark.parametrize(
        ("decisions", "text"),
        [
            (["keep"], "1 photo kept"),
            (["exclude"] * 2, "2 photos excluded"),
            (["a", "a"], "2 photos relabeled to a"),
            (["b", "a", "a"], "3 photos relabeled (2 to a, 1 to b)"),
            (["exclude", "keep", "a"], "3 photos: 1 relabeled to a, 1 excluded, 1 kept"),
            (list("aabbccddef"), "10 photos relabeled (2 to a, 2 to b, 2 to c, 2 to d, 2 to 2 other classes)"),
        ],
    )
    def test_batches_in_words(self, decisions, text):
        actions = [name if name in ("keep", "exclude") else "relabel" for name in decisions]
        labels = [None if name in ("keep", "exclude") else name for name in decisions]
        rows = {"decision": range(len(decisions)), "sample": range(len(decisions)), "action": actions, "label": labels}
        table = pd.DataFrame(rows).assign(batch="b", time=0.0, author="me", undone=None)
        assert batch_text(table) == text

    def test_own_decisions_are_mine(self, dataset):
        app = opened("history", dataset)
        app.session_state[KitKey.AUTHOR] = "me"
        decide(dataset, [read_samples(dataset)["sample"][0]], Action.KEEP, author="me")
        assert "by you" in words(again(app))

    def test_one_of_many(self, dataset):
        ids = list(read_samples(dataset)["sample"])
        decide(dataset, ids[:3], Action.EXCLUDE)
        app = opened("history", dataset)
        app.toggle[0].set_value(True)
        press(again(app), "Undo for this photo", 1)
        assert [bool(row(dataset, one)["excluded"]) for one in ids[:3]] == [True, False, True]
        assert "1 of 3 undone" in words(app)
        press(app, "Undo")
        assert not read_samples(dataset)["excluded"].any()

    def test_pages(self, dataset):
        ids = list(read_samples(dataset)["sample"])
        for _ in range(15):
            decide(dataset, ids[:1], Action.KEEP)
        app = opened("history", dataset)
        assert labels(app).count("Undo") == 12
        app.get("pagination")[0].select(2)
        assert labels(again(app)).count("Undo") == 3


class TestTwoSessions:
    def test_each_sees_what_the_other_decided(self, dataset):
        one, other = opened("photos", dataset), opened("photos", dataset)
        press(tick(one, 0), "Exclude")
        assert "**29** of 30" in words(again(other))
        authors = set(history(dataset)["author"])
        press(tick(other, 0), "Exclude")
        assert len(set(history(dataset)["author"]) - authors) == 1, "each session is somebody"
        assert "**28** of 30" in words(again(one))

    def test_taken_back_twice(self, dataset):
        one, other = press(tick(opened("photos", dataset), 0), "Exclude"), opened("history", dataset)
        press(other, "Undo")
        press(one, "Undo")
        assert "no such decision" in words(one) and "**30** of 30" in words(one)

    @pytest.mark.parametrize("name", ["photos", "findings", "map", "history"])
    def test_dataset_deleted_meanwhile(self, mapped, name):
        app = opened(name, mapped)
        shutil.rmtree(mapped.folder)
        assert "isn't here" in words(again(app))

    def test_dataset_deleted_before_a_decision(self, dataset):
        app = tick(opened("photos", dataset), 0)
        shutil.rmtree(dataset.folder)
        press(app, "Exclude")
        assert "isn't here" in words(app)


class TestNames:
    def test_shown_as_they_are_written(self, tmp_path):
        folder = tmp_path / "photos"
        for number, label in enumerate(["a_b *c* [d](e)", "e" * 120, "👟 shoe"]):
            write(folder / label / f"<i>{number}_$x$.jpg", jpeg(photo_of_class(number, number)))
        dataset = create_dataset(tmp_path / "workspace", "<b>*x*")
        import_photos(dataset, folder)
        app = opened("photos", dataset)
        assert escape_markdown("a_b *c* [d](e)") in [box.label for box in app.checkbox]
        assert max(len(box.label) for box in app.checkbox) < 60
        press(app, "Look closer", 0)
        assert "$x$.jpg" in words(app)
        press(press(app, "Select this page"), "Exclude")
        assert "<i>" in words(opened("history", dataset)) or "3 photos excluded" in words(opened("history", dataset))
