"""How SoleScope writes numbers, the same in pages, reports and the command line."""

import math
from collections.abc import Sequence

NO_NUMBER = "–"


def percent(share: float, decimals: int = 0) -> str:
    """A share from 0 to 1 as a percentage.

    A share that is not exactly 0 or 1 is never rounded to 0% or 100%: one mistake in 1,000 photos is ">99%".

    Parameters
    ----------
    share : float
        0 to 1; nan gives a dash.
    decimals : int
        0 in sentences and charts, 1 in tables.

    Examples
    --------
    >>> percent(0.943), percent(0.943, 1), percent(0.9996), percent(0.0004), percent(1.0)
    ('94%', '94.3%', '>99%', '<1%', '100%')
    """
    if math.isnan(share):
        return NO_NUMBER
    text = f"{100 * share:.{decimals}f}"
    step = 10.0**-decimals
    if share > 0 and float(text) == 0:
        return f"<{step:.{decimals}f}%"
    if share < 1 and float(text) == 100:
        return f">{100 - step:.{decimals}f}%"
    return f"{text}%"


def percent_setting(value: float) -> str:
    """A setting from 0 to 1, such as a threshold, in as many digits as it needs: "70%", "72.5%"."""
    return f"{round(100 * value, 1):g}%"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: "1 photo", "10,494 photos", "3 classes".

    Parameters
    ----------
    number : int
    noun : str
        Singular.
    plural : str, optional
        Where it is not the noun with an "s".
    """
    return f"1 {noun}" if number == 1 else f"{number:,} {plural or f'{noun}s'}"


def some_of(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are: "Air Max 1, Air Max 90 and 70 more"."""
    more = len(names) - most
    return f"{', '.join(names[:most])} and {more:,} more" if more > 0 else ", ".join(names)


def listed(parts: Sequence[str]) -> str:
    """Parts in one line: "phone, shop and web"."""
    return "".join(parts) if len(parts) < 2 else f"{', '.join(parts[:-1])} and {parts[-1]}"
