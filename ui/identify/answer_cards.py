"""Draws what the model says of photos: one card a photo."""

from collections.abc import Sequence
from typing import Literal, Protocol

import streamlit as st

from sneaker_core.datasets.safe_names import natural_order
from sneaker_core.errors import SneakerError
from sneaker_core.inference.predictor import Answer
from sneaker_core.networks.checkpoint import ModelSpec
from sneaker_core.networks.decision import Status
from sneaker_core.networks.model_registry import list_models
from sneaker_core.workspace.paths import workspace
from ui.identify.answer_downloads import answers_csv, answers_json
from ui.kit import explanation_cache, photo_previews
from ui.kit.explain_links import PAGE, explain_query
from ui.kit.handed_photo import hand_over
from ui.kit.model_cache import ModelKey
from ui.kit.photo_files import Photo
from ui.kit.probability_bars import bars_in_words, guess_bars
from ui.kit.state_keys import Key
from ui.kit.text import percent, plain, shortened, sureness

_BADGES = {
    Status.KNOWN: ":green-badge[:material/check: Recognised]",
    Status.UNSURE: ":orange-badge[:material/help: Not sure]",
    Status.UNKNOWN: ":gray-badge[:material/block: Not one I know]",
}
_SMALL_PHOTO = 128


class Heading(Protocol):
    """`st.header` or `st.subheader`."""

    def __call__(self, body: str, *, anchor: Literal[False]) -> object:
        """Draw a heading."""


@st.fragment
def draw_card(key: ModelKey, photo: Photo, answer: Answer, guesses: int, compact: bool) -> None:
    """Draw a photo and its answer; whatever is clicked inside reruns this card alone.

    Parameters
    ----------
    key : ModelKey
    photo : Photo
        One that could be read.
    answer : Answer
    guesses : int
        How many classes to show.
    compact : bool
        Whether the card is one of many.
    """
    with st.container(border=True):
        if compact:
            with st.container(horizontal=True, wrap=False, gap="medium"):
                _draw_photo(photo, width=_SMALL_PHOTO)
                with st.container(gap="xsmall"):
                    _draw_headline(photo, answer, st.subheader)
            _draw_bars(photo, answer, guesses)
        else:
            left, right = st.columns([5, 6], gap="medium")
            with left:
                _draw_photo(photo, width="stretch")
            with right:
                _draw_headline(photo, answer, st.header)
                _draw_bars(photo, answer, guesses)
        # Not an expander: the body of one runs, and the network with it, even while it is closed.
        if st.toggle("Why?", key=Key.WHY.of(photo.key), persist_state="session", help="Show where I looked."):
            _draw_why(key, photo, answer, guesses, compact)


def _draw_photo(photo: Photo, width: int | Literal["stretch"]) -> None:
    st.image(photo_previews.preview(photo), width=width, alt=f"Your photo {photo.name}")


def _draw_headline(photo: Photo, answer: Answer, heading: Heading) -> None:
    with st.container(gap=None):
        st.markdown(_BADGES[answer.status])
        heading(plain(answer.sentence()), anchor=False)
    with st.container(gap="xxsmall"):
        st.markdown(sureness(answer))
        st.caption(plain(shortened(photo.name)))


def _draw_bars(photo: Photo, answer: Answer, guesses: int) -> None:
    shown = answer.top[:guesses]
    st.plotly_chart(
        guess_bars(shown, answer.status),
        key=Key.BARS.of(photo.key),
        # A picture, not a tool: on a phone, a chart that can be dragged keeps the page from scrolling.
        config={"staticPlot": True},
        alt=bars_in_words(shown, answer.status),
    )


def _draw_why(key: ModelKey, photo: Photo, answer: Answer, guesses: int, compact: bool) -> None:
    picture, words = (st.container(), st.container()) if compact else st.columns([5, 6], gap="medium")
    chances = {guess.label: percent(guess.probability) for guess in answer.top[:guesses]}
    with words:
        label = st.selectbox(
            "Where did I see this?",
            list(chances),
            format_func=lambda label: f"{label} ({chances[label]})",
            key=Key.TARGET.of(photo.key),
            persist_state="session",
        )
        versus = _choose_versus(photo, answer, label)
        strength = st.slider(
            "Strength of the colours",
            0,
            100,
            60,
            5,
            format="%d%%",
            key=Key.STRENGTH.of(photo.key),
            persist_state="session",
        )
    try:
        with picture.skeleton(260):
            heat = explanation_cache.heat_map(key, photo, label, versus=versus)
            heated = explanation_cache.heat_map_preview(key, photo, label, strength / 100, versus=versus)
    except SneakerError as error:
        words.warning(plain(str(error)))
        return
    rather = f" rather than {versus}" if versus else ""
    picture.image(heated, width="stretch", alt=f"Your photo with colours over the parts that speak for {label}{rather}")
    with words:
        _explain_colours(label, versus, nothing=not heat.any())
        _draw_more(key, photo, label, versus)


