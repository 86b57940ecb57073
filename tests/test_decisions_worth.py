"""What decisions are worth: a gain where they help, "may be luck" where they don't, in whatever order they come."""

import numpy as np
import pandas as pd
import pytest

from sneaker_core.datasets.index import create_index, ensure_class, set_fact
from sneaker_core.datasets.review_log import Action, decide, undo
from sneaker_core.errors import DatasetError
from sneaker_core.evaluation.comparison import mcnemar, paired_interval
from sneaker_core.training.decisions_worth import NOT_CHECKED, WorthState, dataset_worth
from sneaker_core.training.linear_head import ClassSums, fit_head
from sneaker_core.training.worth_worker import WorthWorker

CLASSES = [f"shoe {letter}" for letter in "abcdef"]
PHOTOS, SIZE, WRONG = 600, 40, 120


@pytest.fixture
def planted(tmp_path):
    """A checked dataset of made embeddings, a third of whose training labels are wrong; sample -> true class."""
    rng = np.random.default_rng(3)
    truth = np.arange(PHOTOS) % len(CLASSES)
    vectors = rng.normal(size=(len(CLASSES), SIZE))[truth] + rng.normal(scale=1.9, size=(PHOTOS, SIZE))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    split = np.where(rng.random(PHOTOS) < 0.4, "val", "train")
    labels = truth.copy()
    wrong = rng.choice(np.flatnonzero(split == "train"), WRONG, replace=False)
    # Systematic, as when a shop mixes up two models: random errors average out.
    labels[wrong] = (truth[wrong] + 1) % len(CLASSES)
    dataset = create_index(tmp_path / "planted", "planted")
    samples = [f"{number:04}" for number in range(PHOTOS)]
    with dataset.changing() as db:
        numbers = [ensure_class(db, label)[0] for label in CLASSES]
        db.executemany(
            "INSERT INTO samples(sample, file, name, original_label, label, split, width, height, bytes, added) "
            "VALUES (?, ?, ?, ?, ?, ?, 60, 40, 900, 1)",
            [
                (sample, f"shoe/{sample}.jpg", sample, numbers[label], numbers[label], part)
                for sample, label, part in zip(samples, labels, split, strict=True)
            ],
        )
        db.executemany(
            "INSERT INTO embeddings(sample, vector, ood_score) VALUES (?, ?, 0.0)",
            zip(samples, [vector.astype(np.float16).tobytes() for vector in vectors], strict=True),
        )
        set_fact(db, "scan", {"time": 1.0, "photos": PHOTOS, "model": "tiny", "seconds": 1.0})
    true_class = {sample: CLASSES[number] for sample, number in zip(samples, truth, strict=True)}
    return dataset, true_class, [samples[row] for row in wrong], pd.Series(split, index=samples)


def repair(dataset, true_class, samples):
    """Give photos their true classes, one batch per class; returns the batches."""
    by_class = pd.Series(list(samples)).groupby([true_class[sample] for sample in samples]).agg(list)
    return [decide(dataset, members, Action.RELABEL, label) for label, members in by_class.items()]


def test_repaired_labels_are_worth_something_and_undo_takes_it_back(planted):
    dataset, true_class, wrong, split = planted
    repair(dataset, true_class, wrong[:60])
    halfway, _ = dataset_worth(dataset)
    batches = repair(dataset, true_class, wrong[60:])
    worth, _ = dataset_worth(dataset)
    assert (worth.state, worth.decisions, worth.photos) == (WorthState.MEASURED, WRONG, (split == "val").sum())
    assert worth.low > 0
    assert not worth.may_be_luck
    assert worth.after > halfway.after > halfway.before == worth.before
    assert worth.sentence.startswith(f"{WRONG} decisions: {100 * worth.before:.1f}% → {100 * worth.after:.1f}% (+")
    for batch in batches:
        undo(dataset, batch)
    assert dataset_worth(dataset)[0] == halfway


def test_the_order_of_decisions_and_earlier_measurements_change_nothing(planted):
    dataset, true_class, wrong, _ = planted
    baseline, batches = None, []
    for sample in wrong[:8]:
        batches += repair(dataset, true_class, [sample])
        step, baseline = dataset_worth(dataset, baseline)
    for batch in batches:
        undo(dataset, batch)
    for sample in reversed(wrong[:8]):
        repair(dataset, true_class, [sample])
    again, _ = dataset_worth(dataset)
    assert (again.before, again.after, again.low, again.high) == (step.before, step.after, step.low, step.high)


def test_random_decisions_may_be_luck(planted):
    dataset, _, _, split = planted
    rng = np.random.default_rng(8)
    for label in CLASSES:
        decide(dataset, list(rng.choice(split.index[split == "train"], 2)), Action.RELABEL, label)
    worth, _ = dataset_worth(dataset)
    assert worth.may_be_luck
    assert worth.sentence.endswith("which may be luck.")


