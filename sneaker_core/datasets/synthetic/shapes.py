"""What a fictional sneaker is made of: outlines, panels and a tread.

Coordinates are in a field 100 wide, with y downwards: heel on the left, toe on the right, the ground at 66. A point
with a third number is a corner. Panels may extend beyond the edge of the upper, where they are clipped.
"""

from dataclasses import dataclass
from enum import StrEnum

from sneaker_core.datasets.synthetic.curves import Outline

__all__ = ["Panel", "Shoe", "Tread"]


class Tread(StrEnum):
    """Profile of the outsole."""

    FLAT = "flat"
    WAFFLE = "waffle"
    LUGS = "lugs"
    WAVES = "waves"
    PODS = "pods"


@dataclass(frozen=True)
class Panel:
    """A piece that is sewn or glued on.

    Attributes
    ----------
    outline : Outline
    role : str
        The field of `Colorway` with its color.
    height : int
        Thickness above the upper, from 0 to 60.
    texture : int
        Strength of the fabric texture, 0 (smooth) to 255.
    stitched : bool
        Whether it has a seam along its edge.
    """

    outline: Outline
    role: str
    height: int = 20
    texture: int = 0
    stitched: bool = True


@dataclass(frozen=True)
class Shoe:
    """A fictional sneaker; the module describes the coordinates.

    Attributes
    ----------
    upper, midsole, tongue, lining : Outline
        Closed; the tongue and the lining are behind the upper.
    collar : Outline
        Open path of the padded edge, from heel to throat.
    throat : Outline
        Open path of the edge that the laces cross, from the top down; empty for shoes without laces.
    rows : int
        Number of lace crossings.
    ground : Outline
        Open path of the sole's lower edge, from heel to toe.
    tread, tread_depth, tread_count
        Pattern of the outsole, its depth in units of the field, and its number of repetitions.
    panels, sole_panels : tuple of Panel
        On the upper and on the midsole, back to front.
    grooves, seams, stripes : tuple of Outline
        Open paths: grooves in the midsole, seams on the upper, stripes on the midsole.
    holes : Outline
        Centers of the ventilation holes.
    window : Outline
        Window in the heel of the midsole; may be empty.
    tab : Outline
        Loop or tab at the heel; may be empty.
    texture : int
        Strength of the fabric texture on the upper, 0 to 255.
    eyestay : float
        Width of the lace panel.
    collar_width : float
    """

    upper: Outline
    midsole: Outline
    tongue: Outline
    lining: Outline
    collar: Outline
    throat: Outline
    rows: int
    ground: Outline
    tread: Tread
    tread_depth: float = 2.0
    tread_count: int = 24
    panels: tuple[Panel, ...] = ()
    sole_panels: tuple[Panel, ...] = ()
    grooves: tuple[Outline, ...] = ()
    seams: tuple[Outline, ...] = ()
    stripes: tuple[Outline, ...] = ()
    holes: Outline = ()
    window: Outline = ()
    tab: Outline = ()
    texture: int = 0
    eyestay: float = 6.0
    collar_width: float = 3.4

    @property
    def outlines(self) -> tuple[Outline, ...]:
        """The closed outlines that make up the silhouette."""
        return tuple(part for part in (self.upper, self.midsole, self.tongue, self.lining, self.tab) if part)
