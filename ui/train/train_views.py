"""The two views of the page: start a training, and watch one."""

from enum import StrEnum

from sneaker_core.training.run_collection import Run
from ui.kit.address import DATASET_PARAM, address_value, choose_next, choose_none, choose_section
from ui.train.train_keys import Key


class View(StrEnum):
    """View of the page."""

    SETUP = "New training"
    WATCH = "Watch"


_ICONS = {View.SETUP.value: ":material/add:", View.WATCH.value: ":material/monitoring:"}


def watch(name: str) -> None:
    """Show a run in the next run of the page."""
    choose_next(Key.TRAIN_RUN, name)
    choose_next(Key.TRAIN_VIEW, View.WATCH.value)


def choose_view(runs: list[Run]) -> View:
    """Draw the view switch; by default, the run or the photos in the address, or a running training.

    Parameters
    ----------
    runs : list of Run
    """
    if not runs:
        choose_none(Key.TRAIN_RUN, noun="run")
        return View.SETUP
    busy = any(not run.state.ended for run in runs)
    linked = address_value(Key.TRAIN_RUN) is not None
    usual = View.WATCH if linked or (busy and address_value(DATASET_PARAM) is None) else View.SETUP
    views = [view.value for view in View]
    return View(choose_section(Key.TRAIN_VIEW, views, label="View", usual=usual.value, icons=_ICONS))
