"""Metrics of runs, kept until an epoch is added."""

from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.training.run_metrics import METRICS_FILE, read_metrics


def run_metrics(folder: Path) -> pd.DataFrame:
    """Metrics of a run, one row per epoch."""
    try:
        status = (folder / METRICS_FILE).stat()
    except OSError:
        return read_metrics(folder)
    return _run_metrics(str(folder), status.st_mtime_ns, status.st_size)


@st.cache_resource(max_entries=50, show_spinner=False)
def _run_metrics(folder: str, changed: int, size: int) -> pd.DataFrame:
    return read_metrics(Path(folder))