def test_harm_is_called_a_loss(planted):
    dataset, true_class, _, split = planted
    spoiled = [sample for sample in split.index[split == "train"] if true_class[sample] == CLASSES[0]]
    decide(dataset, spoiled, Action.RELABEL, CLASSES[3])
    worth, _ = dataset_worth(dataset)
    assert worth.high < 0
    assert "That is a loss" in worth.sentence


def test_decided_validation_photos_leave_both_measurements(planted):
    dataset, true_class, wrong, split = planted
    repair(dataset, true_class, wrong)
    before, _ = dataset_worth(dataset)
    decided = list(split.index[split == "val"][:40])
    batch = decide(dataset, decided, Action.RELABEL, CLASSES[0])
    worth, _ = dataset_worth(dataset)
    assert (worth.photos, worth.on_training) == (before.photos - 40, WRONG)
    assert "40 decisions on validation or test photos can't help and are left out both times" in worth.explanation(
        "1 May"
    )
    # With these photos removed altogether, the figures are the same.
    undo(dataset, batch)
    with dataset.changing() as db:
        db.executemany("DELETE FROM embeddings WHERE sample = ?", [(sample,) for sample in decided])
    without, _ = dataset_worth(dataset)
    assert (worth.before, worth.after, worth.low, worth.high) == (
        without.before, without.after, without.low, without.high,
    )  # fmt: skip


def test_excluded_photos_train_the_first_head_only(planted):
    dataset, _, wrong, _ = planted
    decide(dataset, wrong, Action.EXCLUDE)
    worth, _ = dataset_worth(dataset)
    assert worth.low > 0


def test_what_changes_nothing_or_is_too_little_gets_no_figure(planted):
    dataset, _, wrong, split = planted
    assert dataset_worth(dataset)[0].state is WorthState.NO_DECISIONS
    decide(dataset, wrong[:3], Action.KEEP)
    assert dataset_worth(dataset)[0].sentence.startswith("3 decisions: nothing changes yet")
    decide(dataset, list(split.index[split == "val"][20:]), Action.KEEP)
    few = dataset_worth(dataset)[0]
    assert few.sentence.endswith("30 untouched validation photos are needed, and there are 20.")
    assert few.to_dict()["after"] is None
    with dataset.changing() as db:
        db.execute("DELETE FROM embeddings")
    assert dataset_worth(dataset)[0].sentence == NOT_CHECKED


def test_merged_classes_have_one_name_both_times(planted):
    dataset, true_class, wrong, split = planted
    repair(dataset, true_class, wrong[:1])
    decide(dataset, [s for s in split.index if s != wrong[0]], Action.MERGE, "shoe")
    worth, _ = dataset_worth(dataset)
    assert (worth.decisions, worth.classes) == (1, 1)


def test_a_dataset_without_a_split_gets_the_same_one_each_time_and_keeps_none(planted):
    dataset, true_class, wrong, _ = planted
    with dataset.changing() as db:
        db.execute("UPDATE samples SET split = NULL")
    repair(dataset, true_class, wrong)
    worth, _ = dataset_worth(dataset)
    assert worth == dataset_worth(dataset)[0]
    assert abs(worth.photos + (WRONG - worth.on_training) - 0.2 * PHOTOS) < len(CLASSES)  # a fifth of each class
    with dataset.reading() as db:
        assert db.execute("SELECT count(split) FROM samples").fetchone() == (0,)


def test_near_duplicates_count_once(planted):
    dataset, true_class, wrong, split = planted
    repair(dataset, true_class, wrong)
    with dataset.changing() as db:
        pairs = [(sample, number // 2) for number, sample in enumerate(split.index[split == "val"][:60])]
        db.executemany("INSERT INTO near_duplicates VALUES (?, ?)", pairs)
    assert dataset_worth(dataset)[0].photos == (split == "val").sum() - 30


def test_the_worker_measures_the_latest_state_and_survives_a_deleted_dataset(planted, tmp_path):
    dataset, true_class, wrong, _ = planted
    worker = WorthWorker()
    try:
        for sample in wrong[:5]:
            decide(dataset, [sample], Action.RELABEL, true_class[sample])
            worker.latest(dataset)
        latest = worker.latest(dataset, patience=60)
        assert not latest.pending
        assert latest.worth == dataset_worth(dataset)[0]
        undo(dataset)
        assert worker.latest(dataset, patience=60).worth.decisions == 4
        dataset.folder.rename(tmp_path / "gone")
        with pytest.raises(DatasetError):
            worker.latest(dataset, patience=60)
        (tmp_path / "gone").rename(dataset.folder)
        assert worker.latest(dataset, patience=60).worth.decisions == 4
    finally:
        worker.close()


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
