"""Train: choose photos and a recipe, start a training and watch it."""

from sneaker_core.training.run_collection import list_runs
from sneaker_core.workspace.paths import workspace
from ui.kit.page_frame import page_body
from ui.train.progress_view import draw_watch
from ui.train.setup_view import draw_setup
from ui.train.train_views import View, choose_view

ABOUT = "Choose photos and a recipe, then watch the model learn. Training runs in the background."

with page_body("Train", ABOUT, makes_changes=True):
    runs = [run for run in list_runs(workspace()) if run.was_trained]
    if choose_view(runs) is View.WATCH:
        draw_watch(runs)
    else:
        draw_setup(runs)
