"""The errors that SoleScope raises.

::

    SneakerError
    ├── ImageError           a photo can't be read
    │   ├── ImageTooLargeError   … because it exceeds a limit
    │   └── SlowImageError       … because it takes too long to decode
    ├── ClipError            a clip can't be read, is too long or too large, or a name can't be used for it
    ├── DatasetError         a dataset or photo folder is missing, empty, busy or has an unsupported layout
    ├── CollectError         a web search or download failed
    ├── RecipeError          a training setting is invalid
    ├── RunError             a run or study is missing, busy or damaged, or a name can't be used for it
    ├── SpaceError           there is not enough disk space
    ├── StoppedError         a task was stopped before it had a result
    ├── DamagedError         a record on disk can't be read, or is from a newer version
    ├── CheckpointError      a model's folder is damaged or from another version
    ├── ExportError          a model can't be exported, or an exported one can't do what was asked
    ├── ModelNotFoundError   there is no model of that name
    ├── UnknownLabelError    the model has no such class
    ├── ReadOnlyError        this SoleScope doesn't save or change anything
    └── BusyError            too many requests are waiting, or the same task is already running

Each message says what happened, which file or name it concerns, and what to do.
"""

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
    "ModelNotFoundError",
    "ReadOnlyError",
    "RecipeError",
    "RunError",
    "SlowImageError",
    "SneakerError",
    "SpaceError",
    "StoppedError",
    "UnknownLabelError",
]


class SneakerError(Exception):
    """Base class of all errors with a message for users."""


class ImageError(SneakerError):
    """A photo can't be read."""


class ImageTooLargeError(ImageError):
    """A photo exceeds the limit on bytes or pixels."""


class SlowImageError(ImageError):
    """A photo takes too long to decode, or is made of so many parts that it would."""


class ClipError(SneakerError):
    """A clip can't be read, is too long or too large, or a name can't be used for it."""


class DatasetError(SneakerError):
    """A dataset or photo folder is missing, empty, busy or has an unsupported layout."""


class CollectError(SneakerError):
    """A web search or download failed."""


class RecipeError(SneakerError):
    """A training setting is invalid; the message names the setting and the allowed values."""


class RunError(SneakerError):
    """A run or study is missing, busy or damaged, or a name can't be used for it."""


class SpaceError(SneakerError):
    """There is not enough disk space; the message says where and how much is needed."""


class StoppedError(SneakerError):
    """A task was stopped before it had a result."""


class DamagedError(SneakerError):
    """A record on disk can't be read, or is from a newer version; the message names the file and the field."""


class CheckpointError(SneakerError):
    """A model's folder is damaged, incomplete or from another version."""


class ExportError(SneakerError):
    """A model can't be exported, an exported file disagrees with it, or an exported model can't do what was asked."""


class ModelNotFoundError(SneakerError):
    """There is no bundled model, run or folder of that name."""


class UnknownLabelError(SneakerError):
    """The model has no such class."""


class ReadOnlyError(SneakerError):
    """SoleScope was started so that it saves and changes nothing."""


class BusyError(SneakerError):
    """Too many requests are waiting, or the same task is already running; try again later."""
