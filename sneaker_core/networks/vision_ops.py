"""Import torchvision so that it works with a CPU build of torch, and quickly.

Import this module before the first ``import torchvision``.

With a CPU build of torch, the compiled operators of the package index's torchvision can't be loaded, and importing
torchvision fails when it registers an implementation of ``torchvision::nms``. Declaring the two operators is enough for
the import; SoleScope never calls them. If the compiled operators load, nothing is declared.

One of torchvision's operators, which SoleScope never calls either, needs a function of torch's compiler. Importing the
compiler takes longer than all the rest of torchvision, so it is put off until that function is called.
"""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

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


def _is_compile_supported(device: str) -> bool:
    from torch._dynamo.utils import is_compile_supported

    return bool(is_compile_supported(device))


@contextmanager
def _compiler_put_off() -> Iterator[None]:
    """Give out stand-ins for the compiler's modules, unless they are imported already."""
    package, utils = ModuleType("torch._dynamo"), ModuleType("torch._dynamo.utils")
    utils.__dict__["is_compile_supported"] = _is_compile_supported
    package.__dict__["utils"] = utils
    if package.__name__ not in sys.modules:
        sys.modules |= {package.__name__: package, utils.__name__: utils}
    try:
        yield
    finally:
        for module in (package, utils):
            if sys.modules.get(module.__name__) is module:
                del sys.modules[module.__name__]


_declared = declare_missing_operators()
with _compiler_put_off():
    import torchvision  # noqa: F401
