"""The kinds of findings in plain words."""

from dataclasses import dataclass

import pandas as pd

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
    Kind.NEAR_COPY: KindWords(
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
    Kind.BRIGHT: KindWords(
        "Washed out", "washed out", "Nearly everything is white. Keep those in which you can still tell the sneaker."
    ),
    Kind.TOO_SMALL: KindWords(
        "Too small",
        "too small",
        "So few pixels show little. Exclude those in which you cannot tell the sneaker.",
    ),
    Kind.ODD_SHAPE: KindWords(
        "Odd shape",
        "odd shape",
        "Far longer than wide, as banners and collages are. Exclude those that show several things.",
    ),
}


def settled_with_family(findings: pd.DataFrame, photos: pd.DataFrame) -> pd.Series:
    """Which findings about copies were settled by decisions on the other copies.

    Parameters
    ----------
    findings : DataFrame
        Columns sample, kind, family.
    photos : DataFrame
        Columns sample, label, filed, excluded.

    Returns
    -------
    Series of bool
        Index of findings: the only copy that is left is no copy; copies that agree on their class contradict nobody.
    """
    by_sample = photos.set_index("sample")
    family = [findings["kind"], findings["family"]]
    left = findings["sample"].map(by_sample.loc[~by_sample["excluded"], "label"]).groupby(family)
    # One photo may have come from two folders: it has one label only, and contradicts itself until somebody decides.
    decided = findings["sample"].map(by_sample["excluded"] | (by_sample["label"] != by_sample["filed"])).fillna(True)
    alone = (findings["kind"] == Kind.NEAR_COPY) & (left.transform("count") < 2)
    agreed = (findings["kind"] == Kind.TWO_LABELS) & (left.transform("nunique") < 2)
    return (alone | agreed) & decided.astype(float).groupby(family).transform("max").eq(1)
