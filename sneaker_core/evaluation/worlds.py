"""A scoreboard of worlds: the metrics of an evaluation for each of its named sources of photos, worst first."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.datasets.photo_worlds import WORLD
from sneaker_core.evaluation.metrics import calibration_error
from sneaker_core.evaluation.photo_uses import counting_rows
from sneaker_core.evaluation.table_columns import class_columns
from sneaker_core.networks.decision import Status
from sneaker_core.number_text import listed, percent
from sneaker_core.records.model_records import ShareRecord, WorldRecord
from sneaker_core.records.reading import fitting

_NAMED = (Status.KNOWN.value,)
_TOP3 = 3


@dataclass(frozen=True)
class Share:
    """A share of photos with its 95% interval.

    Attributes
    ----------
    value, low, high : float
        0 to 1; nan if there are no photos.
    n : int
        Photos that it is a share of.

    References
    ----------
    Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """

    value: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, hits: NDArray[np.bool_]) -> "Share":
        """The share of True values."""
        return cls.counted(int(hits.sum()), len(hits))

    @classmethod
    def counted(cls, hits: int, n: int) -> "Share":
        """The share that `hits` are of `n` photos."""
        if not n:
            return cls(np.nan, np.nan, np.nan, 0)
        from scipy.stats import binomtest

        interval = binomtest(hits, n).proportion_ci(method="wilson")
        return cls(hits / n, float(interval.low), float(interval.high), n)

    @classmethod
    def from_record(cls, record: ShareRecord) -> "Share":
        """From a record, in which missing numbers are None."""
        value, low, high = (np.nan if one is None else one for one in (record.value, record.low, record.high))
        return cls(value, low, high, record.n)

    @property
    def text(self) -> str:
        """For example "94.3%"; "–" without photos."""
        return percent(self.value, 1) if self.n else "–"

    @property
    def interval_text(self) -> str:
        """For example "92.0% to 95.8%"."""
        return f"{percent(self.low, 1)} to {percent(self.high, 1)}" if self.n else ""


@dataclass(frozen=True)
class WorldMetrics:
    """How a model does in one world.

    Attributes
    ----------
    world : str
    photos : int
        All of its photos.
    known : int
        Photos of classes that the model knows; the others count only for `refused` and `named_unknown`.
    top1, top3 : Share
        Of the known photos.
    refused : Share
        Answers with the status "unknown": of the known photos, or of all if there are none.
    right_when_named : Share
        Correct answers among known photos with the status "known".
    named_unknown : Share
        Photos of classes that the model doesn't know, and that it named nevertheless.
    ece : float
        Expected calibration error on the known photos; nan if there are none.
    """

    world: str
    photos: int
    known: int
    top1: Share
    top3: Share
    refused: Share
    right_when_named: Share
    named_unknown: Share
    ece: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; missing numbers are None."""
        return {key: _plain(value) for key, value in asdict(self).items()}

    @classmethod
    def from_record(cls, record: WorldRecord) -> "WorldMetrics":
        """The inverse of `to_dict`."""
        return cls(
            record.world,
            record.photos,
            record.known,
            **{
                key: Share.from_record(getattr(record, key))
                for key in ("top1", "top3", "refused", "right_when_named", "named_unknown")
            },
            ece=float("nan") if record.ece is None else record.ece,
        )


def read_world_metrics(values: Any) -> tuple[WorldMetrics, ...]:
    """The worlds in a model's stored metrics; none if they were not measured or can't be read."""
    found = [fitting(value, WorldRecord) for value in values] if isinstance(values, list) else []
    return () if None in found else tuple(WorldMetrics.from_record(one) for one in found if one is not None)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value


def has_worlds(table: pd.DataFrame) -> bool:
    """Whether a prediction table names the worlds of its photos."""
    return WORLD in table and bool(table[WORLD].notna().any())


def world_metrics(table: pd.DataFrame) -> list[WorldMetrics]:
    """The metrics of each world: least accurate first, then those without known photos, by name.

    Parameters
    ----------
    table : DataFrame
        A prediction table; without the column `world` the result is empty.
    """
    if not has_worlds(table):
        return []
    classes = list(class_columns(table))
    table = counting_rows(table, table[table["label"].isin(classes)])
    found = [_metrics(str(world), rows, classes) for world, rows in table.groupby(WORLD, sort=True)]
    return sorted(found, key=lambda one: (not one.known, one.top1.value if one.known else 0.0))


def _metrics(world: str, rows: pd.DataFrame, classes: list[str]) -> WorldMetrics:
    is_known = rows["label"].isin(classes).to_numpy()
    known, foreign = rows[is_known], rows[~is_known]
    correct = (known["label"] == known["predicted"]).to_numpy(dtype=bool)
    named = known["status"].isin(_NAMED).to_numpy()
    confidence = known["probability"].to_numpy(dtype=np.float32)
    return WorldMetrics(
        world,
        len(rows),
        len(known),
        Share.of(correct),
        Share.of((known["rank"] <= _TOP3).to_numpy(dtype=bool)),
        Share.of(((known if len(known) else foreign)["status"] == Status.UNKNOWN.value).to_numpy(dtype=bool)),
        Share.of(correct[named]),
        Share.of(foreign["status"].isin(_NAMED).to_numpy(dtype=bool)),
        calibration_error(confidence, correct) if len(known) else float("nan"),
    )


def worlds_text(names: Iterable[str]) -> str:
    """The names of worlds in one line: "phone and shop"."""
    return listed(sorted(names))


def worlds_sentence(worlds: list[WorldMetrics]) -> str:
    """How accuracy differs by world: "Right on 93% of shop photos, 84% of web photos and 80% of phone photos"."""
    known = sorted((one for one in worlds if one.known), key=lambda one: -one.top1.value)
    if not known:
        return ""
    parts = [f"{percent(one.top1.value)} of {one.world} photos" for one in known]
    return f"Right on {listed(parts)}"


def weakest_world(worlds: Sequence[WorldMetrics]) -> WorldMetrics | None:
    """The world where the model is clearly less accurate than where it is best; None if there is none.

    Clearly: the intervals of both accuracies do not overlap.
    """
    known = sorted((one for one in worlds if one.known), key=lambda one: one.top1.value)
    return known[0] if known and known[0].top1.high < known[-1].top1.low else None
