"""Classes whose names differ only in spelling: found, merged as an undoable decision, or kept apart."""

import json
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from sneaker_core.__main__ import main
from sneaker_core.datasets.class_balance import stats
from sneaker_core.datasets.dataset_collection import create_dataset, open_samples
from sneaker_core.datasets.importer import Importer, IncomingPhoto
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.quality.class_spellings import (
    class_spellings,
    keep_apart,
    merge_classes,
    merge_spellings,
    spellings_title,
)
from sneaker_core.datasets.quality.finding_rules import near_duplicate_findings
from sneaker_core.datasets.quality.findings import Kind, finding_rows, read_findings, store_findings
from sneaker_core.datasets.quality.scan import scan
from sneaker_core.datasets.review_log import Action, decide, history, undo
from sneaker_core.datasets.review_summary import describe_changes, summarize_history
from sneaker_core.errors import DatasetError
from tests.factories import PROJECT, jpeg, photo
from ui.datasets.history_view import batch_text

COUNTS = {"Air Jordan 1": 3, "air_jordan_1": 2, "AIR-JORDAN 1": 1, "574": 1, "5-74": 1, "boot": 2, "Boot": 1}


@pytest.fixture
def shoes(tmp_path: Path) -> Dataset:
    dataset = create_dataset(tmp_path, "shoes")
    labels = [label for label, count in COUNTS.items() for _ in range(count)]
    with Importer(dataset, "test") as importer:
        for number, label in enumerate(labels):
            importer.add(IncomingPhoto(f"{number}.jpg", label, jpeg(photo(number, (120, 110)))))
    return dataset


def counts(dataset: Dataset) -> dict[str, int]:
    samples = read_samples(dataset)
    return samples.loc[~samples["excluded"], "label"].value_counts().to_dict()


def of_class(dataset: Dataset, label: str) -> list[str]:
    samples = read_samples(dataset)
    return list(samples.loc[samples["label"] == label, "sample"])


def test_groups_are_found_with_the_most_frequent_spelling_first(shoes):
    groups = class_spellings(shoes)
    assert [one.counts for one in groups] == [
        {"Air Jordan 1": 3, "air_jordan_1": 2, "AIR-JORDAN 1": 1},
        {"boot": 2, "Boot": 1},
    ]
    assert groups[1].question == "Boot (1 photo) -> boot (2 photos)?"
    assert stats(shoes)["spellings"] == [one.to_dict() for one in groups]
    assert spellings_title(2) == "2 groups of classes differ only in spelling"
    assert spellings_title(1) == "1 group of classes differs only in spelling"
    decide(shoes, of_class(shoes, "Boot"), Action.EXCLUDE)
    assert len(class_spellings(shoes)) == 1


def test_merging_is_one_logged_decision_that_can_be_undone(shoes, tmp_path):
    batch = merge_spellings(shoes, "me")
    assert counts(shoes) == {"Air Jordan 1": 6, "boot": 3, "574": 1, "5-74": 1}
    assert class_spellings(shoes) == []
    assert merge_spellings(shoes) is None
    assert len(open_samples(tmp_path, "shoes", ("Air Jordan 1",))) == 6
    summary = summarize_history(history(shoes))[0]
    assert (summary.batch, summary.author, summary.photos) == (batch, "me", 4)
    assert describe_changes(summary.changes) == "3 photos merged into Air Jordan 1, 1 photo merged into boot"
    assert batch_text(history(shoes)) == "4 photos merged (3 into Air Jordan 1, 1 into boot)"
    assert undo(shoes, batch) == 4
    assert counts(shoes) == COUNTS


def test_a_merge_says_nothing_about_the_photos(shoes):
    wrong, excluded = of_class(shoes, "air_jordan_1")
    rows = [finding_rows([wrong], Kind.WRONG_LABEL, [0.9], None, ["boot"], ["it looks like boot"])]
    samples = list(read_samples(shoes)["sample"])
    store_findings(shoes, pd.concat(rows), pd.Series(range(len(samples)), index=samples), {"time": 1.0})
    decide(shoes, [excluded], Action.EXCLUDE)
    merge_classes(shoes, ["air_jordan_1"], "Air Jordan 1")
    # It stays excluded, and the other one still looks like a boot.
    assert counts(shoes)["Air Jordan 1"] == 4
    assert list(read_findings(shoes)["sample"]) == [wrong]
    undo(shoes)
    assert read_samples(shoes).set_index("sample")["excluded"][excluded]


