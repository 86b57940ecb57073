"""Review decisions and their effects: class balance, splits, exports and training photos."""

import csv
import itertools
import os
import zipfile
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sneaker_core.csv_cells import escape_formula, unescape_formula
from sneaker_core.datasets.class_balance import BALANCE_COLUMNS, advice, balance, imbalance_ratio, stats
from sneaker_core.datasets.dataset_collection import create_dataset, open_samples
from sneaker_core.datasets.dataset_export import export_csv, export_folder, export_zip, exported
from sneaker_core.datasets.dataset_split import find_leaks, make_split
from sneaker_core.datasets.export_layouts import TABLE_FILE
from sneaker_core.datasets.importer import Importer, IncomingPhoto
from sneaker_core.datasets.index import Dataset, read_classes, read_samples
from sneaker_core.datasets.photo_folder import sample_id
from sneaker_core.datasets.quality.findings import (
    Kind,
    finding_rows,
    open_kinds,
    read_findings,
    read_near_duplicate_groups,
    store_findings,
)
from sneaker_core.datasets.quality.scan import scan
from sneaker_core.datasets.quality.suggestions import apply_suggestions, suggested_decisions
from sneaker_core.datasets.review_log import Action, decide, history, undo
from sneaker_core.datasets.review_summary import describe_changes, summarize_history
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.split import PRESETS, Split, parse_shares
from sneaker_core.errors import DatasetError
from sneaker_core.training.prepared_photos import prepare_photos
from sneaker_core.training.recipe import make_recipe
from tests.factories import draw_dataset, jpeg, photo

# Large enough not to be a finding.
SIZE = (160, 120)


def a_photo(seed: int, quality: int = 90, size: tuple[int, int] = SIZE) -> bytes:
    blocks = photo(seed, (16, 12)).resize(size, Image.Resampling.NEAREST)
    return jpeg(blocks, quality)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Dataset]:
    """Create datasets from (name, label, split, bytes)."""

    def made(*rows: tuple[str, str, str | None, bytes], name: str = "Shoes") -> Dataset:
        dataset = create_dataset(tmp_path, name)
        with Importer(dataset, "test") as importer:
            for file, label, split, data in rows:
                assert importer.add(IncomingPhoto(file, label, data, split)).reason is None
        return dataset

    return made


@pytest.fixture
def three(make: Callable[..., Dataset]) -> tuple[Dataset, list[str]]:
    """Three photos (two boots and a clog) and their ids."""
    rows = [(f"{number}.jpg", label, None, a_photo(number)) for number, label in enumerate(("boot", "boot", "clog"))]
    return make(*rows), [sample_id(row[3]) for row in rows]


def classes_of(make: Callable[..., Dataset], counts: Mapping[str, int], name: str = "Shoes") -> Dataset:
    seeds = itertools.count()
    return make(
        *((f"{seed}.jpg", label, None, a_photo(seed, size=(24, 16))) for label, count in counts.items()
          for seed in itertools.islice(seeds, count)),
        name=name,
    )  # fmt: skip


def standing(dataset: Dataset) -> dict[str, tuple[str, bool]]:
    rows = read_samples(dataset)
    return dict(zip(rows["sample"], zip(rows["label"], rows["excluded"], strict=True), strict=True))


