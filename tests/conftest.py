"""Shared fixtures: a small real model, and a separate workspace for each test that opens the app."""

import functools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from playwright.sync_api import Browser
from streamlit.components.v2 import manifest_scanner

from sneaker_core.networks import model_registry as library
from sneaker_core.networks.architectures import build_network
from sneaker_core.networks.checkpoint import ModelSpec, SneakerModel, save_model, with_spec
from sneaker_core.networks.decision import Decision, unit_length
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.workspace.paths import run_model_folder, runs_folder
from tests.browser import AppServer, open_browser, serve_workspaces
from tests.drawing import draw_sneaker

# AppTest looks through all installed packages for components, a second for each page that a test opens. They don't
# change while tests run.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)

# Workers share the cores: a second thread in each would only slow them down.
os.environ.setdefault("OMP_NUM_THREADS", "1")

CLASSES = ("Comet Low", "Orbit High", "Meteor *Run* 1", "Astro Court")
# Random weights give nearly equal logits; a low temperature makes one class win clearly.
KNOWN = Decision(temperature=1e-3, confidence_threshold=0.0)
PROBABLE = Decision(temperature=1.0, confidence_threshold=0.0)
UNSURE = Decision(temperature=1.0, confidence_threshold=0.9)
UNKNOWN = Decision(temperature=1.0, ood_threshold=-1e9)


@pytest.fixture(scope="session")
def tiny_model() -> SneakerModel:
    """A real, untrained network with four invented classes: fast, and the same on every machine."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        network = build_network("mobilenet_v2", len(CLASSES)).eval().requires_grad_(False)
    references = np.random.default_rng(7).normal(size=(16, network.head.in_features)).astype(np.float32)
    spec = ModelSpec("tiny", "mobilenet_v2", CLASSES, False, Preprocessing(64, 64), KNOWN)
    return SneakerModel(spec, network, unit_length(references))


@pytest.fixture(scope="session")
def tiny_model_folder(tiny_model: SneakerModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model on disk. Don't change it; copy it."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_model(tiny_model, folder)
    return folder


@pytest.fixture(scope="session")
def workspace(tiny_model: SneakerModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one finished run, named tiny, for other processes and servers."""
    folder = tmp_path_factory.mktemp("workspace")
    save_model(tiny_model, run_model_folder(runs_folder(folder) / "tiny"))
    return folder


@dataclass(frozen=True)
class ModelsHome:
    """Temporary folders in place of ``models/`` and the workspace.

    Attributes
    ----------
    bundled : Path
    workspace : Path
    """

    bundled: Path
    workspace: Path
    _model: SneakerModel

    def install(self, name: str = "street72", decision: Decision = KNOWN, bundled: bool = True) -> Path:
        """Install the tiny model under a name, with other thresholds; returns its folder."""
        folder = self.bundled / name if bundled else run_model_folder(runs_folder(self.workspace) / name)
        shutil.rmtree(folder, ignore_errors=True)
        save_model(with_spec(self._model, name=name, decision=decision), folder)
        return folder


@pytest.fixture
def models_home(tiny_model: SneakerModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelsHome]:
    """Folders without any model; `install` adds one."""
    home = ModelsHome(tmp_path / "models", tmp_path / "workspace", tiny_model)
    monkeypatch.setattr(library, "BUNDLED_MODELS", home.bundled)
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(home.workspace))
    st.cache_data.clear()
    st.cache_resource.clear()
    yield home
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(scope="session")
def sneaker_jpeg() -> Callable[[int], bytes]:
    """The bytes of a synthetic sneaker photo, by seed."""

    def jpeg(seed: int = 0) -> bytes:
        buffer = BytesIO()
        draw_sneaker(seed, (480, 360)).save(buffer, "JPEG")
        return buffer.getvalue()

    return jpeg


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; each test opens pages in a new profile."""
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One running app for all tests; `show` selects its workspace."""
    with serve_workspaces(tmp_path_factory.mktemp("server")) as server:
        yield server


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One worker more than cores: browser tests and tests of jobs often wait for other processes."""
    return (os.cpu_count() or 1) + 1


# Browser tests share a server and a Chromium; with one group of them, one worker would be busy to the end.
_SECOND_BROWSER = ("test_evaluate_browser.py", "test_explain_browser.py", "test_runs_browser.py")


def _group_of(nodeid: str) -> str:
    """The group of tests that one worker runs, to share fixtures: a module, or half the browser tests."""
    module = nodeid.partition("::")[0]
    if module.endswith("browser.py"):
        return "second browser" if module.endswith(_SECOND_BROWSER) else "browser"
    return module


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Distribute the tests to workers by group."""
    from xdist.scheduler import LoadScopeScheduling

    class GroupScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group_of(nodeid)

    config.option.loadscopereorder = False
    return GroupScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark browser tests; run them first and slow modules next, so that no worker has a long one left at the end."""
    for item in items:
        if _group_of(item.nodeid).endswith("browser"):
            item.add_marker("browser")
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    return next((place for place, name in enumerate(("browser", "slow")) if item.get_closest_marker(name)), 2)
