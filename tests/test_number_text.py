"""Numbers as text."""

import pytest

from sneaker_core.evaluation.chart_style import plotly_text
from sneaker_core.number_text import counted, percent, percent_setting


@pytest.mark.parametrize(
    ("share", "whole", "one_decimal"),
    [
        (0.0, "0%", "0.0%"),
        (0.0004, "<1%", "<0.1%"),
        (0.006, "1%", "0.6%"),
        (0.943, "94%", "94.3%"),
        (0.996, ">99%", "99.6%"),
        (0.9998, ">99%", ">99.9%"),
        (1.0, "100%", "100.0%"),
        (float("nan"), "–", "–"),
    ],
)
def test_a_share_is_never_rounded_to_all_or_nothing(share, whole, one_decimal):
    assert (percent(share), percent(share, 1)) == (whole, one_decimal)


def test_a_setting_has_as_many_digits_as_it_needs():
    assert [percent_setting(value) for value in (0.7, 0.725, 1.0)] == ["70%", "72.5%", "100%"]


def test_counts_have_thousands_separators_and_the_right_number():
    assert [counted(number, "photo") for number in (0, 1, 10_494)] == ["0 photos", "1 photo", "10,494 photos"]
    assert counted(2, "class", "classes") == "2 classes"


def test_plotly_shows_text_as_it_is_written():
    text = 'Air Jordan 1 "Chicago" & it\'s <b>'
    assert plotly_text(text) == 'Air Jordan 1 "Chicago" &amp; it\'s &lt;b&gt;'
