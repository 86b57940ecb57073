"""Steps 5 to 7 of the story: wrong names in a collection of drawn photos, what the check finds, and what mending gains.

Sneakers are drawn, one in four of those to learn from is filed under a wrong name on purpose, and the app's own check
looks for wrong labels. The same training runs before and after its suggestions are applied, and both models are tested
on the same photos, none of which has a wrong name.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from sneaker_core import images
from sneaker_core.datasets.dataset_collection import create_dataset
from sneaker_core.datasets.importer import Importer, IncomingPhoto
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.quality.findings import Kind, read_findings
from sneaker_core.datasets.quality.scan import scan
from sneaker_core.datasets.quality.suggestions import apply_suggestions, suggested_decisions
from sneaker_core.datasets.review_log import Action
from sneaker_core.datasets.split import Split, split_by_group
from sneaker_core.datasets.synthetic.sample_plan import CLASSES, generate_photos
from sneaker_core.evaluation.comparison import compare
from sneaker_core.evaluation.evaluation_collection import find_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_record import Kind as EvaluationKind
from sneaker_core.evaluation.metrics import RESAMPLES
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.records.model_records import ShareRecord
from sneaker_core.records.story_records import FiledRecord, GainRecord, NamesRecord
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.train_model import train
from sneaker_core.workspace.paths import runs_folder

PER_CLASS, SEED = 60, 7
WRONG_SHARE = 0.25
# Photos that are shown under one name, and the place of the wrong one among them.
SHOWN, PLACE = 6, 3
VAL_SHARE, TEST_SHARE = 0.1, 0.4
DATASET = "story"
RECIPE = "quick"

Pictures = dict[str, Image.Image]


def make_collection(home: Path) -> Dataset:
    """Draw flawless photos, and file some of those to learn from under a wrong name; file names tell the truth."""
    photos = [photo for photo in generate_photos(PER_CLASS, SEED) if photo.flaw is None]
    labels = pd.Series([photo.label for photo in photos])
    split = split_by_group(labels, pd.Series(range(len(photos))), VAL_SHARE, TEST_SHARE, SEED)
    filed = _with_wrong_names(labels, split)
    dataset = create_dataset(home, DATASET)
    with Importer(dataset, "story") as importer:
        for photo, label, part in zip(photos, filed, split, strict=True):
            importer.add(IncomingPhoto(f"{photo.label}/{photo.name}", label, photo.data, split=str(part)))
    return dataset


def _with_wrong_names(labels: pd.Series, split: pd.Series) -> list[str]:
    rng = np.random.default_rng(SEED)
    learned = np.flatnonzero((split != Split.TEST).to_numpy())
    filed = labels.tolist()
    for place in rng.choice(learned, round(WRONG_SHARE * len(learned)), replace=False):
        filed[place] = rng.choice([label for label in CLASSES if label != labels[place]])
    return filed


def read_names(dataset: Dataset) -> pd.DataFrame:
    """The photos by sample, with what they show in the column "truth"."""
    samples = read_samples(dataset).set_index("sample")
    return samples.assign(truth=samples["name"].str.rpartition("/")[0])


def doubted_names(dataset: Dataset, samples: pd.DataFrame, model: SneakerModel) -> pd.DataFrame:
    """What the check suggests for photos to learn from: suggestion and score by sample, surest first."""
    scan(dataset, model)
    findings = read_findings(dataset)
    doubted = findings[findings["kind"] == Kind.WRONG_LABEL].set_index("sample")
    learned = samples.index[samples["split"] != Split.TEST]
    return doubted[doubted.index.isin(learned)].sort_values("score", ascending=False, kind="stable")


def apply_new_names(dataset: Dataset, doubted: pd.DataFrame) -> None:
    """Give the doubted photos the suggested names, as one click on the Datasets page does."""
    suggested = suggested_decisions(dataset)
    is_meant = (suggested["action"] == Action.RELABEL) & suggested["sample"].isin(doubted.index)
    apply_suggestions(dataset, suggested[is_meant])


def tell_names(samples: pd.DataFrame, doubted: pd.DataFrame) -> tuple[NamesRecord, Pictures]:
    """Steps 5 and 6: the photos under one name, among them the one whose name is most surely wrong, and all counts."""
    learned = samples[samples["split"] != Split.TEST]
    planted = learned.index[learned["label"] != learned["truth"]]
    hits = doubted.index.intersection(planted, sort=False)
    is_right = doubted.loc[hits, "suggestion"] == learned.loc[hits, "truth"]
    odd = is_right.index[is_right][0]
    name = str(learned["label"][odd])
    honest = learned.index[(learned["label"] == name) & (learned["truth"] == name)]
    shown = [*honest[: SHOWN - 1]]
    shown.insert(PLACE, odd)
    files = {f"filed-{place}.webp": sample for place, sample in enumerate(shown, start=1)}
    filed = [FiledRecord(file, str(learned["truth"][sample])) for file, sample in files.items()]
    record = NamesRecord(
        filed_under=name,
        photos=filed,
        odd=PLACE,
        suggestion=str(doubted["suggestion"][odd]),
        learned=len(learned),
        planted=len(planted),
        found=len(doubted),
        hits=len(hits),
        right=int(is_right.sum()),
    )
    return record, {file: images.load(Path(learned["path"][sample])) for file, sample in files.items()}


def test_table(home: Path, run: str) -> pd.DataFrame:
    """Train on the collection as it is, and return the predictions for its test photos."""
    train(DATASET, make_recipe(RECIPE, {"seed": SEED}), runs_folder(home) / run, home)
    return read_table(find_evaluation(home, run, EvaluationKind.RUN))


def tell_gain(before: pd.DataFrame, after: pd.DataFrame) -> GainRecord:
    """Step 7: both trainings on the same test photos, and a bootstrap interval of the difference."""
    found = compare(before, after)
    before_share, after_share = (_share(side) for side in (found.metrics_a, found.metrics_b))
    fixed, broken = len(found.fixed), len(found.broken)
    changes = np.repeat([1, -1, 0], [fixed, broken, found.n - fixed - broken])
    means = np.random.default_rng(SEED).choice(changes, (RESAMPLES, found.n)).mean(1)
    low, high = (round(float(edge), 4) for edge in np.quantile(means, (0.025, 0.975)))
    return GainRecord(
        n=found.n,
        before=before_share,
        after=after_share,
        low=low,
        high=high,
        fixed=fixed,
        broken=broken,
        p_value=found.p_value,
    )


def _share(metrics: Mapping[str, Any]) -> ShareRecord:
    low, high = metrics["intervals"]["top1"]
    return ShareRecord(value=metrics["top1"], low=low, high=high, n=metrics["n"])
