"""Entries of zip archives, with times that the format can hold: it knows the years 1980 to 2107 only."""

import stat
import time
import zipfile

# A day inside both ends, so that every time zone is within them.
_FIRST, _LAST = 315_619_200, 4_354_732_800


def zip_entry(name: str, seconds: float | None = None) -> zipfile.ZipInfo:
    """An entry that is stored without compression and that everybody may read.

    Parameters
    ----------
    name : str
        Path in the archive.
    seconds : float, optional
        When the file was changed, since 1970; now, by default. Clocks and files may be set to any time.
    """
    within = min(max(time.time() if seconds is None else seconds, _FIRST), _LAST)
    year, month, day, hour, minute, second = time.localtime(within)[:6]
    entry = zipfile.ZipInfo(name, (year, month, day, hour, minute, second))
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry
