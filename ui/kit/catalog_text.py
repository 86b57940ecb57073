"""What the catalog says of a shoe, as markdown."""

from sneaker_core.catalog.entries import ShoeType, Sneaker
from ui.kit.text import escape_markdown

# The parameter of the Catalog's address that names the shoe that is open.
SHOE_PARAM = "shoe"


def facts_text(entry: Sneaker | ShoeType) -> str:
    """The facts in a line: "Nike · Air Max · 1987 · running", or "Shoe type · dress"."""
    if isinstance(entry, ShoeType):
        return escape_markdown(f"Shoe type · {entry.category}")
    facts = (entry.brand, entry.line, str(entry.year or ""), str(entry.category))
    return " · ".join(escape_markdown(fact) for fact in facts if fact)


def points_text(entry: Sneaker | ShoeType, *, small: bool = False) -> str:
    """What tells the shoe from others: the marks of a sneaker as a list, the distinction of a shoe type."""
    lead, points = ("- ", entry.marks) if isinstance(entry, Sneaker) else ("", (entry.distinction,))
    return "\n".join(lead + sized(escape_markdown(point), small) for point in points)


def wearing_text(entry: Sneaker | ShoeType, *, small: bool = False) -> str:
    """What is good and bad about wearing it, a line each."""
    good, bad = (entry.strengths, entry.weaknesses) if isinstance(entry, Sneaker) else (entry.pros, entry.cons)
    lines = (f":material/thumb_up: {escape_markdown(good)}", f":material/thumb_down: {escape_markdown(bad)}")
    return "  \n".join(sized(line, small) for line in lines)


def sized(markdown: str, small: bool) -> str:
    """Markdown in small letters, or as it is."""
    return f":small[{markdown}]" if small else markdown
