"""Text for people: safe markdown, short names, numbers, durations and dates."""

import pytest

from ui.kit.text import (
    duration_text,
    escape_markdown,
    probability_text,
    short_duration_text,
    size_text,
    timestamp_text,
    truncate,
    truncate_middle,
)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a*b", r"a\*b"),
        ("<img src=x>", r"\<img src=x\>"),
        ("`a` ~b~ $c$ &amp;", r"\`a\` \~b\~ \$c\$ \&amp;"),
        ("[a](b)", r"\[a\](b)"),
        ("_a_ __b__", r"\_a\_ \_\_b\_\_"),
        ("# a", r"\# a"),
        ("- a", r"\- a"),
        ("12. a", r"12\. a"),
        ("back\\slash", r"back\\slash"),
    ],
)
def test_escapes_what_markdown_would_format(text, escaped):
    assert escape_markdown(text) == escaped


@pytest.mark.parametrize(
    "text", ["12.jpg", "IMG_2041 (1).jpg", "Not sure: Air Max 1 or Air Max 90", "This doesn't look like one"]
)
def test_leaves_ordinary_text_alone(text):
    assert escape_markdown(text) == text


def test_breaks_what_streamlit_finds_after_unescaping():
    assert ":material" not in escape_markdown(":material/check:")
    assert ":smile" not in escape_markdown(":smile:")
    assert "www." not in escape_markdown("www.example.com")


def test_drops_control_characters():
    assert escape_markdown("a\u202egpj.\nexe\x00") == "agpj. exe"


def test_truncate_middle_keeps_the_ending():
    assert truncate_middle("a" * 300 + ".jpeg").endswith("a.jpeg")
    assert len(truncate_middle("a" * 300)) == 60
    assert truncate_middle("short.jpg") == "short.jpg"


@pytest.mark.parametrize(("chance", "shown"), [(0, "<1%"), (0.004, "<1%"), (0.5, "50%"), (0.996, ">99%"), (1, ">99%")])
def test_probability(chance, shown):
    assert probability_text(chance) == shown


def test_truncate_collapses_spaces_and_ends_with_an_ellipsis():
    assert truncate("a  b\nc") == "a b c"
    assert truncate("abcdef", 4) == "abc…"
    assert len(truncate("a" * 300)) == 40


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1500, "1.5 kB"),
        (3_400, "3.4 kB"),
        (70_400_000, "70 MB"),
        (34_000, "34 kB"),
        (3.4e9, "3.4 GB"),
    ],
)
def test_size(size, shown):
    assert size_text(int(size)) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (3, "a few seconds"),
        (34, "about 30 seconds"),
        (90, "about 2 minutes"),
        (58, "about 1 minute"),
        (60, "about 1 minute"),
        (150, "about 2 minutes"),
        (3500, "about 58 minutes"),
        (3599, "about 1 hour"),
        (7300, "about 2 hours"),
        (9000, "about 2 hours"),
    ],
)
def test_duration(seconds, shown):
    assert duration_text(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "–"), (0.2, "1 s"), (59, "59 s"), (200, "3 min 20 s"), (7260, "2 h 1 min")]
)
def test_short_duration(seconds, shown):
    assert short_duration_text(seconds) == shown


def test_timestamp_is_utc_when_the_time_zone_is_unknown():
    assert timestamp_text(1_763_712_789) == "21 Nov 2025, 08:13"
    assert timestamp_text(0) == "1 Jan 1970, 00:00"
