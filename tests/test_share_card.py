"""The picture of an answer: whole, and never wider than a phone can show, whatever the names are."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from sneaker_core.card_text import wrapped
from sneaker_core.inference.explanation.explain_photos import explain_bytes
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest
from sneaker_core.inference.predictor import Guess, predict_bytes
from sneaker_core.inference.share_card import draw_share_card
from sneaker_core.networks.decision import Status


def drawn(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        return image.convert("RGB")


@pytest.fixture(scope="module")
def answered(tiny_model, sneaker_jpeg):
    data = sneaker_jpeg(1)
    return predict_bytes(tiny_model, "a.jpg", data), explain_bytes(tiny_model, "a.jpg", data, ExplanationRequest())


def test_it_shows_photo_map_and_guesses(answered):
    answer, explanation = answered
    card = drawn(draw_share_card(answer, explanation, "tiny"))
    assert card.width == 1080
    refused = drawn(draw_share_card(replace(answer, status=Status.UNKNOWN), explanation, "tiny"))
    # Without a name there are no bars, and nothing that would have spoken for it.
    assert refused.height < card.height


@pytest.mark.parametrize("name", ["W" * 200, "Air " * 60, "Кроссовки № 5", "a\nb\tc", "靴" * 30])
def test_any_name_stays_on_the_picture(answered, name):
    answer, explanation = answered
    named = replace(answer, status=Status.KNOWN, top=(Guess(name, 0.97), *answer.top[1:]))
    card = np.asarray(drawn(draw_share_card(named, explanation, name)))
    assert (card[20:-10, -40:] == card[20, -1]).all()  # nothing is written over the edge


def test_text_is_broken_between_words_only():
    text = "Almost certainly a Nike Air Max 90 from a very long series of sneakers"
    lines = wrapped(text, 52, 400)
    assert len(lines) > 2 and " ".join(lines) == text
    assert wrapped("", 52, 400) == []
