"""Tables for people to take along."""

# A spreadsheet takes a cell that begins with one of these for a formula and runs it; names come from anyone.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(text: str) -> str:
    """A cell of a table that a spreadsheet shows and does not run."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
