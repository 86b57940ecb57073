"""An address as a QR code that a terminal can show."""

# Two modules above each other in one character: bit 1 is the upper one, bit 2 the lower one.
_BLOCKS = " ▀▄█"
_QUIET_ZONE = 2


def qr_lines(text: str) -> list[str]:
    """The QR code of a text in lines of equal length, drawn with block characters.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
        To be shown dark on light. Each character is two modules high and one wide.
    """
    import segno

    rows = [list(row) for row in segno.make_qr(text, error="l").matrix_iter(border=_QUIET_ZONE)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    return [
        "".join(_BLOCKS[(upper & 1) + 2 * (lower & 1)] for upper, lower in zip(*pair, strict=True))
        for pair in zip(rows[::2], rows[1::2], strict=True)
    ]
