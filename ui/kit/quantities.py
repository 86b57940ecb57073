"""Numbers, sizes and stretches of time in words."""

from sneaker_core.training.planning.duration_text import in_words as time_words

__all__ = ["counted_classes", "counted_photos", "size_words", "time_words"]


def counted_classes(number: int) -> str:
    """A number of classes with its noun: "1 class", "3 classes"."""
    return "1 class" if number == 1 else f"{number:,} classes"


def counted_photos(number: int) -> str:
    """A number of photos with its noun: "1 photo", "10,494 photos"."""
    return "1 photo" if number == 1 else f"{number:,} photos"


def size_words(number: int) -> str:
    """Bytes as people say them: "3.4 MB"."""
    size = float(number)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
