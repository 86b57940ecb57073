"""SoleScope's core: everything but the pages.

Nothing here imports streamlit or prints. Bad input raises only `SneakerError` and its subclasses.

    import sneaker_core as sc

    sc.load_model().predict("photo.jpg")
"""

from sneaker_core.errors import (
    BusyError,
    CheckpointError,
    ClipError,
    CollectError,
    DamagedError,
    DatasetError,
    ExportError,
    ImageError,
    ImageTooLargeError,
    ModelNotFoundError,
    ReadOnlyError,
    RecipeError,
    RunError,
    SlowImageError,
    SneakerError,
    SpaceError,
    StoppedError,
    UnknownLabelError,
)
from sneaker_core.python_api import Model, evaluate, explain, load_model, open_dataset, predict_same, teach, train

__version__ = "0.1.0"

__all__ = [
    "BusyError",
    "CheckpointError",
    "ClipError",
    "CollectError",
    "DamagedError",
    "DatasetError",
    "ExportError",
    "ImageError",
    "ImageTooLargeError",
    "Model",
    "ModelNotFoundError",
    "ReadOnlyError",
    "RecipeError",
    "RunError",
    "SlowImageError",
    "SneakerError",
    "SpaceError",
    "StoppedError",
    "UnknownLabelError",
    "evaluate",
    "explain",
    "load_model",
    "open_dataset",
    "predict_same",
    "teach",
    "train",
]
