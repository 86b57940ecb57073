"""A model as one torch module that goes from photos to the answer: what an ONNX file holds.

It computes what `SneakerModel.outputs` and `networks.decision` do, so that a program outside needs no more than to
compare two numbers with thresholds.
"""

import torch
from torch import Tensor, nn

from sneaker_core.networks import onnx_metadata as names
from sneaker_core.networks.architectures import explained_layer
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import FARTHEST

# Class maps are given where the mean of the features is the embedding, up to rounding.
_ROUNDING = 1e-3
_SHORTEST = 1e-12


class OnnxGraph(nn.Module):
    """From photos to everything that an answer needs.

    Parameters
    ----------
    model : SneakerModel

    Attributes
    ----------
    outputs : tuple of str
        Names of what `forward` returns, in order.
    """

    mean: Tensor
    std: Tensor
    references: Tensor

    def __init__(self, model: SneakerModel) -> None:
        super().__init__()
        self.spec, self.network = model.spec, model.network
        self._layer = explained_layer(model.spec.network, model.network)
        preprocessing = model.spec.preprocessing
        self.register_buffer("mean", torch.tensor(preprocessing.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(preprocessing.std).view(1, 3, 1, 1))
        self.register_buffer(names.REFERENCES, torch.from_numpy(model.references.T.copy()))
        with torch.inference_mode():
            self.outputs = tuple(self._answer(self.example_input()))

    def example_input(self) -> Tensor:
        """Two photos of noise, always the same: float32 (2, 3, H, W), 0..1."""
        size = (2, 3, self.spec.preprocessing.height, self.spec.preprocessing.width)
        return torch.rand(size, generator=torch.Generator().manual_seed(0))

    def forward(self, photos: Tensor) -> tuple[Tensor, ...]:
        """The outputs for photos (N, 3, H, W), RGB from 0 to 1."""
        return tuple(self._answer(photos).values())

    def _answer(self, photos: Tensor) -> dict[str, Tensor]:
        upright = (photos - self.mean) / self.std
        views = torch.cat([upright, upright.flip(3)]) if self.spec.preprocessing.mirrored else upright
        embeddings, features = self._embed(views)
        every = self._averaged(self.network.head(embeddings))
        known = len(self.spec.classes)
        logits, rejected = every[:, :known], every[:, known:] if self.spec.outputs > known else None
        embeddings, pooled = self._averaged(embeddings), self._averaged(features.mean((2, 3)))
        upright_features = features[: photos.shape[0]]
        answer = {
            names.LOGITS: logits,
            **({} if rejected is None else {names.REJECTED_LOGITS: rejected}),
            names.EMBEDDINGS: embeddings,
            names.PROBABILITIES: torch.softmax(logits / self.spec.decision.temperature, dim=1),
            names.OOD_SCORE: self._ood_score(logits, rejected, embeddings),
            names.FEATURES: upright_features,
        }
        if self._is_linear_on(pooled, embeddings):
            head = self.network.head
            assert isinstance(head, nn.Linear)
            weights = head.weight[:known, :, None, None]
            answer[names.CLASS_MAPS] = nn.functional.conv2d(upright_features, weights)
        return answer

    def _embed(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings (B, D), and the last feature map (B, K, h, w) on the way to them."""
        seen: list[Tensor] = []
        hook = self._layer.register_forward_hook(lambda _layer, _given, features: seen.append(features))
        try:
            return self.network.embed(views), seen[0]
        finally:
            hook.remove()

    def _averaged(self, values: Tensor) -> Tensor:
        """Values of the views (B, …) averaged to those of the photos (N, …)."""
        if not self.spec.preprocessing.mirrored:
            return values
        return values.reshape(2, -1, int(values.shape[1])).mean(0)

    def _is_linear_on(self, pooled: Tensor, embeddings: Tensor) -> bool:
        """Whether the logits are weighted sums of the features' means, so that a class has a map of its own."""
        if hasattr(self, "outputs"):
            return names.CLASS_MAPS in self.outputs
        is_mean = pooled.shape == embeddings.shape and torch.allclose(pooled, embeddings, _ROUNDING, _ROUNDING)
        return isinstance(self.network.head, nn.Linear) and is_mean

    def _ood_score(self, logits: Tensor, rejected: Tensor | None, embeddings: Tensor) -> Tensor:
        """As `decision.ood_score`."""
        fitted = self.spec.decision
        length = torch.linalg.vector_norm(embeddings, dim=1, keepdim=True).clamp_min(_SHORTEST)
        distance = 1 - ((embeddings / length) @ self.references).amax(1)
        score = fitted.distance_weight * (distance - fitted.distance_mean) / fitted.distance_std
        if rejected is not None:
            odds = torch.logsumexp(rejected, 1) - torch.logsumexp(logits, 1)
            score = score + fitted.negatives_weight * (odds - fitted.negatives_mean) / fitted.negatives_std
        lack = (fitted.logit_mean - logits.amax(1)) / fitted.logit_std
        clipped: Tensor = (score + fitted.logit_weight * lack).clamp(-FARTHEST, FARTHEST)
        return clipped
