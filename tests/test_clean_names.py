"""Names: what nobody can see makes no difference, and names that look alike are found."""

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sneaker_core.workspace.clean_names import clean_name, did_you_mean, name_key, near_names, near_names_text

ANY = st.text(st.characters(exclude_categories=()))
# Letters with the characters that this is about, close together.
TRICKY = st.text(st.sampled_from("aAéE\u0301\u0308 \t\n_-\u2010\u2011\u2014\u00a0\u3000\u200b\u200d\ufeff\u00ad19"))


class TestCleanName:
    @given(ANY | TRICKY)
    @example("e\u200b\u0301")
    @example("\u2000\u200b\u2000x")
    def test_is_stable_and_shows_everything_in_it(self, text: str):
        name = clean_name(text)
        assert clean_name(name) == name
        assert unicodedata.is_normalized("NFC", name)
        assert not {unicodedata.category(char) for char in name} & {"Cf", "Cc", "Cs", "Zl", "Zp"}
        assert name == " ".join(name.split())
        name.encode()  # can be stored

    def test_every_space_of_unicode_is_a_plain_one(self):
        spaces = [chr(code) for code in range(sys.maxunicode) if chr(code).isspace()]
        blanks = [*spaces, "\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"]
        assert len(blanks) > 30
        assert {clean_name(f"{blank}Air{blank}{blank}Jordan{blank}1{blank}") for blank in blanks} == {"Air Jordan 1"}
        assert {clean_name(blank) for blank in blanks} == {""}

    def test_every_format_character_is_dropped(self):
        hidden = [char for code in range(sys.maxunicode) if unicodedata.category(char := chr(code)) == "Cf"]
        assert len(hidden) > 150
        assert {clean_name(f"{char}Air{char} {char} 1{char}") for char in hidden} == {"Air 1"}

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("Cafe\u0301 Runner", "Café Runner"),
            ("Air\x00 Max\x1b", "Air Max"),
            ("\ufeffAir Max", "Air Max"),
            ("Air Max ❤️", "Air Max ❤️"),
            ("エア マックス　９０", "エア マックス ９０"),
            ("Air_Max-90", "Air_Max-90"),
            ("Air Max \udce9", "Air Max \ufffd"),
            ("\u202eAir Max\u202c", "Air Max"),
        ],
    )
    def test_what_can_be_seen_stays(self, text: str, name: str):
        assert clean_name(text) == name


class TestNameKey:
    @given(ANY | TRICKY)
    def test_ignores_case_and_separators_and_what_cleaning_removes(self, text: str):
        key = name_key(text)
        assert name_key(clean_name(text)) == key
        assert name_key(key) == key

    @pytest.mark.parametrize(
        "other",
        [
            "air_jordan_1", "AIR JORDAN 1", "Air-Jordan-1", "AirJordan1", "air jordan1", "Air  Jordan 1",
            "Air\u2011Jordan 1", "Air\u2013Jordan\u20141", "Air\u2212Jordan 1", "_Air Jordan 1_", "Ａｉｒ Jordan １",
            "Air\u203fJordan 1",
        ],
    )  # fmt: skip
    def test_spellings_of_one_name(self, other: str):
        assert name_key(other) == name_key("Air Jordan 1")

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("574", "5-74"), ("Air Max 1 97", "Air Max 197"), ("990 v5", "990 v6"), ("Air Max 1", "Air Max 11"),
            ("Air Jordan 1", "Air Jordan 1 Low"), ("Café", "Cafe"), ("Air Max+", "Air Max"), ("V2", "V.2"),
        ],
    )  # fmt: skip
    def test_names_of_different_shoes(self, one: str, other: str):
        assert name_key(one) != name_key(other)

    def test_the_kind_of_separator_between_digits_makes_no_difference(self):
        assert len({name_key(name) for name in ("990 5", "990-5", "990_5", "990 - 5", "990\u20135")}) == 1


def test_near_names_are_those_with_one_match():
    known = ["Air Jordan 1", "Air Max 90", "air max 90", "Dunk Low"]
    assert near_names(["air_jordan_1", "Air Max 90", "AIR MAX 90", "Boot"], known) == {"air_jordan_1": "Air Jordan 1"}
    assert near_names_text({"air_jordan_1": "Air Jordan 1"}) == "air_jordan_1 -> Air Jordan 1?"
    assert did_you_mean(["dunk_low", "air-jordan 1"], known) == (
        " Did you mean dunk_low -> Dunk Low, air-jordan 1 -> Air Jordan 1?"
    )
    assert did_you_mean(["Boot"], known) == ""