class TestDecisions:
    def test_decisions_apply_immediately(self, three):
        dataset, (first, second, third) = three
        decide(dataset, [first], Action.EXCLUDE)
        decide(dataset, [second, third], Action.RELABEL, " sandal ")
        decide(dataset, [third], Action.KEEP)
        assert standing(dataset) == {first: ("boot", True), second: ("sandal", False), third: ("sandal", False)}
        assert read_classes(dataset) == ["boot", "clog", "sandal"]
        assert list(read_samples(dataset).set_index("sample")["original_label"][[first, second, third]]) == [
            "boot",
            "boot",
            "clog",
        ]

    def test_no_photo_is_ever_touched(self, three):
        dataset, samples = three
        before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in dataset.images.rglob("*.jpg")}
        batch = decide(dataset, samples, Action.RELABEL, "sandal")
        decide(dataset, samples, Action.EXCLUDE)
        undo(dataset, batch)
        assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in dataset.images.rglob("*.jpg")} == before

    @pytest.mark.parametrize("action", [Action.KEEP, Action.RELABEL])
    def test_keep_and_relabel_include_an_excluded_photo(self, three, action):
        dataset, (first, *_) = three
        decide(dataset, [first], Action.EXCLUDE)
        batch = decide(dataset, [first], action, "clog" if action is Action.RELABEL else None)
        assert standing(dataset)[first] == ("clog" if action is Action.RELABEL else "boot", False)
        undo(dataset, batch)
        assert standing(dataset)[first] == ("boot", True)

    @pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
    def test_decisions_are_undone_one_by_one_in_any_order(self, three, order):
        dataset, (first, *_) = three
        steps = [(Action.RELABEL, "a"), (Action.EXCLUDE, None), (Action.RELABEL, "b"), (Action.EXCLUDE, None)]
        batches = [decide(dataset, [first], action, label) for action, label in steps]
        left = list(range(4))
        for number in order:
            assert undo(dataset, batches[number]) == 1
            left.remove(number)
            labels = [steps[place][1] for place in left if steps[place][0] is Action.RELABEL]
            excluded = bool(left) and steps[left[-1]][0] is Action.EXCLUDE
            assert standing(dataset)[first] == (labels[-1] if labels else "boot", excluded)

    def test_a_batch_or_one_decision_of_it_is_undone(self, three):
        dataset, samples = three
        batch = decide(dataset, [*samples, samples[0]], Action.EXCLUDE)
        rows = history(dataset).set_index("sample")
        assert len(rows) == 3
        assert undo(dataset, decision=int(rows["decision"][samples[1]])) == 1
        assert [standing(dataset)[sample][1] for sample in samples] == [True, False, True]
        assert undo(dataset, batch) == 2
        assert not any(excluded for _, excluded in standing(dataset).values())

    def test_undo_takes_the_last_batch_of_its_author(self, three):
        dataset, (first, second, third) = three
        decide(dataset, [first], Action.EXCLUDE, author="ann")
        decide(dataset, [second], Action.EXCLUDE, author="bob")
        decide(dataset, [third], Action.EXCLUDE, author="ann")
        undo(dataset, author="bob")
        assert [standing(dataset)[sample][1] for sample in (first, second, third)] == [True, False, True]
        undo(dataset)
        undo(dataset, author="ann")
        assert not any(excluded for _, excluded in standing(dataset).values())

    @pytest.mark.parametrize("which", [{}, {"author": "eve"}, {"batch": "nope"}, {"decision": 99}])
    def test_undo_of_nothing_is_reported(self, three, which):
        with pytest.raises(DatasetError, match="no such decision"):
            undo(three[0], **which)

    def test_nothing_is_undone_twice(self, three):
        dataset, (first, *_) = three
        batch = decide(dataset, [first], Action.EXCLUDE)
        undo(dataset, batch)
        with pytest.raises(DatasetError, match="no such decision"):
            undo(dataset, batch)

    def test_history_shows_every_decision_the_newest_first(self, three):
        dataset, (first, second, _) = three
        one = decide(dataset, [first], Action.RELABEL, "clog", kinds=["wrong_label", "blurry"], author="ann")
        two = decide(dataset, [first, second], Action.EXCLUDE, author="bob")
        undo(dataset, one)
        rows = history(dataset)
        assert list(rows["batch"]) == [two, two, one]
        assert list(rows["author"]) == ["bob", "bob", "ann"]
        assert list(rows["undone"].notna()) == [False, False, True]
        last = rows.iloc[-1]
        assert (last["sample"], last["name"], last["action"], last["label"]) == (first, "0.jpg", "relabel", "clog")
        assert last["kinds"] == ("blurry", "wrong_label")
        assert rows["label"].isna().tolist() == [True, True, False]

    def test_history_of_nothing_is_empty(self, three):
        assert len(history(three[0])) == 0

    @pytest.mark.parametrize(
        ("action", "label"),
        [
            (Action.RELABEL, None),
            (Action.RELABEL, " "),
            (Action.KEEP, "x"),
            (Action.EXCLUDE, "x"),
            (Action.RELABEL, "x" * 301),
        ],
    )
    def test_a_wrong_label_changes_nothing(self, three, action, label):
        dataset, (first, *_) = three
        with pytest.raises(DatasetError, match="class name"):
            decide(dataset, [first], action, label)
        assert (len(history(dataset)), read_classes(dataset)) == (0, ["boot", "clog"])

    def test_blank_labels_make_no_class(self, three):
        dataset, (first, *_) = three
        decide(dataset, [first], Action.EXCLUDE, " ")
        assert read_classes(dataset) == ["boot", "clog"]

    def test_an_unknown_photo_changes_nothing(self, three):
        dataset, (first, *_) = three
        with pytest.raises(DatasetError, match="no photo 'nope'"):
            decide(dataset, [first, "nope"], Action.RELABEL, "new")
        with pytest.raises(DatasetError, match="Choose at least one photo"):
            decide(dataset, [], Action.EXCLUDE)
        assert (standing(dataset)[first], read_classes(dataset)) == (("boot", False), ["boot", "clog"])

    @given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.booleans()), max_size=8))
    @settings(max_examples=10, deadline=None)
    def test_all_undone_all_is_as_it_was(self, tmp_path_factory, steps):
        dataset = create_dataset(tmp_path_factory.mktemp("undone"), "x")
        data = [a_photo(seed, size=(24, 16)) for seed in range(3)]
        with Importer(dataset, "test") as importer:
            samples = [importer.add(IncomingPhoto(str(n), "boot", one)).sample for n, one in enumerate(data)]
        before = standing(dataset)
        actions = [(Action.KEEP, None), (Action.EXCLUDE, None), (Action.RELABEL, "a"), (Action.RELABEL, "b")]
        batches = []
        for chosen, action, both in steps:
            some = samples[chosen:] if both else [samples[chosen]]
            batches.append(decide(dataset, some, *actions[action]))
        for batch in sorted(batches):
            undo(dataset, batch)
        assert standing(dataset) == before


