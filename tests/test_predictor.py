"""Predictions: from bytes to an answer and its sentence."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from sneaker_core.errors import SneakerError
from sneaker_core.inference.predictor import MAX_TOP, Answer, Guess, predict_bytes, predict_file, predict_images
from sneaker_core.networks.checkpoint import SneakerModel, with_spec
from sneaker_core.networks.decision import Decision, Status
from tests.conftest import CLASSES, UNKNOWN, UNSURE
from tests.drawing import draw_sneaker


def answer(status: Status, *guesses: tuple[str, float], error: str | None = None) -> Answer:
    return Answer("shoe.jpg", status, tuple(Guess(*guess) for guess in guesses), error, 1.0)


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("given_answer", "sentence"),
    [
        (answer(Status.KNOWN, ("Air Jordan 4", 0.97)), "Almost certainly an Air Jordan 4"),
        (answer(Status.KNOWN, ("Nike Air Max 1", 0.9)), "Almost certainly a Nike Air Max 1"),
        (answer(Status.KNOWN, ("adidas NMD R1", 0.89)), "Probably an adidas NMD R1"),
        (answer(Status.UNSURE, ("A", 0.5), ("B", 0.4), ("C", 0.1)), "Not sure: A or B"),
        (answer(Status.UNSURE, ("A", 0.4), ("B", 0.3), ("C", 0.2), ("D", 0.1)), "Not sure: A, B or C"),
        (answer(Status.UNSURE, ("A", 0.85), ("B", 0.1), ("C", 0.05)), "Not sure: A or B"),
        (answer(Status.UNSURE, ("A", 0.5)), "Not sure: A"),
        (answer(Status.UNKNOWN, ("A", 0.99)), "This doesn't look like a sneaker the model knows"),
        (answer(Status.ERROR, error="The file is empty."), "shoe.jpg: The file is empty."),
    ],
)
def test_the_sentence(given_answer: Answer, sentence: str) -> None:
    assert given_answer.sentence() == sentence


def test_guesses_are_sorted_and_sum_to_1_at_most(tiny_model: SneakerModel) -> None:
    photos = [draw_sneaker(seed, (90, 60)) for seed in range(3)]
    for guesses in (found.top for found in predict_images(tiny_model, photos, top=MAX_TOP)):
        chances = [guess.probability for guess in guesses]
        assert chances == sorted(chances, reverse=True)
        assert sum(chances) == pytest.approx(1, abs=1e-5)
        assert {guess.label for guess in guesses} == set(CLASSES)


def test_a_photo_is_answered_alike_alone_and_among_others(tiny_model: SneakerModel) -> None:
    photos = [draw_sneaker(seed, (90, 60)) for seed in range(4)]
    together = predict_images(with_spec(tiny_model, decision=UNSURE), photos, top=4)
    alone = [predict_images(with_spec(tiny_model, decision=UNSURE), [photo], top=4)[0] for photo in photos]
    for one, other in ((a.top, b.top) for a, b in zip(together, alone, strict=True)):
        assert [guess.label for guess in one] == [guess.label for guess in other]
        assert [guess.probability for guess in one] == pytest.approx([guess.probability for guess in other], abs=1e-4)


def test_a_mirrored_photo_gets_the_same_answer(tiny_model: SneakerModel) -> None:
    photo = draw_sneaker(1, (64, 64))
    model = with_spec(tiny_model, decision=UNSURE)
    one = predict_images(model, [photo], top=4)[0].top
    other = predict_images(model, [photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)], top=4)[0].top
    assert [guess.probability for guess in one] == pytest.approx([guess.probability for guess in other], abs=1e-4)


@pytest.mark.parametrize(
    ("decision", "status"),
    [(UNSURE, Status.UNSURE), (UNKNOWN, Status.UNKNOWN), (Decision(confidence_threshold=0.0), Status.KNOWN)],
)
def test_the_three_answers(tiny_model: SneakerModel, decision: Decision, status: Status) -> None:
    answered = predict_bytes(with_spec(tiny_model, decision=decision), "a", png(draw_sneaker(0, (64, 64))))
    assert answered.status is status
    assert len(answered.top) == 3


@pytest.mark.parametrize("top", [0, -1, MAX_TOP + 1])
def test_top_out_of_range_is_reported(tiny_model: SneakerModel, top: int) -> None:
    with pytest.raises(SneakerError, match="from 1 to 10"):
        predict_images(tiny_model, [draw_sneaker(0, (64, 64))], top)


def test_a_file_and_its_bytes_get_one_answer(tiny_model: SneakerModel, tmp_path: Path) -> None:
    path = tmp_path / "shoe.png"
    path.write_bytes(png(draw_sneaker(2, (90, 60))))
    assert predict_file(tiny_model, path).top == predict_bytes(tiny_model, "shoe", path.read_bytes()).top
    missing = predict_file(tiny_model, tmp_path / "gone.png")
    assert (missing.status, missing.top) == (Status.ERROR, ())


@given(name=st.text(max_size=300))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_is_returned_unchanged(tiny_model: SneakerModel, name: str) -> None:
    answered = predict_bytes(tiny_model, name, b"no photo")
    assert answered.sentence().startswith(f"{name}: ")
    assert json.loads(json.dumps(answered.to_dict()))["image"] == name