def test_a_photo_in_two_spellings_is_no_photo_in_two_classes(shoes):
    samples = read_samples(shoes)
    first, other, boot = (of_class(shoes, label)[0] for label in ("Air Jordan 1", "air_jordan_1", "boot"))
    columns = ["sample", "label"]
    provenance = pd.DataFrame([(first, "air_jordan_1"), (boot, "clog")], columns=columns)
    groups = pd.Series(range(len(samples)), index=samples["sample"])
    groups[other] = groups[first]
    found = near_duplicate_findings(samples, provenance, groups)
    two = found[found["kind"] == Kind.TWO_LABELS]
    assert list(two["sample"]) == [boot]
    assert set(found.loc[found["kind"] == Kind.NEAR_DUPLICATE, "sample"]) == {first, other}


def test_a_photo_that_was_in_two_classes_still_is_after_a_merge(shoes):
    data = Path(read_samples(shoes).set_index("sample")["path"][of_class(shoes, "air_jordan_1")[0]]).read_bytes()
    with Importer(shoes, "again") as importer:
        importer.add(IncomingPhoto("again.jpg", "clog", data))
    merge_classes(shoes, ["air_jordan_1"], "Air Jordan 1")
    assert scan(shoes, None)
    found = read_findings(shoes)
    (advice,) = found.loc[found["kind"] == Kind.TWO_LABELS, "advice"]
    assert advice == "the same photo is labeled Air Jordan 1 and clog"


def test_classes_that_are_kept_apart_are_no_finding_until_another_spelling_comes(shoes):
    keep_apart(shoes, ["boot", "Boot"])
    assert [one.suggested for one in class_spellings(shoes)] == ["Air Jordan 1"]
    with Importer(shoes, "more") as importer:
        importer.add(IncomingPhoto("x.jpg", "BOOT", jpeg(photo(99))))
    assert [one.suggested for one in class_spellings(shoes)] == ["Air Jordan 1", "boot"]


@pytest.mark.parametrize(
    ("names", "into", "message"),
    [
        (["air jordan 1"], "x", r"no photos of 'air jordan 1'\."),
        (["5_74"], "x", r"Did you mean 5_74 -> 5-74\?"),
        (["boot"], "boot ", "Choose at least one"),
        ([], "boot", "Choose at least one"),
        (["boot"], "\u200b", "Choose at least one"),
    ],
)
def test_what_cannot_be_merged_is_said(shoes, names, into, message):
    with pytest.raises(DatasetError, match=message):
        merge_classes(shoes, names, into)
    assert counts(shoes) == COUNTS


def run(workspace: Path, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["--workspace", str(workspace), "dataset", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_the_command_line_lists_merges_and_keeps_apart(shoes, tmp_path):
    told = run(tmp_path, "stats", "shoes")
    assert "2 groups of classes differ only in spelling:\n  air_jordan_1 (2 photos), AIR-JORDAN 1 (1 photo) -> " in told
    assert "dataset merge-classes shoes --all" in told
    assert "Boot (1 photo) -> boot (2 photos)?" in run(tmp_path, "merge-classes", "shoes")
    run(tmp_path, "merge-classes", "shoes", "Boot", "boot", "--keep-apart")
    run(tmp_path, "merge-classes", "shoes", "574", "5-74", "--into", "New Balance 574")
    assert counts(shoes)["New Balance 574"] == 2
    values = json.loads(run(tmp_path, "merge-classes", "shoes", "--all", "--json"))
    assert values["batch"] and values["spellings"] == []
    run(tmp_path, "undo", "shoes")
    assert counts(shoes)["air_jordan_1"] == 2
    for wrong in (["boot"], ["--all", "--keep-apart"], ["--into", "x"], ["boot", "--all"]):
        run(tmp_path, "merge-classes", "shoes", *wrong, code=2)


def test_the_page_merges_with_one_click_and_takes_it_back(shoes, tmp_path, monkeypatch):
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(tmp_path))
    st.cache_resource.clear()
    app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60)
    app.query_params["dataset"], app.query_params["section"] = "shoes", "Findings"
    app.switch_page("pages/datasets.py").run()

    def press(label: str) -> str:
        next(button for button in app.button if button.label == label).click()
        app.run()
        assert not app.exception
        return "\n".join(element.value for element in app.markdown)

    assert "2 groups of classes differ only in spelling" in "\n".join(element.value for element in app.markdown)
    assert "3 photos merged into Air Jordan 1." in press("Merge into Air Jordan 1")
    assert counts(shoes)["Air Jordan 1"] == 6
    assert "Undone for 3 photos." in press("Undo")
    assert counts(shoes) == COUNTS
    assert "merged into the suggested classes" in press("Merge all 2")
    press("Undo")
    press("Keep apart")
    assert [one.suggested for one in class_spellings(shoes)] == ["boot"]
    st.cache_resource.clear()
