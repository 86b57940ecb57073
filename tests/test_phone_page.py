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
from tests.factories import write


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


@pytest.mark.parametrize(
    ("there", "named"),
    [
        ({"photo.jpg": b"mine"}, "photo.jpg"),
        ({"built.js": b'self.FILES = ["./", "page.js"];\n', "page.js": b"", "CNAME": b""}, "CNAME"),
        ({"built.js": b'self.FILES = ["./"];\n', "index.html": b"", ".git/config": b"", "a.html": b""}, ".git, a.html"),
        ({"built.js": b"export default {}", "main.js": b""}, "main.js"),
        ({"built.js": b'self.FILES = ["./", "model.json"];\n', "model.json/mine.txt": b""}, "model.json"),
    ],
)
def test_a_build_replaces_nothing_that_is_not_its_own(
    there: dict[str, bytes], named: str, tiny_model_folder: Path, tmp_path: Path
) -> None:
    for name, data in there.items():
        write(tmp_path / "site" / name, data)
    with pytest.raises(SneakerError, match=f"holds what no build of the page wrote: {named}. A build"):
        build_page(tmp_path, tiny_model_folder, tmp_path / "site")
    assert {name: (tmp_path / "site" / name).read_bytes() for name in there} == there


def test_what_the_page_reads_is_strict_json(tiny_model: SneakerModel) -> None:
    # A threshold of infinity, which the tiny model has, is no JSON that a browser reads.
    values = json.loads(json.dumps(model_values(tiny_model.spec), allow_nan=False))
    assert values["decision"]["ood_threshold"] is None
    page = json.loads(json.dumps(page_values(tiny_model.spec, 10), allow_nan=False))
    assert page["names"]["Astro Court"] == "an Astro Court"
    assert len(page["heat_colors"]) == 256
