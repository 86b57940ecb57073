"""Labels that are probably wrong: what a simple classifier, taught on the other photos, reads otherwise."""

import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_FOLDS = 5
_COMPONENTS = 128
# A class with fewer photos than this says too little of itself to doubt any of them.
MIN_PHOTOS = 8


def suspected_labels(
    embeddings: NDArray[np.float32], labels: pd.Series, groups: pd.Series, seed: int = 0
) -> pd.DataFrame:
    """Find labels that contradict what photos show.

    A linear probe (logistic regression on the embeddings' principal components) is taught on four fifths of the photos
    and asked about the rest, in turn; copies of one photo stay on one side, or a wrongly filed copy would vouch for
    itself. Confident learning then finds the labels that its out-of-fold probabilities contradict.

    Parameters
    ----------
    embeddings : float32 array (N, D)
        Unit length.
    labels : Series of str
        N labels.
    groups : Series of int
        Equal for copies of one photo.
    seed : int

    Returns
    -------
    DataFrame
        One row for each suspected label, indexed as `labels`: suggestion (another label), score (0 to 1, the more the
        surer), sorted by score, the surest first.

    References
    ----------
    Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70, 2021; as
    implemented by cleanlab.
    """
    empty = pd.DataFrame({"suggestion": pd.Series(dtype=object), "score": pd.Series(dtype=float)})
    counts = labels.value_counts()
    judged = labels.isin(counts.index[counts >= MIN_PHOTOS]).to_numpy()
    if labels[judged].nunique() < 2:
        return empty
    kept = labels[judged]
    classes = np.array(sorted(kept.unique()), dtype=object)
    numbers = kept.map({label: number for number, label in enumerate(classes)}).to_numpy(dtype=np.int64)
    chances = out_of_fold(embeddings[judged], numbers, groups[judged].to_numpy(), seed)

    from cleanlab.filter import find_label_issues

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrong = find_label_issues(numbers, chances, filter_by="prune_by_noise_rate", n_jobs=1)
    own = chances[np.arange(len(numbers)), numbers]
    best = chances.argmax(1)
    found: pd.DataFrame = pd.DataFrame({"suggestion": classes[best], "score": chances.max(1) - own}, index=kept.index)
    kept_rows: pd.DataFrame = found.loc[wrong & (best != numbers)]
    return kept_rows.sort_values("score", ascending=False)


def out_of_fold(
    embeddings: NDArray[np.float32], numbers: NDArray[np.int64], groups: NDArray[np.int64], seed: int
) -> NDArray[np.float64]:
    """Probabilities (N, C) of each class for each photo, from probes that were not taught on it nor on its copies."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    chances = np.zeros((len(numbers), numbers.max() + 1))
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # Some classes have fewer groups than folds, and some probes stop early: good enough for doubt.
        warnings.simplefilter("ignore")
        for taught, asked in folds.split(embeddings, numbers, groups):
            components = min(_COMPONENTS, len(taught) - 1, embeddings.shape[1])
            probe = make_pipeline(
                PCA(components, svd_solver="covariance_eigh"),
                StandardScaler(),
                LogisticRegression(C=0.05, max_iter=100, class_weight="balanced"),
            )
            probe.fit(embeddings[taught], numbers[taught])
            chances[np.ix_(asked, probe.classes_)] = probe.predict_proba(embeddings[asked])
    shares: NDArray[np.float64] = chances / np.maximum(chances.sum(1, keepdims=True), 1e-12)
    return shares
