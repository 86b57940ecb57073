"""Numbers, sizes and stretches of time in words."""

_MINUTE, _HOUR = 60, 3600


def counted_classes(number: int) -> str:
    """A number of classes with its noun: "1 class", "3 classes"."""
    return "1 class" if number == 1 else f"{number:,} classes"


def counted_photos(number: int) -> str:
    """A number of photos with its noun: "1 photo", "10,494 photos"."""
    return "1 photo" if number == 1 else f"{number:,} photos"


def time_words(seconds: float) -> str:
    """A stretch of time as people say it: "about 3 minutes"."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 55:
        return f"about {round(seconds / 10) * 10} seconds"
    if seconds < _HOUR - _MINUTE:
        minutes = max(round(seconds / _MINUTE), 1)
        return f"about {minutes} {'minute' if minutes == 1 else 'minutes'}"
    hours = max(round(seconds / _HOUR), 1)
    return f"about {hours} {'hour' if hours == 1 else 'hours'}"


def size_words(number: int) -> str:
    """Bytes as people say them: "3.4 MB"."""
    size = float(number)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
