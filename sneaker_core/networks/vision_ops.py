"""Lets `import torchvision` succeed beside a CPU build of torch.

A CPU build of torch beside the package index's torchvision lacks torchvision's compiled operators, and
torchvision's own import then fails on ``torchvision::nms``, for which it registers a second implementation.
Declaring the two names is enough for the import; SoleScope never calls them. Nothing is declared where the compiled
operators load, so a complete build keeps its own. Import this module before the first ``import torchvision``.
"""

import importlib.util
from pathlib import Path

import torch

_MISSING = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def _compiled_operators_load() -> bool:
    """Try what torchvision's import will try, without importing it."""
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None:
        return False
    for binary in sorted(Path(found.origin).parent.glob("_C.*")):
        try:
            torch.ops.load_library(str(binary))  # type: ignore[no-untyped-call]
        except OSError:
            continue
    return hasattr(torch.ops.torchvision, "nms")


def declare_missing_operators() -> torch.library.Library | None:
    """Declare ``nms`` and ``qnms`` when, and only when, they are missing.

    Returns
    -------
    torch.library.Library or None
        The declarations, which live as long as this object does; None where nothing was missing.
    """
    if _compiled_operators_load():
        return None
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name, schema in _MISSING.items():
        if not hasattr(torch.ops.torchvision, name):
            library.define(schema)  # type: ignore[no-untyped-call]
    return library


_declared = declare_missing_operators()
