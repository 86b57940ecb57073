"""Where in a frame a model sees shoes: its class evidence at every place of the feature map.

The head of a network with global average pooling can be applied to each place of the last feature map instead of to
their mean (class activation maps: Zhou et al. 2016). What speaks for any class, or any type of other footwear, against
"no shoe" is high on shoes and nowhere else. The network runs on the whole frame, at more pixels than a photo has, so
several sneakers give several peaks. Where the head can't be applied, the feature map is weighed by the gradients of the
same evidence (Grad-CAM: Selvaraju et al. 2017).
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sneaker_core.inference.explanation.model_copies import copy_with_shared_weights
from sneaker_core.networks.architectures import SneakerNetwork, architecture, explained_layer
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.video.boxes import Pixels

# The longer side of the frame as the network sees it, in pixels; sides are multiples of the stride of the networks.
_SIDE, _STRIDE = 384, 32

Evidence = NDArray[np.float32]


class ShoeEvidence:
    """The evidence for shoes that a model finds in frames.

    Parameters
    ----------
    model : SneakerModel
        Its weights are shared, and its modules copied, so others may use it meanwhile.
    """

    def __init__(self, model: SneakerModel) -> None:
        self._spec = model.spec
        self._architecture = architecture(model.spec.network)
        network = copy_with_shared_weights(model.network)
        assert isinstance(network, SneakerNetwork)
        self._network = network
        self._features: Tensor | None = None
        explained_layer(model.spec.network, network).register_forward_hook(self._keep)

    def _keep(self, module: object, inputs: object, output: Tensor) -> None:
        self._features = output

    def of(self, frame: Pixels) -> Evidence:
        """The evidence at each place of the feature map: log-odds of a shoe, float32 (h, w)."""
        images = self._spec.preprocessing.standardize(torch.from_numpy(self._resized(frame)[None]))
        with torch.no_grad():
            self._network.embed(images.contiguous(memory_format=torch.channels_last))
        features = self._kept()
        if features.shape[1] == self._network.embedding_size:
            with torch.no_grad():
                return self._at_each_place(features)
        return self._by_gradients(images)

    def _resized(self, frame: Pixels) -> Pixels:
        if self._architecture.fixed_size:
            size = (self._spec.preprocessing.width, self._spec.preprocessing.height)
        else:
            share = _SIDE / max(frame.shape[:2])
            wide, tall = (max(round(side * share / _STRIDE), 2) * _STRIDE for side in (frame.shape[1], frame.shape[0]))
            size = (wide, tall)
        method = cv2.INTER_AREA if size[0] < frame.shape[1] else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(frame, size, interpolation=method), dtype=np.uint8)

    def _kept(self) -> Tensor:
        assert self._features is not None
        return self._features

    def _log_odds(self, logits: Tensor) -> Tensor:
        """Of a shoe against no shoe, from logits (N, outputs)."""
        shoes = len(self._spec.classes) + len(self._spec.footwear_types)
        evidence = torch.logsumexp(logits[:, :shoes], 1)
        return evidence - logits[:, shoes] if self._spec.has_negatives_class else evidence

    def _at_each_place(self, features: Tensor) -> Evidence:
        _, depth, tall, wide = features.shape
        places = features[0].reshape(depth, -1).T
        return self._log_odds(self._network.head(places).float()).reshape(tall, wide).numpy()

    def _by_gradients(self, images: Tensor) -> Evidence:
        with torch.enable_grad():
            # The weights are frozen, so gradients start from the input.
            logits = self._network(images.requires_grad_(True))
            features = self._kept()
            (gradients,) = torch.autograd.grad(self._log_odds(logits.float()).sum(), features)
        weights = gradients.mean((2, 3), keepdim=True) * features.shape[2] * features.shape[3]
        return (weights * features).sum(1)[0].detach().numpy()
