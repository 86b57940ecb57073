"""Durations in words; imports nothing heavy, so pages can use it."""

_MINUTE, _HOUR = 60, 3600


def in_words(seconds: float) -> str:
    """A rounded duration: "about 3 minutes"."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 55:
        return f"about {round(seconds / 10) * 10} seconds"
    if seconds < _HOUR - _MINUTE:
        minutes = max(round(seconds / _MINUTE), 1)
        return f"about {minutes} {'minute' if minutes == 1 else 'minutes'}"
    hours = max(round(seconds / _HOUR), 1)
    return f"about {hours} {'hour' if hours == 1 else 'hours'}"
