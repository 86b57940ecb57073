"""The model card of a run or of another model, as it is now."""

import contextlib

from sneaker_core.errors import DamagedError
from sneaker_core.networks.checkpoint import ModelSpec
from sneaker_core.training.model_card import model_card
from sneaker_core.training.run_collection import Run
from sneaker_core.training.taught_model import TaughtSummary, taught_summary
from sneaker_core.workspace.paths import run_model_folder


def run_card(spec: ModelSpec, run: Run | None, *, with_note: bool = True) -> str:
    """The card of a model, as Markdown.

    Parameters
    ----------
    spec : ModelSpec
    run : Run or None
        The one that the model belongs to, if any.
    with_note : bool
        Whether the user's note on the run is a part of it.
    """
    if run is None:
        return model_card(spec, {})
    keys = ("dataset", "recipe_name", "recipe", "seconds", "only")
    about = {key: getattr(run, key) for key in keys}
    about |= {"state": run.state.value, "taught": taught_of(run)}
    # An installed model's run began with the installation.
    about |= {"created": run.created} if run.installed is None else {}
    return model_card(spec, about | ({"note": run.note} if with_note else {}))


def taught_of(run: Run) -> TaughtSummary | None:
    """What the model of a run was taught by example, if anything; None if its record is damaged, too."""
    with contextlib.suppress(DamagedError):
        return taught_summary(run_model_folder(run.folder))
    return None
