"""New classes for a trained network without training: rows of its last layer, made of the embeddings of a few photos.

The method is weight imprinting: the mean of the unit-length embeddings of a class, its prototype, becomes the class's
row of weights (Qi, Brown and Lowe 2018, "Low-Shot Learning with Imprinted Weights"). Two things are added. Embeddings
of all sneakers have much in common, and vary in some directions more than in others, so the prototype is taken
relative to the known sneakers' mean and weighted by the inverse of their (shrunken) covariance, as in linear
discriminant analysis. And the row's length and bias are fitted so that the new class competes fairly with classes
that were trained.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from sneaker_core.networks.checkpoint import ModelSpec, SneakerModel
from sneaker_core.networks.decision import Floats, Outputs, unit_length

# Share of the known sneakers' references that may be taken for a new class.
MAX_TAKEN = 0.05
# Length of a new row as a share of that of the trained ones.
_LENGTH = 1.0
# Weight of an equal variance in all directions against that of the references.
_SHRINKAGE = 1.0
# With a row's bias at its lowest useful value, this share of the photos left out is still missed.
_MISSED = 0.2


@dataclass(frozen=True)
class Row:
    """The weights (D,) and the bias of a class in the last layer."""

    weight: Floats
    bias: float

    def logits(self, features: Floats) -> Floats:
        """Logits (N,) for inputs (N, D) of the last layer."""
        return np.asarray(features @ self.weight + self.bias, dtype=np.float32)


def mean_length(vectors: Floats) -> float:
    """The mean Euclidean length of rows (N, D)."""
    return float(np.linalg.norm(vectors, axis=1).mean())


def last_layer(head: nn.Module) -> nn.Linear:
    """The layer of a head that computes the logits."""
    layer = head[-1] if isinstance(head, nn.Sequential) else head
    assert isinstance(layer, nn.Linear)
    return layer


@torch.inference_mode()
def last_inputs(head: nn.Module, embeddings: Floats) -> Floats:
    """The inputs (N, D) of the last layer for embeddings."""
    values = torch.from_numpy(np.ascontiguousarray(embeddings, dtype=np.float32))
    return np.asarray((head[:-1](values) if isinstance(head, nn.Sequential) else values).numpy(), dtype=np.float32)


class KnownSneakers:
    """What a model knows, for photos whose embeddings have a certain length: references are stored without theirs.

    Parameters
    ----------
    model : SneakerModel
        With one class or more. References have no labels; each counts as the class that the model takes it for.
    length : float
        Of the embeddings of the photos to be taught.

    Attributes
    ----------
    logits : float32 array (R, C)
        Of the references.
    row_length : float
        Mean length of the known classes' rows, relative to their mean.
    """

    def __init__(self, model: SneakerModel, length: float) -> None:
        known = len(model.spec.classes)
        layer = last_layer(model.network.head)
        self._weight = layer.weight.detach().numpy()[:known]
        self._bias = layer.bias.detach().numpy()[:known]
        self.features = last_inputs(model.network.head, model.references * length)
        self.logits = self.class_logits(self.features)
        unit = unit_length(self.features)
        self._mean = unit.mean(0)
        own = self.logits.argmax(1)
        self._spread = np.stack([one - unit[own == label].mean(0) for one, label in zip(unit, own, strict=True)])
        ridge = _SHRINKAGE * max(float((self._spread**2).sum()) / unit.shape[1], 1e-9)
        # Inverting this matrix, with a row per reference, is much cheaper than inverting the covariance (Woodbury).
        self._inverse = np.linalg.inv(self._spread @ self._spread.T + ridge * np.eye(len(unit))).astype(np.float32)
        rows = self._weight - self._weight.mean(0) if known > 1 else self._weight
        self.row_length = mean_length(rows)

    def class_logits(self, features: Floats) -> Floats:
        """Logits (N, C) of the known classes."""
        return np.asarray(features @ self._weight.T + self._bias, dtype=np.float32)

    def _direction(self, features: Floats) -> Floats:
        own = unit_length(features).mean(0) - self._mean
        own = own - self._spread.T @ (self._inverse @ (self._spread @ own))
        return np.asarray(own / max(float(np.linalg.norm(own)), 1e-12) * _LENGTH * self.row_length, dtype=np.float32)

    def row(self, features: Floats) -> Row:
        """The row of a new class.

        The bias lies midway between two values: the lowest at which most of the class's photos, each left out of the
        prototype in turn, still get the new class, and the highest at which at most `MAX_TAKEN` of the references do.
        If the first is above the second, the second counts.

        Parameters
        ----------
        features : float32 array (N, D)
            Inputs of the last layer for the class's photos.
        """
        weight = self._direction(features)
        highest = np.quantile(self.logits.max(1) - self.features @ weight, MAX_TAKEN, method="lower")
        if len(features) < 2:
            return Row(weight, float(highest))
        left_out = [one @ self._direction(np.delete(features, place, axis=0)) for place, one in enumerate(features)]
        lowest = np.quantile(self.class_logits(features).max(1) - np.array(left_out), 1 - _MISSED)
        return Row(weight, float(min(highest, (lowest + highest) / 2)))


def rows_alone(features: Sequence[Floats], length: float, typical: float) -> list[Row]:
    """The rows of classes in a model that knows no others: each photo gets the class with the nearest prototype.

    Parameters
    ----------
    features : sequence of float32 arrays (N, D)
        Inputs of the last layer for the photos of each class; two classes or more.
    length : float
        Of each row.
    typical : float
        The mean logit of a class for its own photos, which the logits of what is no sneaker are compared with.
    """
    prototypes = np.stack([unit_length(own).mean(0) for own in features])
    weights = unit_length(prototypes - prototypes.mean(0)) * np.float32(length)
    return [Row(weight, typical - float((own @ weight).mean())) for weight, own in zip(weights, features, strict=True)]


def with_classes(
    model: SneakerModel, kept: int, names: Sequence[str], rows: Sequence[Row], references: Floats, spec: ModelSpec
) -> SneakerModel:
    """A model with new classes after the first of its own; what it tells from sneakers stays.

    Parameters
    ----------
    model : SneakerModel
    kept : int
        How many of its classes stay, from the first.
    names : sequence of str
        Of the new classes.
    rows : sequence of Row
    references : float32 array (R, D)
        All references of the new model.
    spec : ModelSpec
        Of the new model, apart from the classes.
    """
    network = copy.deepcopy(model.network)
    old = last_layer(network.head)
    known = len(model.spec.classes)
    blank = np.zeros((0, old.in_features), np.float32)
    weight, bias = old.weight.detach().numpy(), old.bias.detach().numpy()
    weight = np.concatenate([weight[:kept], *(row.weight[None] for row in rows), blank, weight[known:]])
    bias = np.concatenate([bias[:kept], np.array([row.bias for row in rows], np.float32), bias[known:]])
    old.weight = nn.Parameter(torch.from_numpy(weight), requires_grad=False)
    old.bias = nn.Parameter(torch.from_numpy(bias), requires_grad=False)
    old.out_features = network.outputs = len(bias)
    classes = (*model.spec.classes[:kept], *names)
    return SneakerModel(replace(spec, classes=classes), network.eval(), unit_length(references))


def head_outputs(model: SneakerModel, embeddings: Floats) -> Outputs:
    """Outputs for embeddings that are averages over a photo and its mirror image."""
    layer = last_layer(model.network.head)
    features = last_inputs(model.network.head, embeddings)
    logits = np.asarray(features @ layer.weight.detach().numpy().T + layer.bias.detach().numpy(), dtype=np.float32)
    return model.split_logits(logits, embeddings)
