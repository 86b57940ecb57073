"""Cells of CSV files that may be opened in a spreadsheet."""

import re

# Spreadsheets run cells that begin with one of these characters as formulas. File and class names are untrusted.
_FORMULA = re.compile("'* *[=+\\-@\t\r\n＝＋－＠]")


def escape_formula(text: str) -> str:
    """Prefix text that a spreadsheet would run as a formula with an apostrophe."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formula(cell: str) -> str:
    """Undo `escape_formula`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
