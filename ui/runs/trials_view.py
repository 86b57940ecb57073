"""Results of a search: its trials, and a full training with the best settings."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from sneaker_core.datasets.dataset_collection import source_folder
from sneaker_core.errors import SneakerError
from sneaker_core.number_text import counted
from sneaker_core.training.run_collection import list_runs
from sneaker_core.training.study_collection import Study
from sneaker_core.training.training_jobs import start_training
from sneaker_core.workspace.clean_names import clean_name
from sneaker_core.workspace.paths import workspace
from ui.kit.changes import change_button
from ui.kit.charts import draw_chart
from ui.kit.text import escape_markdown
from ui.runs import run_labels
from ui.runs.run_charts import best_finding, trials_plot
from ui.runs.run_comparison import VALIDATION
from ui.runs.run_table import select_runs
from ui.runs.runs_keys import Key
from ui.runs.runs_sections import show_runs

_STATE_WORDS = {"complete": "complete", "pruned": "pruned", "failed": "failed", "running": "running"}
_ROW, _MOST_HEIGHT = 35, 390


def draw_found(study: Study) -> None:
    """Draw the trials of a search.

    Parameters
    ----------
    study : Study
    """
    trials = study.trials
    if trials.empty:
        if study.state.ended:
            st.caption("No trial was started. Resume the search with more time.")
        else:
            st.caption("The first trial starts when the photos are prepared.")
        return
    if study.best is None:
        if study.state.ended:
            st.caption("No trial is complete yet. Resume the search with more time.")
    else:
        _draw_best(study)
    _draw_trials(study)


def _draw_best(study: Study) -> None:
    """Draw the best settings and the button that trains with them."""
    best = study.best or {}
    told = [
        f"{run_labels.setting_name(key)}: {run_labels.setting_value(key, best[key])}"
        for key in study.searched
        if key in best
    ]
    with st.container(border=True):
        st.markdown(
            f"**Best settings so far: {run_labels.share(best['val_top1'])} validation accuracy**",
            help=f"{VALIDATION} A full training is longer and uses larger photos, so it is often more accurate.",
        )
        st.markdown(escape_markdown(" · ".join(told) or "The unchanged recipe."))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            suggested = _free_name(f"{study.name}-best")
            key = Key.STUDY_FULL_NAME.of(suggested)
            st.text_input("Run name", suggested, key=key, max_chars=80, width=260)
            change_button(
                "Train with the best settings",
                key=Key.STUDY_FULL,
                type="primary",
                icon=":material/model_training:",
                on_click=_train_fully,
                args=(study, key),
            )


def _free_name(name: str) -> str:
    taken = {run.name.casefold() for run in list_runs(workspace())}
    free, number = name, 1
    while free.casefold() in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def _train_fully(study: Study, key: str) -> None:
    # The current text: the page may have been drawn before it was entered.
    name = clean_name(st.session_state.get(key) or "")
    from sneaker_core.training.search_space import best_recipe

    negatives = None if study.negatives is None else Path(study.negatives)
    try:
        source = str(source_folder(workspace(), study.source))
        start_training(workspace(), source, best_recipe(study), name, study.only, negatives)
    except SneakerError as error:
        st.toast(escape_markdown(str(error)), icon=":material/error:", duration="long")
        return
    show_runs()
    select_runs([name])


def _draw_trials(study: Study) -> None:
    trials = study.trials
    complete = trials[trials["state"] == "complete"]
    chart = trials_plot(trials, study.searched)
    with st.container(border=True):
        if chart:
            draw_chart(
                chart,
                Key.STUDY_PLOT,
                help="Each line is a complete trial: it crosses each axis at its setting and ends at its validation "
                "accuracy. Stronger color means higher accuracy. The table below lists the same trials.",
            )
        elif len(complete):
            st.markdown(f"**{escape_markdown(best_finding(complete))}**")
        st.dataframe(
            trials_table(study),
            key=Key.STUDY_TRIALS,
            hide_index=True,
            height=min(_ROW * (len(trials) + 1) + 3, _MOST_HEIGHT),
            placeholder=run_labels.NONE,
            column_config=_columns(study),
            alt="All trials with their settings",
        )
        counts = trials["state"].value_counts()
        parts = [f"{counts[state]} {word}" for state, word in _STATE_WORDS.items() if counts.get(state)]
        st.caption(f"{counted(len(trials), 'trial')}: {', '.join(parts)}.")


def trials_table(study: Study) -> pd.DataFrame:
    """The trials for `st.dataframe`, best first.

    Parameters
    ----------
    study : Study
    """
    order = {state: place for place, state in enumerate(_STATE_WORDS)}
    trials = study.trials.assign(
        place=study.trials["state"].map(order), right=study.trials["val_top1"].astype(float)
    ).sort_values(["place", "right"], ascending=[True, False])
    shown: dict[str, Any] = {
        "number": trials["number"] + 1,
        "state": trials["state"].map(_STATE_WORDS),
        "val_top1": 100 * trials["right"],
        "epochs": trials["epochs"],
    }
    for key in study.searched:
        values = trials[key]
        numeric = pd.api.types.is_numeric_dtype(values)
        shown[key] = values if numeric else [run_labels.setting_value(key, value) for value in values]
    return pd.DataFrame({**shown, "seconds": trials["seconds"].astype(float), "note": trials["note"].fillna("")})


def _columns(study: Study) -> dict[str, Any]:
    column = st.column_config
    settings = {
        key: column.NumberColumn(run_labels.setting_name(key), format="%.2g")
        if pd.api.types.is_numeric_dtype(study.trials[key])
        else column.TextColumn(run_labels.setting_name(key))
        for key in study.searched
    }
    return {
        "number": column.NumberColumn(
            "Trial", pinned=True, width=60, help="The first trial uses the unchanged recipe."
        ),
        "state": column.TextColumn("State", width=100),
        "val_top1": column.NumberColumn("Accuracy", format="%.1f%%", width=80, help=VALIDATION),
        "epochs": column.NumberColumn("Epochs", width=75, help="Passes over the training photos."),
        **settings,
        "seconds": column.NumberColumn("Seconds", format="%.0f"),
        "note": column.TextColumn("Note"),
    }
