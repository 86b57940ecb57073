"""Whether an exported file gives the answers of its model; one that doesn't is refused."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from sneaker_core import images
from sneaker_core.errors import ExportError, ImageError
from sneaker_core.networks import onnx_metadata as names
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import Floats, Outputs, ood_score, probabilities, reasons, statuses
from sneaker_core.networks.onnx_network import OnnxNetwork
from sneaker_core.number_text import counted, percent

# What a float32 file may differ by: in a probability, in the OOD score, and in a logit.
MOST_PROBABILITY, MOST_SCORE = 1e-3, 1e-2
# Without test photos, int8 must give the same kind of answer on this share of photos.
LEAST_SAME_STATUS = 0.9
# Two classes whose probabilities are as close as this may change places.
_TIE = 1e-4
# The share of test photos that int8 may get wrong in addition.
MOST_LOSS = 0.01
_BATCH = 16

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Agreement:
    """How far the answers of an exported file are from those of its model.

    Attributes
    ----------
    photos : int
    labeled : int
        Those whose class is known, on which top-1 accuracy is measured.
    same_top1, same_status : float
        Share of photos with the same most probable class, and with the same status and reason.
    probability, score : float
        The largest difference of a probability, and of an OOD score.
    top1_before, top1_after : float or None
        Top-1 accuracy of the model and of the file; None without labeled photos.
    """

    photos: int
    labeled: int
    same_top1: float
    same_status: float
    probability: float
    score: float
    top1_before: float | None
    top1_after: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def sentence(self) -> str:
        """What was compared and how it went."""
        found = (
            f"Compared on {counted(self.photos, 'photo')}: the same class first on {percent(self.same_top1, 1)}, "
            f"the same kind of answer on {percent(self.same_status, 1)}, "
            f"probabilities at most {self.probability:.2g} apart."
        )
        if self.top1_before is None or self.top1_after is None:
            return found
        return (
            f"{found} Top-1 accuracy on {counted(self.labeled, 'test photo')}: {percent(self.top1_after, 1)}, "
            f"{percent(self.top1_before, 1)} before."
        )


@dataclass(frozen=True)
class _Answers:
    """What decides an answer, for a batch of photos."""

    probabilities: Floats
    score: Floats
    kinds: list[tuple[str, str]]

    @classmethod
    def of(cls, model: SneakerModel, outputs: Outputs, chances: Floats, score: Floats) -> "_Answers":
        states = statuses(chances.max(1), score, model.spec.decision)
        kinds = [(state.value, str(reason)) for state, reason in zip(states, reasons(outputs), strict=True)]
        return cls(chances, score, kinds)


def compare(model: SneakerModel, file: OnnxNetwork, photos: pd.DataFrame, progress: Progress) -> Agreement:
    """Compare everything that an answer follows from.

    Parameters
    ----------
    model : SneakerModel
        What was exported.
    file : OnnxNetwork
    photos : DataFrame
        Columns path and label.
    progress : callable
        Called with the number of photos done and the total.

    Raises
    ------
    ExportError
        None of the photos could be read.
    """
    ours: list[_Answers] = []
    theirs: list[_Answers] = []
    labels: list[object] = []
    for start in range(0, len(photos), _BATCH):
        rows = photos.iloc[start : start + _BATCH]
        pixels, read = _read(model, rows)
        if len(pixels):
            ours.append(_of_model(model, pixels))
            theirs.append(_of_file(model, file, pixels))
            labels += read
        progress(min(start + _BATCH, len(photos)), len(photos))
    if not labels:
        raise ExportError("None of the photos to compare the export on could be read.")
    return _agreement(model, _joined(ours), _joined(theirs), labels)


def _read(model: SneakerModel, rows: pd.DataFrame) -> tuple[torch.Tensor, list[object]]:
    """The photos at the input size, uint8 (B, H, W, 3), and the labels of those that could be read."""
    preprocessing = model.spec.preprocessing
    pixels, labels = [], []
    for path, label in zip(rows["path"], rows["label"], strict=True):
        try:
            photo = images.load(Path(path), shrink_to=preprocessing.shrink_to)
        except ImageError:
            continue
        pixels.append(preprocessing.resize(photo))
        labels.append(label)
    return torch.from_numpy(np.stack(pixels)) if pixels else torch.zeros(0), labels


def _of_model(model: SneakerModel, pixels: torch.Tensor) -> _Answers:
    outputs, decision = model.outputs(model.spec.preprocessing.standardize(pixels)), model.spec.decision
    chances = probabilities(outputs.logits, decision.temperature)
    return _Answers.of(model, outputs, chances, ood_score(outputs, model.references, decision))


def _of_file(model: SneakerModel, file: OnnxNetwork, pixels: torch.Tensor) -> _Answers:
    """From the outputs that a program outside uses, not from those that SoleScope computes the same of."""
    rejected = [names.REJECTED_LOGITS] if model.spec.outputs > len(model.spec.classes) else []
    wanted = [names.LOGITS, names.EMBEDDINGS, names.PROBABILITIES, names.OOD_SCORE, *rejected]
    logits, embeddings, chances, score, *rest = file.run(_as_input(pixels), wanted)
    outputs = model.split_logits(np.concatenate([logits, *rest], axis=1), embeddings)
    return _Answers.of(model, outputs, chances, score)


def _joined(parts: Sequence[_Answers]) -> _Answers:
    kinds = [kind for part in parts for kind in part.kinds]
    every = np.concatenate([part.probabilities for part in parts]), np.concatenate([part.score for part in parts])
    return _Answers(*every, kinds)


def _agreement(model: SneakerModel, ours: _Answers, theirs: _Answers, labels: Sequence[object]) -> Agreement:
    first, other = ours.probabilities.argmax(1), theirs.probabilities.argmax(1)
    rows = np.arange(len(first))
    tied = ours.probabilities.max(1) - ours.probabilities[rows, other] < _TIE
    numbers = {label: number for number, label in enumerate(model.spec.classes)}
    truth = np.array([numbers.get(str(label), -1) for label in labels])
    known = truth >= 0
    before, after = (float((top[known] == truth[known]).mean()) if known.any() else None for top in (first, other))
    return Agreement(
        photos=len(first),
        labeled=int(known.sum()),
        same_top1=float(((first == other) | tied).mean()),
        same_status=float(np.mean([one == two for one, two in zip(ours.kinds, theirs.kinds, strict=True)])),
        probability=_largest(ours.probabilities, theirs.probabilities),
        score=_largest(ours.score, theirs.score),
        top1_before=before,
        top1_after=after,
    )


def _largest(ours: Floats, theirs: Floats) -> float:
    # A number that isn't one is as far away as can be.
    return float(np.nan_to_num(np.abs(ours - theirs), nan=np.inf).max())


def check_float32(found: Agreement) -> None:
    """Refuse a float32 file that doesn't agree.

    Raises
    ------
    ExportError
        It names another class first on a photo, or a probability or OOD score is too far off.
    """
    if found.same_top1 < 1 or found.probability > MOST_PROBABILITY or found.score > MOST_SCORE:
        raise ExportError(f"The exported file disagrees with its model, so it wasn't kept. {found.sentence()}")


def check_int8(found: Agreement) -> None:
    """Refuse an int8 file that is right less often.

    Raises
    ------
    ExportError
        It loses more top-1 accuracy than int8 may; or, without test photos, answers too many photos in another way.
    """
    if found.top1_before is not None and found.top1_after is not None:
        refused = found.top1_before - found.top1_after > MOST_LOSS
    else:
        refused = found.same_status < LEAST_SAME_STATUS
    if refused:
        raise ExportError(
            f"The int8 file is too inaccurate, so it wasn't kept. {found.sentence()} Export in full precision (onnx)."
        )


def read_pixels(model: SneakerModel, photos: pd.DataFrame) -> Iterator[Floats]:
    """Photos as the graph takes them, in batches: float32 (N, 3, H, W), RGB from 0 to 1.

    Parameters
    ----------
    model : SneakerModel
    photos : DataFrame
        Columns path and label.
    """
    for start in range(0, len(photos), _BATCH):
        pixels, _ = _read(model, photos.iloc[start : start + _BATCH])
        if len(pixels):
            yield _as_input(pixels)


def _as_input(pixels: torch.Tensor) -> Floats:
    return np.asarray(pixels.permute(0, 3, 1, 2).float().numpy() / 255, np.float32)
