"""What decisions are worth: a gain where they help, "may be luck" where they don't, in whatever order they come."""

import json

import numpy as np
import pandas as pd
import pytest

from sneaker_core.datasets.quality.class_examples import class_examples
from sneaker_core.datasets.quality.findings import Kind, finding_rows, store_findings
from sneaker_core.datasets.review_log import Action, decide, undo
from sneaker_core.errors import DatasetError
from sneaker_core.evaluation.comparison import mcnemar, paired_interval
from sneaker_core.training.decisions_worth import NOT_CHECKED, WorthState, dataset_worth
from sneaker_core.training.linear_head import ClassSums, fit_head
from sneaker_core.training.worth_worker import WorthWorker
from tests.factories import run_command
from tests.planted import Planted, plant


@pytest.fixture
def planted(tmp_path) -> Planted:
    return plant(tmp_path / "datasets" / "planted")


def measure(planted: Planted):
    return dataset_worth(planted.dataset)[0]


def test_repaired_labels_are_worth_something_and_undo_takes_it_back(planted):
    planted.repair(planted.wrong[:60])
    halfway = measure(planted)
    batches = planted.repair(planted.wrong[60:])
    worth = measure(planted)
    assert (worth.state, worth.decisions) == (WorthState.MEASURED, len(planted.wrong))
    assert worth.photos == len(planted.validation)
    assert worth.low > 0
    assert not worth.may_be_luck
    assert worth.after > halfway.after > halfway.before == worth.before
    figures = f"{100 * worth.before:.1f}% → {100 * worth.after:.1f}% (+"
    assert worth.sentence.startswith(f"{len(planted.wrong)} decisions: {figures}")
    for batch in batches:
        undo(planted.dataset, batch)
    assert measure(planted) == halfway


def test_the_order_of_decisions_and_earlier_measurements_change_nothing(planted):
    baseline, batches = None, []
    for sample in planted.wrong[:8]:
        batches += planted.repair([sample])
        step, baseline = dataset_worth(planted.dataset, baseline)
    for batch in batches:
        undo(planted.dataset, batch)
    for sample in reversed(planted.wrong[:8]):
        planted.repair([sample])
    again = measure(planted)
    assert (again.before, again.after, again.low, again.high) == (step.before, step.after, step.low, step.high)


def test_random_decisions_may_be_luck(planted):
    rng = np.random.default_rng(8)
    training = planted.split.index[planted.split == "train"]
    for label in planted.classes:
        decide(planted.dataset, list(rng.choice(training, 2)), Action.RELABEL, label)
    worth = measure(planted)
    assert worth.may_be_luck
    assert worth.sentence.endswith("which may be luck.")


def test_harm_is_called_a_loss(planted):
    spoiled = (planted.truth == planted.classes[0]) & (planted.split == "train")
    decide(planted.dataset, list(planted.truth.index[spoiled]), Action.RELABEL, planted.classes[3])
    worth = measure(planted)
    assert worth.high < 0
    assert "That is a loss" in worth.sentence


def test_decided_validation_photos_leave_both_measurements(planted):
    planted.repair(planted.wrong)
    before = measure(planted)
    decided = planted.validation[:40]
    batch = decide(planted.dataset, decided, Action.RELABEL, planted.classes[0])
    worth = measure(planted)
    assert (worth.photos, worth.on_training) == (before.photos - 40, len(planted.wrong))
    assert "40 decisions on validation or test photos can't help and are left out" in worth.explanation("1 May")
    # With these photos removed altogether, the figures are the same.
    undo(planted.dataset, batch)
    with planted.dataset.changing() as db:
        db.executemany("DELETE FROM embeddings WHERE sample = ?", [(sample,) for sample in decided])
    without = measure(planted)
    assert without.missing == 40
    assert (worth.before, worth.after) == (without.before, without.after)
    assert (worth.low, worth.high) == (without.low, without.high)


def test_excluded_photos_train_the_first_head_only(planted):
    decide(planted.dataset, planted.wrong, Action.EXCLUDE)
    assert measure(planted).low > 0


def test_what_changes_nothing_or_is_too_little_gets_no_figure(planted):
    assert measure(planted).state is WorthState.NO_DECISIONS
    decide(planted.dataset, planted.wrong[:3], Action.KEEP)
    kept = measure(planted)
    assert kept.before == kept.after
    assert "the same as without, because no training photo has changed" in kept.sentence
    decide(planted.dataset, planted.validation[20:], Action.KEEP)
    few = measure(planted)
    assert few.sentence.endswith("30 untouched validation photos are needed, and there are 20.")
    assert few.to_dict()["after"] is None
    with planted.dataset.changing() as db:
        db.execute("DELETE FROM embeddings")
    assert measure(planted).sentence == NOT_CHECKED


def test_one_class_is_too_few(planted):
    training = planted.split.index[planted.split == "train"]
    decide(planted.dataset, list(training), Action.RELABEL, "shoe")
    assert "at least two classes" in measure(planted).sentence


