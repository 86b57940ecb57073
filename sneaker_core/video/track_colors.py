"""The colors of tracks, in the marked video and in charts."""

# Told apart with any color vision deficiency (after Okabe and Ito, 2008), and dark enough for white text.
_COLORS = ("#0072b2", "#c05200", "#007a5a", "#a3468c", "#8a6d00", "#3f6fd1")


def track_color(number: int) -> str:
    """The color of a track, by its number from 1."""
    return _COLORS[(number - 1) % len(_COLORS)]
