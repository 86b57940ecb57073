"""Tables for people to take along."""

import re

# A spreadsheet takes a cell that begins with one of these for a formula and runs it; names come from anyone.
_FORMULA = re.compile("'* *[=+\\-@\t\r\n＝＋－＠]")


def escape_formula(text: str) -> str:
    """A cell of a table that a spreadsheet shows and does not run."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formula(cell: str) -> str:
    """What `escape_formula` made a cell of."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