def _choose_versus(photo: Photo, answer: Answer, label: str) -> str | None:
    """A class to hold the other one against; None for none."""
    # All that the answer names, not only those on show: with one guess on show there would be nothing to choose.
    others = ["", *(guess.label for guess in answer.top if guess.label != label)]
    key = Key.WHY_VERSUS.of(photo.key)
    if st.session_state.get(key) not in others:
        st.session_state.pop(key, None)
    versus = st.selectbox(
        "And why not another one?",
        others,
        format_func=lambda other: f"rather than {other}" if other else "Show the first alone",
        key=key,
        persist_state="session",
        help="With a second sneaker I show what speaks for the first and not as much for the second.",
    )
    return versus or None


def _explain_colours(label: str, versus: str | None, nothing: bool) -> None:
    rather = f" rather than **{plain(versus)}**" if versus else ""
    if nothing:
        st.markdown(f"Nothing in this photo speaks for **{plain(label)}**{rather}.")
    else:
        st.markdown(
            f"**Yellow** parts made me think most of **{plain(label)}**{rather}, **violet** parts a little; parts "
            "without colour did not speak for it."
        )
    st.caption(
        "The map (called Grad-CAM) is coarse, and it shows where I looked, not what I saw there. Colours in a "
        "sensible place are no proof that the answer is right."
    )


def _draw_more(key: ModelKey, photo: Photo, label: str, versus: str | None) -> None:
    """The way to the page that explains at length, with this photo on it."""
    if st.button(
        "More on the page Explain",
        key=Key.WHY_MORE.of(photo.key),
        icon=":material/center_focus_strong:",
        type="tertiary",
        help="Other ways to explain, all guesses side by side, and how far such a picture can be trusted.",
    ):
        hand_over(photo)
        model = next((one.name for one in list_models(workspace()) if str(one.folder) == key.folder), None)
        st.switch_page(PAGE, query_params=explain_query(show="one", model=model, target=label, versus=versus))


def draw_failures(answers: Sequence[Answer]) -> None:
    """One sentence for each photo that could not be read."""
    failures = [plain(answer.sentence()) for answer in answers if answer.status is Status.ERROR]
    if failures:
        st.warning("\n\n".join(failures), icon=":material/broken_image:")


def draw_downloads(answers: Sequence[Answer], guesses: int) -> None:
    """Buttons to save all answers, each with so many guesses, as a table or as JSON."""
    with st.container(horizontal=True):
        st.download_button(
            "Save as table (CSV)",
            answers_csv(answers, guesses),
            "solescope-answers.csv",
            "text/csv",
            key=Key.CSV,
            on_click="ignore",
            icon=":material/table:",
        )
        st.download_button(
            "Save as JSON",
            answers_json(answers, guesses),
            "solescope-answers.json",
            "application/json",
            key=Key.JSON,
            on_click="ignore",
            icon=":material/data_object:",
            help="The same answers in a form that programs read.",
        )


def draw_invitation(spec: ModelSpec) -> None:
    """What to try, and which sneakers there are to recognise, while no photo has been handed in."""
    tips = (
        (":material/straighten:", "From the side", "One shoe in profile is easiest to tell."),
        (":material/crop_free:", "Nice and close", "Let the sneaker fill most of the photo."),
        (":material/light_mode:", "In good light", "Plain background, no heavy filters."),
    )
    with st.grid(3, min_column_width=200):
        for icon, title, text in tips:
            with st.container(border=True, height="stretch", gap="xsmall"):
                st.markdown(f"{icon} **{title}**")
                st.caption(text)
    st.subheader(f"The {len(spec.classes)} sneakers I know", anchor=False)
    st.markdown(" ".join(f":gray-badge[{plain(label)}]" for label in sorted(spec.classes, key=natural_order)))
    st.caption("Anything else is meant to get the answer “not a sneaker I know”. Photos are not saved or passed on.")
