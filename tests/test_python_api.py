"""The Python interface: the examples in docs/PYTHON.md run unchanged."""

import inspect
import json
import re
from pathlib import Path

import pytest

import sneaker_core as sc
from sneaker_core import errors
from sneaker_core.datasets.dataset_collection import create_dataset
from sneaker_core.datasets.sources.photo_import import import_photos
from tests.drawing import draw_sneaker
from tests.factories import PROJECT, draw_dataset, in_new_python

pytestmark = pytest.mark.slow

PAGE = PROJECT / "docs" / "PYTHON.md"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the page's examples run."""
    draw_sneaker(0, (480, 360)).save(tmp_path / "photo.jpg")
    for seed, name in enumerate("abc"):
        draw_sneaker(seed + 1, (480, 360)).save(tmp_path / f"{name}.jpg")
    (tmp_path / "notes.txt").write_text("no photo")
    photos = draw_dataset(tmp_path / "photos", {"boot": 12, "clog": 12})
    monkeypatch.setenv("SOLESCOPE_WORKSPACE", str(tmp_path / "workspace"))
    import_photos(create_dataset(tmp_path / "workspace", "shoes"), photos)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_on_the_page_run(home, capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) >= 5
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    printed = capsys.readouterr().out
    assert "% correct on " in printed
    assert (home / "why.png").read_bytes().startswith(b"\x89PNG")
    assert "not a photo" in printed
    assert (home / "workspace" / "runs").is_dir()


class TestCalls:
    def test_a_model_answers_as_the_command_line_does(self, home):
        answer = sc.load_model().predict("photo.jpg", top=2)
        photo = str(home / "photo.jpg")
        code = (
            "from click.testing import CliRunner; from sneaker_core.__main__ import main;"
            f"print(CliRunner().invoke(main, ['predict', '--json', '--top', '2', {photo!r}]).stdout)"
        )
        printed = json.loads(in_new_python(code))
        assert printed["top"] == answer.to_dict()["top"]
        assert printed["status"] == answer.status.value

    def test_what_is_not_there_is_an_error_of_the_family(self, home):
        with pytest.raises(sc.ModelNotFoundError):
            sc.load_model("nothing")
        with pytest.raises(sc.DatasetError):
            sc.open_dataset("nothing")
        with pytest.raises(sc.ImageError):
            sc.load_model().predict("gone.jpg")
        with pytest.raises(sc.UnknownLabelError):
            sc.explain("street72", "photo.jpg", target="nothing")
        with pytest.raises(sc.RecipeError):
            sc.train("photos", "quick", epochs=0)
        with pytest.raises(sc.RunError):
            sc.train("photos", "quick", name="../elsewhere")
        assert not (home / "workspace" / "runs").exists()

    def test_the_map_of_a_class(self, home):
        explanation = sc.explain("street72", "photo.jpg", target="Air Jordan 1", versus="Air Jordan 2")
        assert explanation.png().startswith(b"\x89PNG")
        assert explanation.heat is not None
        assert 0 <= explanation.heat.min() <= explanation.heat.max() <= 1


class TestNames:
    def test_the_list_is_sorted_and_holds_the_whole_error_tree(self):
        assert sc.__all__ == sorted(sc.__all__)
        assert set(errors.__all__) <= set(sc.__all__)
        assert all(hasattr(sc, name) for name in sc.__all__)

    def test_everything_is_documented_and_typed(self):
        for name in ("evaluate", "explain", "load_model", "open_dataset", "teach", "train"):
            function = getattr(sc, name)
            assert "Raises\n" in inspect.getdoc(function)
            assert inspect.signature(function).return_annotation is not inspect.Signature.empty

    def test_the_page_names_every_error_and_call(self):
        page = PAGE.read_text(encoding="utf-8")
        missing = [name for name in sc.__all__ if name not in page and name != "Model"]
        assert missing == []

    def test_importing_loads_nothing_heavy(self):
        heavy = ["torch", "torchvision", "pandas", "numpy", "PIL", "streamlit", "click", "plotly", "sklearn"]
        code = f"import sneaker_core, sys; print([name for name in {heavy} if name in sys.modules])"
        assert in_new_python(code) == "[]"
