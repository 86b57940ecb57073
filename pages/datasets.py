"""Datasets: import and collect photos, check and review them, split and export them."""

from sneaker_core.datasets.corrections import CORRECTIONS
from ui.datasets.dataset_picker import choose_dataset
from ui.datasets.datasets_keys import Key
from ui.datasets.export_view import draw_export
from ui.datasets.findings_view import draw_findings
from ui.datasets.history_view import draw_history
from ui.datasets.map_view import draw_map
from ui.datasets.overview_view import FINDINGS, draw_overview
from ui.datasets.photos_view import draw_photos
from ui.datasets.splits_view import draw_splits
from ui.datasets.welcome_view import draw_empty, draw_welcome
from ui.kit.address import choose_section
from ui.kit.corrections_offer import draw_corrections_offer
from ui.kit.dataset_cache import is_empty
from ui.kit.dataset_work import draw_work
from ui.kit.model_picker import choose_model, installed_models
from ui.kit.page_frame import page_body

SECTIONS = {
    "Overview": draw_overview,
    "Photos": draw_photos,
    FINDINGS: draw_findings,
    "Map": draw_map,
    "Splits": draw_splits,
    "History": draw_history,
    "Export": draw_export,
}

with page_body("Datasets", makes_changes=True):
    dataset = choose_dataset()
    if dataset is None:
        draw_welcome()
    else:
        draw_work(dataset)
        if dataset.name == CORRECTIONS:
            models = installed_models()
            draw_corrections_offer(choose_model(models) if models else None, dataset)
        if is_empty(dataset):
            draw_empty(dataset)
        else:
            SECTIONS[choose_section(Key.SECTION, list(SECTIONS), label="Section")](dataset)
