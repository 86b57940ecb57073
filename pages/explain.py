"""The Explain page: attribution maps of one photo, of class averages, and of many photos."""

from ui.explain.batch_view import draw_batch
from ui.explain.class_average_view import draw_class_averages
from ui.explain.explain_views import Section, choose_section
from ui.explain.single_photo_view import draw_single_photo
from ui.kit.model_picker import installed_models
from ui.kit.page_frame import end_page, page_body

SECTIONS = {Section.ONE: draw_single_photo, Section.CLASS_AVERAGES: draw_class_averages, Section.MANY: draw_batch}

with page_body(
    "Explain",
    "A heat map shows which parts of a photo count toward the model's answer. You can also check whether a map is "
    "reliable.",
    makes_changes=True,
):
    models = installed_models()
    if not models:
        end_page()
    SECTIONS[choose_section()](models)
