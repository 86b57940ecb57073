"""The end of a round: the score, a line for each photo, the picture to share, and everybody's answers."""

import contextlib

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.quiz.people_chart import people_chart
from sneaker_core.evaluation.quiz.questions import Question, Score
from sneaker_core.evaluation.quiz.score_card import draw_score_card
from sneaker_core.evaluation.quiz.votes import FEWEST_VOTES, people_and_model, read_votes
from sneaker_core.number_text import counted
from sneaker_core.workspace.paths import workspace
from ui.kit.charts import PALETTE, draw_chart
from ui.kit.evaluation_cache import open_evaluation
from ui.kit.page_frame import draw_finding
from ui.kit.photo_previews import small_photo
from ui.kit.text import escape_markdown, truncate
from ui.quiz.quiz_keys import Key
from ui.quiz.quiz_turn import Turn, show_question, start_round

_FILE = "solescope-quiz.png"
_STYLE = f"""<style>
.st-key-{Key.QUIZ_ROWS} img {{width: 112px; height: 78px; object-fit: cover; border-radius: 0.5rem;}}
.st-key-{Key.QUIZ_ROWS} p {{overflow-wrap: anywhere;}}
</style>"""
_PICTURE_WIDTH, _COLUMNS, _NARROWEST = 112, 2, 320


def draw_score(turn: Turn) -> None:
    """Draw the score card, and everybody's answers once there are enough."""
    st.html(_STYLE)
    score = turn.played.score
    draw_finding(score.title)
    st.markdown(_score_sentence(turn, score))
    pictures = _pictures(turn.played.questions)
    with st.container(horizontal=True):
        st.button(
            "Play again with other photos",
            key=Key.QUIZ_AGAIN,
            type="primary",
            icon=":material/replay:",
            on_click=start_round,
            args=(turn.seed + 1,),
        )
        st.download_button(
            "Save as a picture",
            lambda: draw_score_card(turn.played, pictures, turn.evaluation.name),
            _FILE,
            "image/png",
            key=Key.QUIZ_SAVE,
            icon=":material/download:",
            on_click="ignore",
        )
    with st.grid(_COLUMNS, min_column_width=_NARROWEST, gap="small", key=Key.QUIZ_ROWS):
        for at, (question, answer) in enumerate(zip(turn.played.questions, turn.played.answers, strict=True)):
            _draw_row(at, question, answer, pictures.get(question.sample))
    _draw_votes(turn)


def _score_sentence(turn: Turn, score: Score) -> str:
    won = "It’s a draw." if score.you == score.model else "You win!" if score.you > score.model else "The model wins."
    names = max(len(question.options) for question in turn.played.questions)
    return f"{won} You had {names} names to choose from, the model all that it knows."


def _pictures(questions: tuple[Question, ...]) -> dict[str, bytes]:
    """Sample -> a small JPEG, for the photos that can be read."""
    found = {}
    for question in questions:
        with contextlib.suppress(SneakerError, OSError):
            found[question.sample] = small_photo(question.path)
    return found


def _draw_row(at: int, question: Question, answer: str, picture: bytes | None) -> None:
    lines = (_line("You", answer, question.label), _line("The model", question.predicted, question.label))
    with st.container(border=True, height="stretch", horizontal=True, gap="medium"):
        with st.container(width=_PICTURE_WIDTH, gap="xsmall"):
            if picture is None:
                st.caption(":material/broken_image: No photo")
            else:
                st.image(picture, width=_PICTURE_WIDTH, alt=f"Photo {at + 1}: {truncate(question.label)}")
        with st.container(width="stretch", gap="xxsmall"):
            st.markdown("  \n".join((f"**{escape_markdown(question.label)}**", *lines)))
            key = Key.QUIZ_LOOK_AGAIN.of(str(at))
            st.button("Look again", key=key, type="tertiary", on_click=show_question, args=(at,))


def _line(who: str, answer: str, label: str) -> str:
    if answer == label:
        return f":green[:material/check:] {who}: right"
    return f":red[:material/close:] {who}: {escape_markdown(answer)}"


def _draw_votes(turn: Turn) -> None:
    """Draw how often people and the model were right about each class, once there are enough answers."""
    votes = read_votes(workspace(), turn.evaluation)
    rows = people_and_model(votes, open_evaluation(turn.evaluation)[1])
    counting = int(rows["votes"].sum())
    if counting < FEWEST_VOTES:
        return
    st.subheader("Everybody’s votes", anchor=False)
    draw_chart(people_chart(rows, PALETTE), Key.QUIZ_VOTES)
    st.caption(f"From {counted(counting, 'answer')} on this computer, kept without names.")
