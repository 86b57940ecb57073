"""The two sections of the page."""

from ui.kit.address import choose_next, choose_section
from ui.runs.runs_keys import Key

RUNS, SEARCH = "Runs", "Hyperparameter search"


def choose_part() -> str:
    """Draw the section switch, which is in the address."""
    return choose_section(Key.RUNS_PART, [RUNS, SEARCH], label="Section", old={"Find the best settings": SEARCH})


def show_runs() -> None:
    """Show the runs in the next run of the page."""
    choose_next(Key.RUNS_PART, RUNS)
