"""Who must sign in, by what the secrets say: they never open the app to everybody by being wrong."""

import json
from pathlib import Path

import pytest

from tests.factories import in_new_python

GOOD = '[auth]\nclient_id = "a"\n[auth.other]\nclient_id = "b"\n'
BAD = ['[auth]\nclient_id = "a\n', '[auth]\nclientid = "a"\n', "[auth]\n", "auth = 1\n", '[auth.other]\nname = "b"\n']
ASK = """
import json, os, sys
import streamlit as st
from pathlib import Path
from starlette.applications import Starlette
from starlette.testclient import TestClient
from sneaker_core.errors import SneakerError
from ui.sign_in.providers import provider_names
from ui.sign_in.signed_in_only import SignedInOnly

file, texts = Path({file!r}), json.loads({texts!r})
st.config.set_option("secrets.files", [str(file)])
client = TestClient(SignedInOnly(Starlette()))
for text in texts:
    file.unlink(missing_ok=True)
    if text is not None:
        file.write_text(text)
    st.secrets._reset()
    try:
        said = provider_names()
    except SneakerError as error:
        said = str(error)
    print(json.dumps([said, client.get("/api/models").status_code, client.get("/api/health").status_code]))
"""


def answers(folder: Path, *texts: str | None) -> list[list[object]]:
    """What is said, and the status of the API and of its health, with one text of the secrets after the other."""
    code = ASK.replace("{file!r}", repr(str(folder / "secrets.toml"))).replace("{texts!r}", repr(json.dumps(texts)))
    return [json.loads(line) for line in in_new_python(code).splitlines()]


def test_without_auth_everybody_may_use_it(tmp_path: Path):
    assert answers(tmp_path, None, "", 'token = "x"\n') == [[[], 404, 404]] * 3


def test_both_ways_to_name_providers(tmp_path: Path):
    assert answers(tmp_path, GOOD) == [[["default", "other"], 401, 404]]


@pytest.mark.parametrize("text", BAD)
def test_secrets_that_are_wrong_let_nobody_in(tmp_path: Path, text: str):
    ((said, api, health),) = answers(tmp_path, text)
    assert "nobody can use this SoleScope" in str(said)
    assert (api, health) == (503, 404)


def test_secrets_that_break_or_vanish_while_it_runs_let_nobody_in(tmp_path: Path):
    states = answers(tmp_path, GOOD, BAD[0], None, "", GOOD)
    assert [api for _, api, _ in states] == [401, 503, 503, 503, 401]