@pytest.fixture
def flawed(make: Callable[..., Dataset]) -> tuple[Dataset, dict[str, str]]:
    """A scanned dataset with near-duplicates and exact duplicates, some with two labels, and dark photos."""
    dark = jpeg(photo(50, (16, 12)).resize(SIZE, Image.Resampling.NEAREST).point(lambda value: value // 20))
    files = {
        "large": ("boot", a_photo(1, size=(320, 240))),
        "small": ("boot", a_photo(1, 60)),
        "smaller": ("boot", a_photo(1, 50, (140, 105))),
        "as boot": ("boot", a_photo(2)),
        "as clog": ("clog", a_photo(2, 55)),
        "twice": ("boot", a_photo(3)),
        "dark": ("clog", dark),
        "good": ("clog", a_photo(4)),
    }
    dataset = make(
        *((name, label, None, data) for name, (label, data) in files.items()),
        ("again", "clog", None, files["twice"][1]),
    )
    scan(dataset, None)
    return dataset, {name: sample_id(data) for name, (_, data) in files.items()}


def found(dataset: Dataset, names: Mapping[str, str], *, dismissed: bool = False) -> set[tuple[str, str]]:
    by_sample = {sample: name for name, sample in names.items()}
    rows = read_findings(dataset, dismissed=dismissed)
    return {(by_sample[row.sample], row.kind) for row in rows.itertuples() if dismissed or row.open}


ALL_FOUND = {
    ("large", "near_duplicate"), ("small", "near_duplicate"), ("smaller", "near_duplicate"),
    ("as boot", "near_duplicate"), ("as clog", "near_duplicate"),
    ("as boot", "two_labels"), ("as clog", "two_labels"), ("twice", "two_labels"),
    ("dark", "dark"),
}  # fmt: skip


class TestHistory:
    def test_a_batch_is_described_by_all_that_it_did(self, make):
        rows = [(f"{number}.jpg", "boot", None, a_photo(number)) for number in range(8)]
        dataset, ids = make(*rows), [sample_id(row[3]) for row in rows]
        batch = decide(dataset, ids[:3], Action.EXCLUDE, author="ann")
        decide(dataset, ids[3:7], Action.RELABEL, "Air Jordan 3", author="ann", batch=batch)
        decide(dataset, ids[7:], Action.RELABEL, "Air Jordan 4", author="ann", batch=batch)
        undo(dataset, decision=int(history(dataset)["decision"].min()))
        later = decide(dataset, ids[:1], Action.KEEP, author="bob")
        newest, oldest = summarize_history(history(dataset))
        assert (newest.batch, newest.author, newest.photos, newest.undone) == (later, "bob", 1, 0)
        assert (oldest.batch, oldest.author, oldest.photos, oldest.decisions, oldest.undone) == (batch, "ann", 8, 8, 1)
        assert newest.time > oldest.time
        assert describe_changes(newest.changes) == "1 photo kept"
        assert describe_changes(oldest.changes) == (
            "4 photos relabeled to Air Jordan 3, 3 photos excluded, 1 photo relabeled to Air Jordan 4"
        )
        assert describe_changes(oldest.changes[:1], str.upper) == "4 photos relabeled to AIR JORDAN 3"


class TestFindings:
    def test_everything_planted_is_found(self, flawed):
        assert found(*flawed) == ALL_FOUND

    def test_the_most_severe_come_first_and_groups_stay_together(self, flawed):
        dataset, _ = flawed
        rows = read_findings(dataset)
        order = [kind.value for kind in Kind]
        assert list(rows["kind"]) == sorted(rows["kind"], key=order.index)
        copies = rows[rows["kind"] == "near_duplicate"]
        assert copies["group_id"].ne(copies["group_id"].shift()).sum() == 2
        assert copies.groupby("group_id")["score"].min().tolist() == [0.5, 0.5]
        assert all(rows["advice"].str.len() > 10)

    def test_what_is_dismissed_stays_so_after_another_scan(self, flawed):
        dataset, names = flawed
        batch = decide(dataset, [names["dark"], names["twice"]], Action.KEEP, kinds=["dark", "two_labels"])
        left = ALL_FOUND - {("dark", "dark"), ("twice", "two_labels")}
        assert found(dataset, names) == left
        scan(dataset, None)
        assert found(dataset, names) == left
        assert found(dataset, names, dismissed=True) == ALL_FOUND
        undo(dataset, batch)
        assert found(dataset, names) == ALL_FOUND

    def test_excluded_photos_have_no_open_findings_and_leave_no_near_duplicate_behind(self, flawed):
        dataset, names = flawed
        decide(dataset, [names["as clog"]], Action.EXCLUDE)
        left = {(name, kind) for name, kind in ALL_FOUND if name != "as clog"}
        assert found(dataset, names) == left - {("as boot", "two_labels"), ("as boot", "near_duplicate")}
        scan(dataset, None)
        # The other photo of the group is the only one left, so its label is no longer in doubt.
        assert found(dataset, names) == {(name, kind) for name, kind in ALL_FOUND if not name.startswith("as ")}

    def test_a_relabeling_resolves_label_findings(self, flawed):
        dataset, names = flawed
        decide(dataset, [names["twice"]], Action.RELABEL, "clog")
        assert ("twice", "two_labels") not in found(dataset, names)

    def test_a_relabeling_resolves_findings_of_its_near_duplicates(self, flawed):
        dataset, names = flawed
        decide(dataset, [names["as clog"]], Action.RELABEL, "boot")
        scan(dataset, None)
        assert {kind for name, kind in found(dataset, names) if name.startswith("as ")} == {"near_duplicate"}

    def test_open_kinds_are_those_of_the_photos(self, flawed):
        dataset, names = flawed
        assert open_kinds(dataset, [names["as boot"], names["dark"]]) == ["dark", "near_duplicate", "two_labels"]
        assert open_kinds(dataset, [names["good"]]) == []


class TestSuggestions:
    def test_the_largest_near_duplicate_stays_and_contradictions_go(self, flawed):
        dataset, names = flawed
        suggested = suggested_decisions(dataset)
        by_name = {name: sample for name, sample in names.items() if sample in set(suggested["sample"])}
        assert set(by_name) == {"small", "smaller", "as boot", "as clog", "twice"}
        assert set(suggested["action"]) == {Action.EXCLUDE}
        assert dict(zip(suggested["sample"], suggested["kinds"], strict=True))[names["twice"]] == ("two_labels",)

    def test_applied_suggestions_can_be_undone(self, flawed):
        dataset, names = flawed
        before = standing(dataset)
        batch = apply_suggestions(dataset, author="me")
        gone = {name for name, sample in names.items() if standing(dataset)[sample][1]}
        assert gone == {"small", "smaller", "as boot", "as clog", "twice"}
        assert len(suggested_decisions(dataset)) == 0
        assert apply_suggestions(dataset) is None
        assert undo(dataset, batch) == 5
        assert standing(dataset) == before

    def test_one_near_duplicate_is_left_after_any_earlier_decisions(self, flawed):
        dataset, names = flawed
        decide(dataset, [names["large"]], Action.EXCLUDE)
        apply_suggestions(dataset)
        assert [name for name in ("large", "small", "smaller") if not standing(dataset)[names[name]][1]] == ["small"]

    def test_wrong_labels_become_what_was_read(self, flawed):
        dataset, names = flawed
        rows = finding_rows([names["good"], names["twice"]], Kind.WRONG_LABEL, [0.9, 0.9], suggestion=["boot", "clog"])
        both = pd.concat([read_findings(dataset).drop(columns="open"), rows], ignore_index=True)
        store_findings(dataset, both, read_near_duplicate_groups(dataset), {"photos": 8})
        apply_suggestions(dataset)
        assert standing(dataset)[names["good"]] == ("boot", False)
        assert standing(dataset)[names["twice"]] == ("boot", True)
        assert standing(dataset)[names["large"]] == ("boot", False)
        relabeled = history(dataset).set_index("sample").loc[names["good"]]
        assert (relabeled["action"], relabeled["label"], relabeled["kinds"]) == ("relabel", "boot", ("wrong_label",))

    def test_a_class_that_is_gone_is_not_suggested(self, flawed):
        dataset, names = flawed
        rows = finding_rows([names["good"]], Kind.WRONG_LABEL, [0.9], suggestion=["heel"])
        store_findings(dataset, rows, read_near_duplicate_groups(dataset), {"photos": 8})
        assert len(suggested_decisions(dataset)) == 0

    def test_nothing_is_suggested_before_a_scan(self, three):
        assert len(suggested_decisions(three[0])) == 0
        assert apply_suggestions(three[0]) is None


class TestSplit:
    @pytest.mark.parametrize("text", PRESETS)
    def test_presets_are_what_they_are_called(self, text):
        assert parse_shares(text) == pytest.approx(PRESETS[text])

    @pytest.mark.parametrize(("text", "shares"), [("3/1/1", (0.2, 0.2)), ("1:1", (0, 0.5)), ("100:0", (0, 0))])
    def test_shares_are_read_in_any_numbers(self, text, shares):
        assert parse_shares(text) == pytest.approx(shares)

    @pytest.mark.parametrize(
        "text", ["", "80", "a:b", "80:20:", "1/2/3/4", "-1:2", "0:0", "nan:1", "inf:1", "1e308:1e308", "80 20", "80;20"]
    )
    def test_shares_that_are_none_are_reported(self, text):
        with pytest.raises(DatasetError, match="80:20"):
            parse_shares(text)

    def test_every_class_gives_its_share_and_it_is_stored(self, make):
        dataset = classes_of(make, {"boot": 20, "clog": 40})
        make_split(dataset, *PRESETS["70/15/15"], seed=4)
        rows = read_samples(dataset)
        assert pd.crosstab(rows["label"], rows["split"]).to_dict("index") == {
            "boot": {"train": 14, "val": 3, "test": 3}, "clog": {"train": 28, "val": 6, "test": 6},
        }  # fmt: skip
        assert dataset.fact("split") == {"kind": "made", "val_share": 0.15, "test_share": 0.15, "seed": 4}
        again = rows["split"]
        make_split(dataset, 0.15, 0.15, seed=5)
        assert not read_samples(dataset)["split"].equals(again)
        make_split(dataset, 0.15, 0.15, seed=4)
        pd.testing.assert_series_equal(read_samples(dataset)["split"], again)

    def test_near_duplicates_stay_on_one_side(self, make):
        dataset = make(
            *(
                (f"{seed}-{quality}", "boot", None, a_photo(seed, quality))
                for seed in range(8)
                for quality in (90, 60, 45)
            )
        )
        scan(dataset, None)
        for seed in range(4):
            make_split(dataset, 0.25, 0.25, seed)
            rows = read_samples(dataset)
            assert set(rows.groupby(rows["sample"].map(read_near_duplicate_groups(dataset)))["split"].nunique()) == {1}
            assert set(rows["split"]) == {"train", "val", "test"}
            assert len(find_leaks(dataset)) == 0

    def test_excluded_photos_are_in_no_split(self, make):
        dataset = classes_of(make, {"boot": 10, "clog": 10})
        samples = list(read_samples(dataset)["sample"])
        make_split(dataset, 0.2, 0.2)
        batch = decide(dataset, samples[:2], Action.EXCLUDE)
        make_split(dataset, 0.2, 0.2)
        assert read_samples(dataset).set_index("sample").loc[samples[:2], "split"].isna().all()
        undo(dataset, batch)
        assert balance(read_samples(dataset))["unassigned"].sum() == 2

    @pytest.mark.parametrize("shares", [(0.5, 0.5), (0.0, 1.0)])
    def test_a_split_that_cannot_be_made_leaves_the_old_one(self, make, shares):
        dataset = classes_of(make, {"boot": 10, "clog": 10})
        make_split(dataset, 0.2, 0.2)
        before = read_samples(dataset)
        with pytest.raises(DatasetError, match="leave no photos to train on"):
            make_split(dataset, *shares)
        pd.testing.assert_frame_equal(read_samples(dataset), before)

    def test_leaks_of_a_given_split_are_found(self, make):
        dataset = make(
            ("a", "boot", "train", a_photo(1)),
            ("a copied", "boot", "test", a_photo(1, 50)),
            ("b", "boot", "train", a_photo(2)),
            ("b the same", "boot", "val", a_photo(2)),
            ("c", "clog", "train", a_photo(3)),
            ("c copied", "clog", "train", a_photo(3, 50)),
            ("d", "clog", "test", a_photo(4)),
        )
        assert dataset.fact("split") == {"kind": "given"}
        # Before a scan, only exact duplicates are recognized.
        assert set(find_leaks(dataset)["sample"]) == {sample_id(a_photo(2))}
        scan(dataset, None)
        leaks = find_leaks(dataset)
        told = {(row.sample, row.split, row.label) for row in leaks.itertuples()}
        assert told == {
            (sample_id(a_photo(1)), "train", "boot"), (sample_id(a_photo(1, 50)), "test", "boot"),
            (sample_id(a_photo(2)), "train", "boot"), (sample_id(a_photo(2)), "val", "boot"),
        }  # fmt: skip
        assert leaks["group_id"].nunique() == 2
        decide(dataset, [sample_id(a_photo(1, 50))], Action.EXCLUDE)
        assert set(find_leaks(dataset)["sample"]) == {sample_id(a_photo(2))}
        decide(dataset, [sample_id(a_photo(1, 50))], Action.KEEP)
        make_split(dataset, 0.2, 0.2)
        assert len(find_leaks(dataset)) == 0

    def test_without_a_split_nothing_leaks(self, three):
        assert len(find_leaks(three[0])) == 0


class TestSummary:
    def test_balance_counts_what_is_in(self, make):
        dataset = make(
            *((str(seed), "boot", "train", a_photo(seed)) for seed in range(3)),
            ("3", "boot", "test", a_photo(3)), ("4", "clog", "val", a_photo(4)), ("5", "clog", None, a_photo(5)),
            ("6", "heel", None, a_photo(6)),
        )  # fmt: skip
        decide(dataset, [sample_id(a_photo(0)), sample_id(a_photo(6))], Action.EXCLUDE)
        table = balance(read_samples(dataset))
        assert list(table.columns) == BALANCE_COLUMNS
        assert table.to_numpy().tolist() == [["boot", 2, 0, 1, 0, 3], ["clog", 0, 1, 0, 1, 2]]
        assert imbalance_ratio(read_samples(dataset)) == 1.5

    @pytest.mark.parametrize(
        ("counts", "ratio", "said"),
        [
            ({}, None, "No photos yet"),
            ({"boot": 30}, None, "only one class, boot"),
            ({"boot": 30, "clog": 4, "heel": 5, "pump": 6, "shoe": 7}, 7.5, "clog (4), heel (5), pump (6) and 1 more"),
            ({"boot": 30, "clog": 25}, 1.2, "well balanced"),
            ({"boot": 60, "clog": 20}, 3.0, "more photos of clog would help most"),
            ({"boot": 120, "clog": 20}, 6.0, "6 times as many"),
        ],
    )
    def test_advice_is_one_sentence_about_the_balance(self, tmp_path, counts, ratio, said):
        rows = [(label, False, None) for label, count in counts.items() for _ in range(count)]
        samples = pd.DataFrame([*rows, ("gone", True, None)], columns=["label", "excluded", "split"])
        assert imbalance_ratio(samples) == ratio
        assert said in advice(samples)
        assert advice(samples).endswith(".")
        assert list(balance(samples)["total"]) == sorted(counts.values(), reverse=True)

    def test_an_empty_dataset_has_figures_too(self, tmp_path):
        values = stats(create_dataset(tmp_path, "Empty"))
        assert (values["photos"], values["files"], values["classes"], values["median_size"]) == (0, 0, {}, None)
        assert (values["imbalance_ratio"], values["split"], values["scan"]) == (None, None, None)

    def test_stats_add_up(self, flawed):
        dataset, names = flawed
        decide(dataset, [names["good"]], Action.EXCLUDE)
        with Importer(dataset, "test") as importer:
            importer.reject("bad.jpg", "It is bad.")
        values = stats(dataset)
        assert (values["photos"], values["excluded"], values["files"], values["rejects"]) == (7, 1, 10, 1)
        assert (values["exact_duplicates"], values["exact_under_two_labels"], values["near_duplicates"]) == (1, 1, 5)
        assert {label: row["total"] for label, row in values["classes"].items()} == {"boot": 5, "clog": 2}
        assert {kind: count for kind, count in values["findings"].items() if count} == {
            "two_labels": 3, "near_duplicate": 5, "dark": 1,
        }  # fmt: skip
        assert set(values["findings"]) == set(Kind)
        assert values["median_size"] == [160, 120]
        assert (values["scan"]["photos"], values["scan"]["model"]) == (8, None)


AWKWARD = [
    "Air Jordan 1",
    "a/b",
    "a_b",
    "Boot",
    "boot",
    "=1+1",
    "+5",
    "-x",
    "'=quoted",
    'Größe; "42", x',
    "👟",
    "CON",
    "../up",
]


@pytest.fixture
def awkward(make: Callable[..., Dataset]) -> Dataset:
    """Two photos of each of many classes with awkward names."""
    rows = [(f"@{number}.jpg", label, None, a_photo(number, size=(24, 16))) for number, label in enumerate(AWKWARD * 2)]
    return make(*rows)


def labels_and_splits(dataset: Dataset) -> dict[str, tuple[str, str | None]]:
    rows = read_samples(dataset)
    rows = rows[~rows["excluded"]]
    return dict(zip(rows["sample"], zip(rows["label"], rows["split"], strict=True), strict=True))


class TestExport:
    @pytest.mark.parametrize("split", ["none", "all", "some"])
    @pytest.mark.parametrize("write", [export_folder, export_zip])
    def test_importing_an_export_gives_the_same_again(self, awkward, tmp_path, write, split):
        if split != "none":
            make_split(awkward, 0.0, 0.5)
        if split == "some":
            with Importer(awkward, "later") as importer:
                importer.add(IncomingPhoto("late.jpg", "boot", a_photo(99, size=(24, 16))))
        samples = list(read_samples(awkward)["sample"])
        decide(awkward, samples[:1], Action.EXCLUDE)
        decide(awkward, samples[1:2], Action.RELABEL, "re/labeled")
        count = len(samples) - 1
        assert write(awkward, tmp_path / "out.zip") == count
        back = create_dataset(tmp_path, "Back")
        result = import_photos(back, tmp_path / "out.zip")
        assert (result.added, result.rejected) == (count, {})
        assert labels_and_splits(back) == labels_and_splits(awkward)

    def test_without_its_table_an_export_is_laid_out_by_folders(self, awkward, tmp_path):
        make_split(awkward, 0.0, 0.5)
        export_folder(awkward, tmp_path / "out")
        (tmp_path / "out" / TABLE_FILE).unlink()
        folders = {path.relative_to(tmp_path / "out").parts[:-1] for path in (tmp_path / "out").rglob("*.jpg")}
        assert {parts[0] for parts in folders} == {"train", "test"}
        assert len(folders) == 2 * len(AWKWARD)
        assert len({parts[1].lower() for parts in folders}) == len(AWKWARD)

    def test_the_table_holds_nothing_that_a_spreadsheet_runs(self, awkward):
        text = export_csv(awkward).decode()
        rows = list(csv.reader(StringIO(text)))
        assert rows[0] == ["file", "label", "split", "sample", "name", "width", "height"]
        assert not [cell for row in rows for cell in row if cell.lstrip(" '")[:1] in set("=+-@") and cell[:1] != "'"]
        assert {unescape_formula(row[1]) for row in rows[1:]} == set(AWKWARD)
        assert len(rows) == 1 + 2 * len(AWKWARD)

    @given(st.text(st.sampled_from("'=+-@ aß＝\t\n"), max_size=6))
    @settings(max_examples=200, deadline=None)
    def test_a_harmless_cell_can_be_read_again(self, text):
        assert unescape_formula(escape_formula(text)) == text
        assert escape_formula(text).lstrip(" ")[:1] not in {*"=+-@\t\n\r＝＋－＠"}

    def test_an_archive_holds_what_a_folder_holds(self, awkward, tmp_path):
        export_folder(awkward, tmp_path / "out")
        export_zip(awkward, tmp_path / "deeper" / "out.zip")
        with zipfile.ZipFile(tmp_path / "deeper" / "out.zip") as archive:
            packed = {name: archive.read(name) for name in archive.namelist()}
        out = tmp_path / "out"
        assert packed == {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()}
        assert {sample_id(data) for name, data in packed.items() if name != TABLE_FILE} == set(
            exported(awkward)["sample"]
        )

    def test_a_place_in_use_is_refused_and_left(self, three, tmp_path):
        (tmp_path / "out").mkdir()
        with pytest.raises(DatasetError, match="choose another folder"):
            export_folder(three[0], tmp_path / "out")
        with pytest.raises(DatasetError, match="Can't write"):
            export_zip(three[0], tmp_path / "out")
        assert {path.name for path in tmp_path.iterdir()} == {"datasets", "out"}

    def test_a_photo_that_is_gone_leaves_no_half_export(self, three, tmp_path):
        dataset, _ = three
        Path(read_samples(dataset)["path"][1]).unlink()
        gone = read_samples(dataset).iloc[1]
        for write in (export_folder, export_zip):
            with pytest.raises(
                DatasetError, match=rf"{gone['name']} of the class {gone['label']}.*No such file"
            ) as told:
                write(dataset, tmp_path / "out")
            assert "Put the file back or exclude the photo" in str(told.value) and "Can't write" not in str(told.value)
        Path(read_samples(dataset)["path"][0]).unlink()
        with pytest.raises(DatasetError, match=r"1 more file is missing\. Put"):
            export_zip(dataset, tmp_path / "out")
        assert {path.name for path in tmp_path.iterdir()} == {"datasets"}

    @pytest.mark.parametrize("year", [1970, 1979, 2150])
    def test_photos_of_any_age_fit_into_an_archive(self, three, tmp_path, year):
        dataset, _ = three
        path = Path(read_samples(dataset)["path"][0])
        os.utime(path, (0, (year - 1970) * 31_557_000))
        export_zip(dataset, tmp_path / "out.zip")
        with zipfile.ZipFile(tmp_path / "out.zip") as archive:
            (entry,) = [entry for entry in archive.infolist() if entry.filename.endswith(path.name)]
            assert entry.date_time[0] == min(max(year, 1980), 2107)
            assert archive.read(entry) == path.read_bytes()

    def test_an_empty_dataset_makes_a_table_without_rows(self, tmp_path):
        assert export_csv(create_dataset(tmp_path, "Empty")).count(b"\n") == 1


def prepared(workspace, changes) -> pd.DataFrame:
    samples = open_samples(workspace, "Shoes")
    return prepare_photos("Shoes", samples, make_recipe("scratch", changes), None, workspace).samples


class TestForTraining:
    def test_a_dataset_as_it_was_reviewed(self, three, tmp_path):
        dataset, (first, second, third) = three
        decide(dataset, [first], Action.EXCLUDE)
        decide(dataset, [second], Action.RELABEL, "clog")
        rows = open_samples(tmp_path, "Shoes")
        assert list(rows.columns) == ["sample", "path", "label", "split"]
        assert dict(zip(rows["sample"], rows["label"], strict=True)) == {second: "clog", third: "clog"}
        assert all(sample_id(Path(row.path).read_bytes()) == row.sample for row in rows.itertuples())

    def test_only_some_classes(self, three, tmp_path):
        assert set(open_samples(tmp_path, "Shoes", ("clog",))["label"]) == {"clog"}
        with pytest.raises(DatasetError, match="no photos of 'heel', 'pump'"):
            open_samples(tmp_path, "Shoes", ("pump", "boot", "heel"))

    def test_a_dataset_goes_before_a_folder_of_that_name(self, three, tmp_path, monkeypatch):
        draw_dataset(tmp_path / "here" / "Shoes", {"heel": 2})
        draw_dataset(tmp_path / "here" / "photos", {"heel": 2})
        monkeypatch.chdir(tmp_path / "here")
        assert set(open_samples(tmp_path, "Shoes")["label"]) == {"boot", "clog"}
        folder = open_samples(tmp_path, "photos")
        assert set(folder["label"]) == {"heel"}
        assert folder["split"].isna().all()

    @pytest.mark.parametrize("source", ["nope", "x" * 300, "\0"])
    def test_neither_is_an_error_that_lists_the_datasets(self, three, tmp_path, source):
        with pytest.raises(DatasetError, match="Available datasets: 'Shoes'"):
            open_samples(tmp_path, source)

    def test_an_empty_dataset_is_reported(self, tmp_path):
        create_dataset(tmp_path, "Empty")
        with pytest.raises(DatasetError, match="no photos yet"):
            open_samples(tmp_path, "Empty")

    def test_a_stored_split_is_kept(self, make, tmp_path):
        dataset = classes_of(make, {"boot": 12, "clog": 12})
        make_split(dataset, 0.25, 0.25)
        used = prepared(tmp_path, {"size": 32})
        stored = read_samples(dataset).set_index("sample")["split"]
        assert (used.set_index("sample")["split"] == stored[used["sample"]]).all()

    def test_what_a_stored_split_lacks_is_taken_from_training(self, make, tmp_path):
        dataset = classes_of(make, {"boot": 20, "clog": 20})
        make_split(dataset, *PRESETS["80:20"])
        used = prepared(tmp_path, {"size": 32, "val_share": 0.25})
        stored = read_samples(dataset).set_index("sample")["split"]
        split = used.set_index("sample")["split"]
        assert set(split[stored == "test"]) == {Split.TEST}
        assert split.value_counts().to_dict() == {"train": 24, "val": 8, "test": 8}
        assert set(stored[split[split == "val"].index]) == {Split.TRAIN}

    def test_an_unassigned_photo_goes_with_its_copies(self, make, tmp_path):
        dataset = make(
            *(
                (f"{label}{n}", label, None, a_photo(100 * k + n))
                for k, label in enumerate(("boot", "clog"))
                for n in range(8)
            )
        )
        make_split(dataset, 0.25, 0.25)
        stored = read_samples(dataset).set_index("sample")["split"]
        late = {}
        with Importer(dataset, "later") as importer:
            for k, label in enumerate(("boot", "clog")):
                for seed in range(100 * k, 100 * k + 8):
                    sample = importer.add(IncomingPhoto("late", label, a_photo(seed, 55))).sample
                    late[sample] = stored[sample_id(a_photo(seed))]
            alone = importer.add(IncomingPhoto("alone", "boot", a_photo(999))).sample
        split = prepared(tmp_path, {"size": 32})
        split = split.set_index("sample")["split"]
        assert {sample: split[sample] for sample in late} == late
        assert set(late.values()) == {"train", "val", "test"}
        assert split[alone] == "train"
