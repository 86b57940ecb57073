"""How exactly a network computes."""

from contextlib import AbstractContextManager

import torch


def fast_arithmetic() -> AbstractContextManager[object]:
    """Autocast to bfloat16 where the processor has instructions for it, else nothing."""
    fast = bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
    return torch.autocast("cpu", torch.bfloat16, enabled=fast)
