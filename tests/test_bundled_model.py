"""The bundled model: complete, small, described correctly, and as accurate on real photos as its card says."""

import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sneaker_core.datasets.photo_folder import sample_id
from sneaker_core.datasets.split import read_split
from sneaker_core.evaluation.evaluation_collection import find_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_record import EVALUATION_FILE
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.prediction_table import evaluate_photos
from sneaker_core.evaluation.worlds import Share
from sneaker_core.networks.checkpoint import load_model, read_spec, weights_version
from sneaker_core.networks.decision import Status
from sneaker_core.workspace.paths import BUNDLED_MODELS, PREDICTIONS_FILE, PROJECT

pytestmark = pytest.mark.slow

STREET72 = BUNDLED_MODELS / "street72"
WORLDS = ("sneakers40", "sneakers50", "phone")
PHONE_MODELS = ("Nike Air Force 1", "Air Jordan 1")
REAL_DATA = os.environ.get("SOLESCOPE_REAL_DATA")
needs_real_photos = pytest.mark.skipif(
    REAL_DATA is None,
    reason="needs real photos: set SOLESCOPE_REAL_DATA to a folder with sneakers40, sneakers50, phone, not_sneakers …",
)


def test_it_is_small_and_complete() -> None:
    assert sum(file.stat().st_size for file in STREET72.rglob("*") if file.is_file()) <= 14_000_000
    model = load_model(STREET72)
    assert len(model.spec.classes) == 72
    assert len(model.spec.footwear_types) == 11
    assert model.spec.has_negatives_class


def test_it_describes_itself() -> None:
    spec = read_spec(STREET72)
    assert spec.name == "street72"
    assert spec.recipe["network"] == spec.network == "efficientnet_lite0"
    assert spec.recipe["trainable"] == "all"
    assert {"test", "val", "worlds", "negatives", "other_footwear"} <= set(spec.metrics)
    assert set(spec.data["classes"]) == set(spec.classes)
    assert {"python", "torch", "torchvision", "pillow"} <= set(spec.versions)
    assert 0.05 < spec.decision.temperature < 20


def test_no_photo_and_no_path_of_a_machine_ships_with_it() -> None:
    files = {file.relative_to(STREET72).as_posix() for file in STREET72.rglob("*") if file.is_file()}
    evaluation, table = f"evaluation/{EVALUATION_FILE}", f"evaluation/{PREDICTIONS_FILE}"
    assert files == {"weights.safetensors", "model.json", "split.csv", "calibration.json", evaluation, table}
    assert "path" not in pd.read_parquet(STREET72 / table)
    for name in ("model.json", "split.csv", evaluation):
        assert not re.search(r'["\s,]/\w|[A-Z]:\\\\', (STREET72 / name).read_text(encoding="utf-8"))


def test_its_split_agrees_with_its_counts() -> None:
    split, spec = read_split(STREET72), read_spec(STREET72)
    labeled = split[split["label"].notna()]
    for label, counts in spec.data["classes"].items():
        assert (labeled[labeled["label"] == label]["split"].value_counts().to_dict()) == {
            name: count for name, count in counts.items() if count
        }
    assert spec.metrics["test"]["n"] == (labeled["split"] == "test").sum()


def test_the_card_has_its_metrics() -> None:
    card = (PROJECT / "docs" / "MODEL_CARD.md").read_text(encoding="utf-8")
    metrics = read_spec(STREET72).metrics
    for key in ("top1", "top3", "ece", "macro_f1"):
        assert f"{metrics['test'][key]:.3f}" in card
    for kind in ("negatives", "other_footwear"):
        assert f"{metrics[kind]['found']:.3f}" in card
    for label, row in metrics["test"]["per_class"].items():
        assert f"| {label} | {row['n']:.0f} | {row['precision']:.2f} | {row['recall']:.2f} | {row['f1']:.2f} |" in card


def test_its_evaluation_has_the_metrics_of_its_card(tmp_path: Path) -> None:
    said = read_spec(STREET72).metrics["test"]
    evaluation = find_evaluation(tmp_path, "street72")
    assert evaluation.is_ready
    assert evaluation.model_version == weights_version(STREET72)
    table = read_table(evaluation)
    figures = summary(table)
    assert evaluation.n == figures["n"] == said["n"]
    assert evaluation.top1 == figures["top1"]
    for key in ("top1", "top3", "refused"):
        assert figures[key] == pytest.approx(said[key], abs=2.5 / said["n"])
    tested = read_split(STREET72).query("split == 'test'").dropna(subset="label")
    assert set(table["sample"]) == set(tested["sample"])
    assert table["path"].isna().all()


def real_photos(*folders: str, every: int = 8) -> pd.DataFrame:
    """One in so many files in folders of real photos: columns sample and path. Reading all of them takes a minute."""
    paths = [path for folder in folders for path in sorted((Path(str(REAL_DATA)) / folder).rglob("*.*"))][::every]
    samples = [sample_id(path.read_bytes()) for path in paths]
    return pd.DataFrame({"sample": samples, "path": map(str, paths)}).drop_duplicates("sample")


@needs_real_photos
def test_answers_on_its_test_photos_are_those_of_its_evaluation(tmp_path: Path) -> None:
    """Some photos, answer by answer; `test_its_evaluation_has_the_metrics_of_its_card` covers the figures."""
    shipped = read_table(find_evaluation(tmp_path, "street72"))[
        ["sample", "label", "predicted", "status", "probability"]
    ]
    photos = real_photos(*WORLDS, every=16).merge(shipped, on="sample")
    assert len(photos) > len(shipped) / 24
    table, _ = evaluate_photos(load_model(STREET72), photos[["sample", "path", "label"]])
    # Rounding differs between processors, so a borderline photo may be classified differently.
    for column in ("predicted", "status"):
        assert (table[column].to_numpy() != photos[column].to_numpy()).sum() <= 2
    assert np.abs(table["probability"].to_numpy() - photos["probability"].to_numpy()).mean() < 0.01


def test_it_looks_at_the_shoe_and_not_at_the_scene(tmp_path: Path) -> None:
    """Only two sneakers have phone photos: others in everyday scenes must not be taken for them more often."""
    table = read_table(find_evaluation(tmp_path, "street72"))
    others = table[~table["label"].isin(PHONE_MODELS)]
    shares = {
        world: Share.of(rows["predicted"].isin(PHONE_MODELS).to_numpy()) for world, rows in others.groupby("world")
    }
    assert set(shares) == {"shop", "web"}
    assert shares["web"].value <= shares["shop"].high


@needs_real_photos
@pytest.mark.parametrize(
    ("kind", "folders", "least"),
    [("negatives", ("not_sneakers", "other_things"), 0.95), ("other_footwear", ("other_footwear",), 0.8)],
)
def test_it_refuses_what_is_no_sneaker(kind: str, folders: tuple[str, ...], least: float) -> None:
    split = read_split(STREET72)
    kept_back = split[split["label"].isna() & (split["split"] == "test")]
    photos = real_photos(*folders).merge(kept_back[["sample", "label"]], on="sample")
    assert len(photos) > read_spec(STREET72).metrics[kind]["n"] / 12
    table, _ = evaluate_photos(load_model(STREET72), photos)
    assert (table["status"] == Status.UNKNOWN).mean() >= least
