"""The kinds of findings in plain words."""

from dataclasses import dataclass

from sneaker_core.datasets.quality.findings import Kind


@dataclass(frozen=True)
class KindWords:
    """How a kind of finding is spoken of.

    Attributes
    ----------
    name : str
        A few words for a heading or a button.
    badge : str
        As short as fits on a small tile.
    meaning : str
        What it means and what to do, in one or two plain sentences.
    """

    name: str
    badge: str
    meaning: str


KIND_WORDS = {
    Kind.TWO_LABELS: KindWords(
        "Two classes",
        "two classes",
        "The same photo is filed under two classes, and only one can be right. Move or exclude the wrong ones; if you "
        "cannot tell, exclude all of them.",
    ),
    Kind.WRONG_LABEL: KindWords(
        "Wrong class?",
        "wrong class?",
        "These look more like photos of another class. Accept the suggestion where it is right, and keep the photos "
        "that are filed well: I will not ask about them again.",
    ),
    Kind.NOT_SNEAKER: KindWords(
        "Not a sneaker?",
        "not a sneaker?",
        "These look like no sneaker at all: a box, a poster, a person. Exclude what shows none.",
    ),
    Kind.NEAR_DUPLICATE: KindWords(
        "Copies",
        "copy",
        "Nearly the same photo several times: resized, cropped or mirrored. One is enough: keep the largest and "
        "exclude the rest.",
    ),
    Kind.OUTLIER: KindWords(
        "Odd ones out",
        "odd one out",
        "These look unlike the other photos of their class. Some are just unusual and worth keeping; exclude what does "
        "not belong.",
    ),
    Kind.BLURRY: KindWords(
        "Blurry",
        "blurry",
        "Nothing in these is sharp. Keep those in which you can still tell the sneaker: real photos are like that too.",
    ),
    Kind.DARK: KindWords(
        "Dark", "dark", "Even the lightest parts are dark. Keep those in which you can still tell the sneaker."
    ),
    Kind.OVEREXPOSED: KindWords(
        "Washed out", "washed out", "Nearly everything is white. Keep those in which you can still tell the sneaker."
    ),
    Kind.TOO_SMALL: KindWords(
        "Too small",
        "too small",
        "So few pixels show little. Exclude those in which you cannot tell the sneaker.",
    ),
    Kind.ODD_ASPECT_RATIO: KindWords(
        "Odd shape",
        "odd shape",
        "Far longer than wide, as banners and collages are. Exclude those that show several things.",
    ),
}
