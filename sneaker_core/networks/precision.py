"""How exactly a network computes, and on what."""

from contextlib import AbstractContextManager

import torch

from sneaker_core import process_group
from sneaker_core.settings import fast_arithmetic_wanted


def training_device() -> torch.device:
    """A graphics card where torch can use one (each of several processes its own), else the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda", process_group.local_rank() % torch.cuda.device_count())
    return torch.device("cpu")


def fast_arithmetic(device: str = "cpu") -> AbstractContextManager[object]:
    """Autocast to bfloat16 where the hardware has instructions for it and a person has not declined, else nothing."""
    if device == "cuda":
        able = torch.cuda.is_bf16_supported()
    else:
        able = bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
    return torch.autocast(device, torch.bfloat16, enabled=able and fast_arithmetic_wanted())
