"""What Identify shows before there is a photo: sample photos, where to go from here, and what the model knows."""

from dataclasses import replace
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_collection import find_evaluation, own_evaluation
from sneaker_core.evaluation.evaluation_record import Kind
from sneaker_core.evaluation.worlds import worlds_sentence
from sneaker_core.networks.bundled_models import SYNTHETIC_MODEL
from sneaker_core.networks.model_registry import ModelEntry, list_models
from sneaker_core.number_text import counted
from sneaker_core.workspace.jobs_in_use import living_jobs
from sneaker_core.workspace.paths import SAMPLE_PHOTOS, workspace
from sneaker_core.workspace.safe_names import natural_order
from ui.identify.chosen_photos import show_sample
from ui.identify.identify_keys import Key
from ui.kit.cover_button import cover_style
from ui.kit.kept_uploads import KEPT_NOTE
from ui.kit.labels import evaluation_title
from ui.kit.page_links import STORY_ICON, STORY_PARAMS, Page, draw_page_link
from ui.kit.photo_files import stored_photo
from ui.kit.photo_previews import small_photo
from ui.kit.text import escape_markdown
from ui.kit.visit import is_on_this_computer

_SAMPLE = f'.st-key-{Key.SAMPLES} [class*="st-key-{Key.SAMPLE}-"]'
_SAMPLE_STYLE = f"""<style>{cover_style(_SAMPLE)}
.st-key-{Key.SAMPLES} img {{aspect-ratio: 4 / 3; object-fit: cover; border-radius: 0.75rem;}}
.st-key-{Key.SAMPLES} button {{padding: 0; min-height: 2rem;}}
</style>"""

_PHONE_HINT_STYLE = f"<style>@media (max-width: 640px) {{.st-key-{Key.PHONE_HINT} {{display: none;}}}}</style>"


def draw_samples() -> None:
    """Draw the sample photos; a tap on one shows its answer."""
    files = sorted(SAMPLE_PHOTOS.glob("*.jpg"))
    if not files:
        return
    st.markdown("No photo at hand? Tap a drawn one:")
    st.html(_SAMPLE_STYLE)
    with st.grid(7, min_column_width=100, gap="small", key=Key.SAMPLES):
        for file in files:
            with st.container(gap=None, horizontal_alignment="center", key=Key.SAMPLE.of(file.stem)):
                st.image(small_photo(str(file)), width="stretch", alt="")
                key = Key.SAMPLE.of(f"{file.stem}-button")
                st.button(file.stem, key=key, type="tertiary", on_click=_show, args=(file,))


def _show(file: Path) -> None:
    show_sample(replace(stored_photo(file, file.name), key=Key.SAMPLE.of(file.stem)))


def draw_doors() -> None:
    """Draw the ways on from here."""
    if is_on_this_computer():
        st.html(_PHONE_HINT_STYLE)
        with st.container(key=Key.PHONE_HINT):
            st.caption(":material/smartphone: On your phone: run **make phone** in a terminal, and scan the code.")
    with st.grid(4, min_column_width=220):
        with _door(":material/grid_on: **See where it fails**", "Real mistakes, the photos behind them, and why."):
            draw_page_link("Evaluate", Page.EVALUATE, evaluation=_evaluation_with_pictures())
        teach = _door(":material/school: **Teach it yours**", "A few photos and a minute, or a folder and a training.")
        with teach, st.container(horizontal=True):
            draw_page_link("Teach", Page.TEACH)
            draw_page_link("Datasets", Page.DATASETS)
        with _door(":material/monitor_heart: **Installed and running**", _running_text()):
            draw_page_link("Runs", Page.RUNS)
        with _door(f"{STORY_ICON} **Tell the story**", "Seven big slides for a stage: no settings, no waiting."):
            draw_page_link("Start the story", Page.IDENTIFY, icon=":material/play_arrow:", **STORY_PARAMS)


def _door(title: str, text: str) -> DeltaGenerator:
    door = st.container(border=True, height="stretch", gap="xsmall")
    with door:
        st.markdown(title)
        st.caption(text)
        st.space("stretch")
    return door


def _evaluation_with_pictures() -> str | None:
    """The evaluation whose photos are there on a fresh install."""
    try:
        return evaluation_title(find_evaluation(workspace(), SYNTHETIC_MODEL, Kind.BUNDLED))
    except SneakerError:
        return None


def _running_text() -> str:
    models = list_models(workspace())
    jobs = living_jobs(workspace())
    running = f"Running: {escape_markdown(', '.join(job.title for job in jobs))}." if jobs else "Nothing is running."
    return f"{counted(len(models), 'model')} installed. {running}"


def draw_known_sneakers(model: ModelEntry) -> None:
    """Draw how often the model is right, and the sneakers that it knows."""
    spec = model.spec
    st.header(f"The {len(spec.classes)} sneakers the model knows", anchor=False)
    _draw_worlds(model)
    st.markdown(" ".join(f":gray-badge[{escape_markdown(label)}]" for label in sorted(spec.classes, key=natural_order)))
    st.caption(f"For anything else, the model should answer that it doesn't know it. {KEPT_NOTE}")


def _draw_worlds(model: ModelEntry) -> None:
    """How often the model is right in each world, if it was evaluated in several."""
    evaluation = own_evaluation(model.folder, model.bundled)
    sentence = "" if evaluation is None else worlds_sentence(list(evaluation.worlds))
    if evaluation is not None and sentence:
        st.markdown(f"{escape_markdown(sentence)}.")
        # An evaluation that is kept in the folder of a run's model is not listed on Evaluate.
        if model.bundled or evaluation.kind is Kind.RUN:
            title = evaluation_title(evaluation)
            draw_page_link("How often the model is right", Page.EVALUATE, evaluation=title, view="Trust")
