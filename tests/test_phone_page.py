"""The page for phones without a browser: how the app serves it, and what its build refuses."""

import json
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from sneaker_core.errors import SneakerError
from sneaker_core.inference.phone_page.page_build import build_page
from sneaker_core.inference.phone_page.page_values import model_values, page_values
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.phone.page_route import page_routes
from sneaker_core.workspace.paths import phone_page_folder


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return TestClient(Starlette(routes=page_routes(lambda: tmp_path, lambda: "<h1>Not built</h1>")))


def test_the_app_says_how_to_build_the_page_until_it_is_built(client: TestClient, tmp_path: Path) -> None:
    missing = client.get("/phone")
    assert (missing.url.path, missing.status_code, missing.text) == ("/phone/", 404, "<h1>Not built</h1>")
    folder = phone_page_folder(tmp_path)
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    for name in ("index.html", "built.js", "ort.mjs", "ort.wasm", "manifest.webmanifest", "model.onnx"):
        (folder / name).write_text(name)
    types = {name: client.get(f"/phone/{name}").headers["content-type"] for name in ("", "ort.mjs", "ort.wasm")}
    assert types == {
        "": "text/html; charset=utf-8",
        "ort.mjs": "text/javascript; charset=utf-8",
        "ort.wasm": "application/wasm",
    }
    assert client.get("/phone/manifest.webmanifest").headers["content-type"] == "application/manifest+json"
    for path in ("%2e%2e/secret.txt", "..%2fsecret.txt", "%2fetc/hosts", "link.txt", "nothing.js", "a%00b"):
        assert client.get(f"/phone/{path}").status_code == 404, path
    assert client.post("/phone/index.html").status_code == 405


def test_a_build_replaces_no_other_folder(tiny_model_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.jpg").write_text("mine")
    with pytest.raises(SneakerError, match="something other than a page"):
        build_page(tmp_path, tiny_model_folder, tmp_path / "mine")
    assert (tmp_path / "mine" / "photo.jpg").read_text() == "mine"


def test_what_the_page_reads_is_strict_json(tiny_model: SneakerModel) -> None:
    # A threshold of infinity, which the tiny model has, is no JSON that a browser reads.
    values = json.loads(json.dumps(model_values(tiny_model.spec), allow_nan=False))
    assert values["decision"]["ood_threshold"] is None
    page = json.loads(json.dumps(page_values(tiny_model.spec, 10), allow_nan=False))
    assert page["names"]["Astro Court"] == "an Astro Court"
    assert len(page["heat_colors"]) == 256
