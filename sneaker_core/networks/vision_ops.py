"""Make `import torchvision` work with a CPU build of torch. Import this module before the first ``import torchvision``.

With a CPU build of torch, the compiled operators of the package index's torchvision can't be loaded, and importing
torchvision fails when it registers an implementation of ``torchvision::nms``. Declaring the two operators is enough for
the import; SoleScope never calls them. If the compiled operators load, nothing is declared.
"""

import importlib.util
from pathlib import Path

import torch

_MISSING = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def _compiled_operators_load() -> bool:
    """Try to load the operators as torchvision does, without importing it."""
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
    """Declare ``nms`` and ``qnms`` if, and only if, they are missing.

    Returns
    -------
    torch.library.Library or None
        The declarations, which exist as long as this object does; None if nothing was missing.
    """
    if _compiled_operators_load():
        return None
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name, schema in _MISSING.items():
        if not hasattr(torch.ops.torchvision, name):
            library.define(schema)  # type: ignore[no-untyped-call]
    return library


_declared = declare_missing_operators()
