"""Every error that SoleScope raises on purpose.

::

    SneakerError
    ├── ImageError           the bytes are no photo that can be read
    │   └── ImageTooLargeError   … because they are over a cap
    ├── DatasetError         a dataset or a folder of photos is missing, empty, busy or laid out in another way
    ├── CollectError         the web could not be searched, or a photo there could not be fetched
    ├── RecipeError          a training setting is out of its range
    ├── RunError             no run or study goes by that name, or it is busy or damaged
    ├── SpaceError           the disk is too full for what is to be written
    ├── StoppedError         work was asked to stop before there was anything to keep
    ├── CheckpointError      a model's folder is damaged or from an unknown version
    ├── ModelNotFoundError   no model goes by that name
    ├── UnknownLabelError    the model has no class of that name
    └── BusyError            too many requests are waiting already, or the same work goes on already

Each message is one plain sentence: what happened, to which file, what to do.
"""

__all__ = [
    "BusyError",
    "CheckpointError",
    "CollectError",
    "DatasetError",
    "ImageError",
    "ImageTooLargeError",
    "ModelNotFoundError",
    "RecipeError",
    "RunError",
    "SneakerError",
    "SpaceError",
    "StoppedError",
    "UnknownLabelError",
]


class SneakerError(Exception):
    """Base of all errors that are meant to be read by a person."""


class ImageError(SneakerError):
    """The bytes are no photo that can be read."""


class ImageTooLargeError(ImageError):
    """The photo is over the cap on bytes or on pixels."""


class DatasetError(SneakerError):
    """A dataset or a folder of photos is missing, empty, busy or laid out in another way."""


class CollectError(SneakerError):
    """The web could not be searched, or a photo there could not be fetched."""


class RecipeError(SneakerError):
    """A training setting is out of its range; the message names it and what is allowed."""


class RunError(SneakerError):
    """No run or study goes by that name, a name cannot be that of one, or it is busy or damaged."""


class SpaceError(SneakerError):
    """The disk is too full for what is to be written; the message says how much is needed and where."""


class StoppedError(SneakerError):
    """Work was asked to stop before there was anything to keep."""


class CheckpointError(SneakerError):
    """A model's folder is damaged, incomplete or from an unknown version."""


class ModelNotFoundError(SneakerError):
    """No bundled model, run or folder goes by that name."""


class UnknownLabelError(SneakerError):
    """The model has no class of that name."""


class BusyError(SneakerError):
    """Too many requests are waiting already, or the same work goes on already; try again shortly."""