def test_merged_classes_have_one_name_both_times(planted):
    planted.repair(planted.wrong[:1])
    decide(planted.dataset, list(planted.split.index.difference(planted.wrong[:1])), Action.MERGE, "shoe")
    worth = measure(planted)
    assert (worth.decisions, worth.classes) == (1, 1)


def test_a_dataset_without_a_split_gets_the_same_one_each_time_and_keeps_none(planted):
    with planted.dataset.changing() as db:
        db.execute("UPDATE samples SET split = NULL")
    planted.repair(planted.wrong)
    worth = measure(planted)
    assert worth == measure(planted)
    held_out = worth.photos + len(planted.wrong) - worth.on_training
    assert abs(held_out - 0.2 * len(planted.split)) < len(planted.classes)  # a fifth of each class
    with planted.dataset.reading() as db:
        assert db.execute("SELECT count(split) FROM samples").fetchone() == (0,)


def test_near_duplicates_count_once(planted):
    planted.repair(planted.wrong)
    with planted.dataset.changing() as db:
        pairs = [(sample, number // 2) for number, sample in enumerate(planted.validation[:60])]
        db.executemany("INSERT INTO near_duplicates VALUES (?, ?)", pairs)
    assert measure(planted).photos == len(planted.validation) - 30


def test_the_worker_measures_the_latest_state_and_survives_a_deleted_dataset(planted, tmp_path):
    dataset, worker = planted.dataset, WorthWorker()
    try:
        for sample in planted.wrong[:5]:
            planted.repair([sample])
            worker.latest(dataset)
        latest = worker.latest(dataset, patience=60)
        assert not latest.pending
        assert latest.worth == measure(planted)
        undo(dataset)
        assert worker.latest(dataset, patience=60).worth.decisions == 4
        dataset.folder.rename(tmp_path / "gone")
        with pytest.raises(DatasetError):
            worker.latest(dataset, patience=60)
        (tmp_path / "gone").rename(dataset.folder)
        assert worker.latest(dataset, patience=60).worth.decisions == 4
    finally:
        worker.close()


def test_the_command_says_the_same(planted, tmp_path):
    planted.repair(planted.wrong)
    worth = measure(planted)
    assert json.loads(run_command(tmp_path, "dataset", "worth", "planted", "--json").stdout) == worth.to_dict()
    plain = run_command(tmp_path, "dataset", "worth", "planted").stdout
    assert plain.startswith(f"{worth.sentence}\nAccuracy on ")
    with planted.dataset.changing() as db:
        db.execute("DELETE FROM facts WHERE key = 'scan'")
    assert "dataset scan planted" in run_command(tmp_path, "dataset", "worth", "planted").stdout


def test_changed_sums_are_those_of_the_changed_photos():
    rng = np.random.default_rng(0)
    vectors, labels = rng.normal(size=(90, 12)), list(rng.choice(list("abc"), 90))
    moved = ["d" if row < 10 else label for row, label in enumerate(labels)]
    changed = ClassSums.of([(vectors[:40], labels[:40]), (vectors[40:], labels[40:])])
    changed = changed.plus(vectors[:10], labels[:10], -1).plus(vectors[:10], moved[:10])
    updated, trained = fit_head(changed), fit_head(ClassSums.of([(vectors, moved)]))
    np.testing.assert_allclose(updated.weights, trained.weights, rtol=1e-3, atol=1e-4)
    assert list(updated.classes) == list("abcd")


@pytest.mark.parametrize(("fixed", "broken"), [(3, 0), (4, 0), (6, 0), (9, 1), (30, 10), (10, 30), (5, 5), (0, 0)])
def test_the_paired_interval_agrees_with_mcnemar(fixed, broken):
    low, high = paired_interval(fixed, broken, 300 - fixed - broken, 400)
    assert low <= (fixed - broken) / 400 <= high
    assert (low > 0 or high < 0) == (mcnemar(fixed, broken)[0] < 0.05)


def test_examples_of_a_class_look_like_the_photo_and_are_beyond_doubt(planted):
    own, label = planted.validation[0], planted.classes[2]
    doubtful, twin, copied = list(planted.truth.index[planted.truth == label].difference(planted.wrong)[:3])
    findings = finding_rows([doubtful], Kind.WRONG_LABEL, [0.9])
    groups = pd.Series({own: 1, twin: 1, copied: 2})
    store_findings(planted.dataset, findings, groups, {"time": 1.0, "photos": 600, "model": "tiny", "seconds": 1.0})
    examples = class_examples(planted.dataset, own, label, 500)
    assert set(examples["label"]) == {label}
    assert not {own, doubtful, twin} & set(examples["sample"])
    assert copied in set(examples["sample"])
    assert list(class_examples(planted.dataset, own, label)["sample"]) == list(examples["sample"][:6])
