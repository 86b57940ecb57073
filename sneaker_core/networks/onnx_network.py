"""The network of an exported model: it runs an ONNX session and gives answers, no more."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import torch
from torch import Tensor, nn

from sneaker_core.errors import CheckpointError, ExportError
from sneaker_core.networks import onnx_metadata as names
from sneaker_core.networks.architectures import SneakerNetwork
from sneaker_core.networks.checkpoint import ModelSpec
from sneaker_core.networks.decision import Floats

if TYPE_CHECKING:
    import onnxruntime


class OnnxNetwork(SneakerNetwork):
    """An ONNX session in place of a network.

    It has no weights to train, no layers to explain and no head to extend; asking for them says so.

    Parameters
    ----------
    data : bytes
        An ONNX file that `onnx_file` has checked.
    spec : ModelSpec
    source : str
        The file, for errors.

    Raises
    ------
    CheckpointError
        onnxruntime can't run it, or its outputs don't have the sizes that the spec says.
    """

    def __init__(self, data: bytes, spec: ModelSpec, source: str) -> None:
        nn.Module.__init__(self)
        self.source, self.outputs, self.head_kind = source, spec.outputs, spec.head
        preprocessing = spec.preprocessing
        self._mean = torch.tensor(preprocessing.mean).view(1, 3, 1, 1)
        self._std = torch.tensor(preprocessing.std).view(1, 3, 1, 1)
        self._wanted = [names.LOGITS, names.EMBEDDINGS]
        self._wanted += [names.REJECTED_LOGITS] if spec.outputs > len(spec.classes) else []
        self._session = self._started(data)
        logits, embeddings = self.averaged(torch.zeros(1, 3, preprocessing.height, preprocessing.width), True)
        if logits.shape != (1, spec.outputs) or embeddings.ndim != 2:
            raise CheckpointError(f"{source} doesn't fit its own description. Export the model again.")
        self.embedding_size = embeddings.shape[1]

    def _started(self, data: bytes) -> "onnxruntime.InferenceSession":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # One setting for both, so that several processes can share the cores.
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 4
        try:
            return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors have no common class
            raise CheckpointError(self._why_not(error)) from None

    def _why_not(self, error: Exception) -> str:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        return f"onnxruntime can't run {self.source}: {reason}. Export the model again."

    def averaged(self, images: Tensor, mirrored: bool) -> tuple[Tensor, Tensor]:
        """Logits and embeddings; the graph itself standardizes and averages over the views."""
        found = self.run((images * self._std + self._mean).contiguous().numpy(), self._wanted)
        logits, embeddings, *rejected = found
        return torch.from_numpy(np.concatenate([logits, *rejected], axis=1)), torch.from_numpy(embeddings)

    def run(self, photos: Floats, wanted: Sequence[str]) -> list[Floats]:
        """Outputs of the graph by name, for photos (N, 3, H, W), RGB from 0 to 1.

        Raises
        ------
        CheckpointError
            onnxruntime can't compute them.
        """
        import onnxruntime

        options = onnxruntime.RunOptions()
        options.only_execute_path_to_fetches = True
        try:
            found = self._session.run(list(wanted), {names.PHOTOS: photos}, options)
        except Exception as error:
            raise CheckpointError(self._why_not(error)) from None
        return [np.asarray(values, np.float32) for values in found]

    def embed(self, images: Tensor) -> Tensor:
        """Embeddings (B, D) of images (B, 3, H, W)."""
        return self.averaged(images, True)[1]

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, outputs) of images (B, 3, H, W); there are no gradients."""
        if images.requires_grad:
            self._refused()
        return self.averaged(images, True)[0]

    def _refused(self) -> NoReturn:
        raise ExportError(
            f"{self.source} is an ONNX file. It answers, but can't be trained, taught or explained by gradients: use "
            "the model it was exported from."
        )

    @property
    def backbone(self) -> nn.Module:  # type: ignore[override]
        """Not there: raises ExportError."""
        self._refused()

    @property
    def head(self) -> nn.Module:  # type: ignore[override]
        """Not there: raises ExportError."""
        self._refused()

    def answering_state(self) -> dict[str, Tensor]:
        """Not there: raises ExportError."""
        self._refused()

    def __deepcopy__(self, _memo: dict[int, Any]) -> "OnnxNetwork":
        self._refused()
