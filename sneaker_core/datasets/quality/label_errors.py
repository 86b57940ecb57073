"""Find labels that are probably wrong by confident learning on out-of-fold predictions."""

import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_FOLDS = 5
_COMPONENTS = 128
# Classes with fewer photos than this are not checked: too little evidence.
MIN_PHOTOS = 8


def suspected_labels(
    embeddings: NDArray[np.float32], labels: pd.Series, groups: pd.Series, seed: int = 0
) -> pd.DataFrame:
    """Find labels that contradict what the photos show.

    A linear probe (logistic regression on the principal components of the embeddings) is trained on four fifths of the
    photos and predicts the rest, in turn. Near-duplicates stay in the same fold, so that a mislabeled duplicate cannot
    confirm its own label. Confident learning then finds the labels that the out-of-fold probabilities contradict.

    Parameters
    ----------
    embeddings : float32 array (N, D)
        Unit length.
    labels : Series of str
        N labels.
    groups : Series of int
        Near-duplicate groups.
    seed : int

    Returns
    -------
    DataFrame
        One row per suspected label, indexed like `labels`: suggestion (another label), score (probability of the
        suggestion minus that of the given label, 0 to 1); sorted by descending score.

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
    """Return class probabilities (N, C) from probes that were trained without the photo and its near-duplicates."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    chances = np.zeros((len(numbers), numbers.max() + 1))
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # Some classes have fewer groups than folds, and some probes don't converge: good enough for this purpose.
        warnings.simplefilter("ignore")
        for training, held_out in folds.split(embeddings, numbers, groups):
            components = min(_COMPONENTS, len(training) - 1, embeddings.shape[1])
            probe = make_pipeline(
                PCA(components, svd_solver="covariance_eigh"),
                StandardScaler(),
                LogisticRegression(C=0.05, max_iter=100, class_weight="balanced"),
            )
            probe.fit(embeddings[training], numbers[training])
            chances[np.ix_(held_out, probe.classes_)] = probe.predict_proba(embeddings[held_out])
    shares: NDArray[np.float64] = chances / np.maximum(chances.sum(1, keepdims=True), 1e-12)
    return shares
