"""Device and numeric precision that networks run with."""

from contextlib import AbstractContextManager

import torch

from sneaker_core import process_group
from sneaker_core.settings import mixed_precision_enabled


def training_device() -> torch.device:
    """The GPU if torch can use one (each process of a group gets its own), otherwise the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", process_group.local_rank() % torch.cuda.device_count())
    return torch.device("cpu")


def mixed_precision(device: str = "cpu") -> AbstractContextManager[object]:
    """Context in which torch autocasts to bfloat16, if the hardware supports it and the settings allow it.

    Parameters
    ----------
    device : str
        "cpu" or "cuda".
    """
    if device == "cuda":
        supported = torch.cuda.is_bf16_supported()
    else:
        supported = bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
    return torch.autocast(device, torch.bfloat16, enabled=supported and mixed_precision_enabled())
