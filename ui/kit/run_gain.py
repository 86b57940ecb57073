"""What a run gained over the run before it, in a sentence."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.training.run_collection import Run
from sneaker_core.training.run_gains import Gain, gain_of, run_before
from sneaker_core.workspace.paths import PREDICTIONS_FILE, workspace
from ui.kit.text import escape_markdown, truncate_middle


@dataclass(frozen=True)
class _Version:
    """A run's table in one state."""

    folder: str
    changed: int


def draw_gain(run: Run) -> None:
    """Draw the sentence; nothing for a run without one before it.

    Parameters
    ----------
    run : Run
        One with a model.
    """
    before = run_before(workspace(), run)
    if before is None:
        return
    name = escape_markdown(truncate_middle(before.name))
    try:
        gain = _gain(_version(run), _version(before), run, before)
    except SneakerError as error:
        st.caption(f"Can’t say what it gained over {name}: {escape_markdown(str(error))}")
        return
    icon = (
        ":material/trending_up:" if len(gain.comparison.fixed) > len(gain.comparison.broken) else ":material/balance:"
    )
    st.markdown(f"{icon} Compared with **{name}**: {escape_markdown(gain.text())}")


def _version(run: Run) -> _Version:
    try:
        changed = (Path(run.folder) / PREDICTIONS_FILE).stat().st_mtime_ns
    except OSError:
        changed = 0
    return _Version(str(run.folder), changed)


@st.cache_resource(max_entries=20, show_spinner=False)
def _gain(version: _Version, version_before: _Version, _run: Run, _before: Run) -> Gain:
    return gain_of(workspace(), _run, _before)
