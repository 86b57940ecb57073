"""A bundled model under a former name: commands, API, links and records still find what replaced it, and say so."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import streamlit as st
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

import sneaker_core as sc
from sneaker_core.api.api_routes import routes
from sneaker_core.errors import RecipeError, RunError
from sneaker_core.evaluation.evaluation_collection import find_evaluation, find_evaluation_by_id
from sneaker_core.evaluation.evaluation_record import Kind
from sneaker_core.networks.bundled_models import DEFAULT_MODEL, REPLACED_MODELS, replacement_note
from sneaker_core.networks.model_registry import find_model_by_reference
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.run_collection import open_run_folder
from sneaker_core.workspace.paths import BUNDLED_MODELS
from tests.factories import PROJECT, jpeg, photo_of_class, run_command, write

OLD = "street22"
NOTE = "The model street22 was replaced by street72, which is used instead."


def test_the_names() -> None:
    assert REPLACED_MODELS[OLD] == DEFAULT_MODEL == "street72"
    assert replacement_note(OLD) == NOTE
    assert replacement_note(DEFAULT_MODEL) is None


def test_on_the_command_line_answers_are_the_same_and_a_note_is_on_standard_error(tmp_path: Path) -> None:
    photo = write(tmp_path / "a.jpg", jpeg(photo_of_class(1, 0)))
    old, new = (run_command(tmp_path, "predict", photo, "--model", name, "--json") for name in (OLD, DEFAULT_MODEL))
    assert {**json.loads(old.stdout), "ms": 0} == {**json.loads(new.stdout), "ms": 0}
    assert (old.stderr, new.stderr) == (f"Note: {NOTE}\n", "")
    shown = [
        json.loads(run_command(tmp_path, "evaluations", "show", name, "--json").stdout) for name in (OLD, "street72")
    ]
    assert shown[0] == shown[1]


def test_in_the_api_a_header_says_so(tmp_path: Path) -> None:
    async def answers() -> list[httpx.Response]:
        transport = httpx.ASGITransport(Starlette(routes=routes(tmp_path)))
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            photo = {"file": ("a.jpg", jpeg(photo_of_class(1, 0)))}
            return [
                await client.post("/api/predict", params={"model": name}, files=photo) for name in (OLD, DEFAULT_MODEL)
            ]

    # In a thread of its own: where browser tests have run, this one has an event loop already.
    with ThreadPoolExecutor(1) as pool:
        old, new = pool.submit(asyncio.run, answers()).result()
    assert {**old.json(), "ms": 0} == {**new.json(), "ms": 0}
    assert old.headers["X-Note"] == NOTE
    assert "X-Note" not in new.headers


def test_in_python_and_in_records(tmp_path: Path) -> None:
    folder = BUNDLED_MODELS / DEFAULT_MODEL
    assert sc.load_model(OLD, workspace=tmp_path).folder == sc.load_model(workspace=tmp_path).folder == folder
    assert find_model_by_reference(tmp_path, OLD) == folder
    assert find_evaluation(tmp_path, OLD) == find_evaluation_by_id(tmp_path, DEFAULT_MODEL, Kind.BUNDLED)


def test_nothing_else_can_take_the_name(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="a model that comes with SoleScope"):
        open_run_folder(tmp_path, OLD)


class TestRecipes:
    def test_presets_start_from_the_bundled_model(self) -> None:
        spec = sc.load_model()._model.spec
        for name in ("quick", "finetune"):
            assert (make_recipe(name).init, make_recipe(name).network) == (DEFAULT_MODEL, spec.network)

    def test_its_former_name_means_its_network(self) -> None:
        assert make_recipe("finetune", {"init": OLD}).network == make_recipe("finetune").network

    @pytest.mark.parametrize("init", ["imagenet", "none", "weights.safetensors"])
    def test_other_weights_are_those_of_mobilenet_unless_a_network_is_named(self, init: str) -> None:
        recipe = make_recipe("finetune", {"init": init})
        assert (recipe.network, recipe.size) == ("mobilenet_v2", 160)
        assert make_recipe("finetune", {"init": init, "network": "resnet18"}).network == "resnet18"
        # A recipe that starts from something else keeps its network.
        assert make_recipe("finetune", {"network": "resnet18"}).changed({"init": init}).network == "resnet18"

    def test_a_model_brings_its_network(self, workspace: Path, tmp_path: Path) -> None:
        """The command line knows the workspace's models; tiny is a MobileNetV2, and its photos are missing."""
        done = run_command(workspace, "estimate", tmp_path / "nothing", "--recipe", "finetune", "--init", "tiny")
        assert done.returncode == 1 and "do not fit" not in done.stderr

    def test_weights_of_another_network_are_an_error(self) -> None:
        with pytest.raises(RecipeError, match="network is 'x'"):
            make_recipe("finetune", {"network": "x"})


@pytest.mark.slow
class TestLinks:
    @pytest.fixture(autouse=True)
    def empty(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(tmp_path / "workspace"))
        st.cache_data.clear()
        st.cache_resource.clear()

    def opened(self, page: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=90)
        for key, value in query.items():
            app.query_params[key] = value
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        return app

    def test_to_the_model(self) -> None:
        app = self.opened("identify", model=OLD)
        assert any(NOTE in one.value for one in app.caption)
        assert not app.warning

    @pytest.mark.parametrize(
        ("page", "query"),
        [
            ("evaluate", {"evaluation": f"{OLD}, built in"}),
            ("explain", {"evaluation": f"{OLD}, built in"}),
            ("explain", {"evaluation": OLD, "kind": "bundled"}),
        ],
    )
    def test_to_its_evaluation(self, page: str, query: dict[str, str]) -> None:
        app = self.opened(page, **query)
        assert not [one.value for one in app.warning if "isn't here" in one.value]
        assert any(select.value == f"{DEFAULT_MODEL}, built in" for select in app.selectbox)
