"""Which module may import which, and other rules that are checked in the source of every module."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sneaker_core import errors

PROJECT = Path(__file__).resolve().parent.parent

# Each part of the core may import itself and these.
_GROUND = {"", "errors", "settings", "records", "workspace", "csv_cells", "number_text", "process_group"}
_LOW = _GROUND | {"images"}
_SEEING = _LOW | {"decoding", "networks"}
_MIDDLE = _SEEING | {"datasets", "card_text"}
_UPPER = _MIDDLE | {"evaluation"}
ALLOWED = {
    "": {"errors", "python_api"},
    "errors": set(),
    "settings": {"errors"},
    "records": {"errors"},
    "phone": {"errors", "settings", "workspace"},
    "workspace": {"errors", "records", "settings"},
    "card_text": {"errors"},
    "csv_cells": set(),
    "number_text": set(),
    "process_group": {"errors"},
    "catalog": {"errors", "workspace"},
    "image_structure": {"errors", "settings"},
    "images": _GROUND | {"image_structure"},
    "decoding": _LOW,
    "networks": _LOW,
    "datasets": _SEEING,
    "evaluation": _MIDDLE,
    "training": _UPPER,
    "inference": _UPPER,
    "video": _UPPER | {"inference"},
    "api": _UPPER | {"catalog", "training", "inference"},
    "python_api": _UPPER | {"catalog", "training", "inference"},
    "commands": _UPPER | {"catalog", "training", "inference", "phone", "video"},
    "__main__": _UPPER | {"catalog", "training", "inference", "phone", "video", "commands"},
}
# Other exceptions than SneakerError and its subclasses, by the module that may raise them.
FOREIGN_ERRORS = {
    "sneaker_core/commands/dataset_review_command.py": {"click.UsageError"},
    "sneaker_core/commands/explain_command.py": {"click.UsageError"},
    "sneaker_core/commands/teach_command.py": {"click.UsageError"},
    # msgspec turns these into its own error, with the place in the record.
    "sneaker_core/records/model_records.py": {"ValueError"},
    "sneaker_core/records/story_records.py": {"ValueError"},
    # Tells Optuna that a trial was pruned.
    "sneaker_core/training/hyperparameter_search.py": {"optuna.TrialPruned"},
    # Makes a DatasetError.
    "sneaker_core/datasets/index.py": {"self._damage"},
    # Make a CheckpointError.
    "sneaker_core/training/pack_reading.py": {"self.refused"},
    "sneaker_core/training/model_install.py": {"pack.refused"},
    # Each kind of item has its own error class.
    "sneaker_core/workspace/collection.py": {"self.spec.error", "self._missing", "self._ambiguous"},
    "sneaker_core/api/answering.py": {"HTTPException"},
    "sneaker_core/api/request_bodies.py": {"HTTPException", "_misfit", "_too_many"},  # the latter make SneakerErrors
}
TOO_LOW_FOR_PAGES = {"torch", "torchvision", "sqlite3", "PIL", "safetensors", "captum", "pages"}


def modules(*patterns: str) -> dict[str, ast.Module]:
    files = sorted(file for pattern in patterns for file in PROJECT.glob(pattern))
    return {file.relative_to(PROJECT).as_posix(): ast.parse(file.read_text(encoding="utf-8")) for file in files}


CORE = modules("sneaker_core/**/*.py")
PAGES = modules("pages/**/*.py")
SURFACE = {**PAGES, **modules("ui/**/*.py", "streamlit_app.py", "asgi.py")}


def imports(tree: ast.Module) -> set[str]:
    """The full dotted names of all imports, at the top or inside functions."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def part_of(module: str) -> str:
    """Part of the core that sneaker_core.X.Y belongs to; "" for the package itself."""
    return next((part for part in module.split(".")[1:2] if part in ALLOWED), "")


def called(tree: ast.Module) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def raised(tree: ast.Module) -> set[str]:
    """The exception of each raise statement; bare ones are not listed."""
    nodes = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc]
    return {ast.unparse(node.func if isinstance(node, ast.Call) else node) for node in nodes}


def test_the_table_names_every_part_of_the_core():
    parts = {Path(file).relative_to("sneaker_core").parts[0].removesuffix(".py") for file in CORE}
    assert parts - {"__init__"} == set(ALLOWED) - {""}


def violations(trees: dict[str, ast.Module], found: Callable[[str, ast.Module], set[str]]) -> dict[str, set[str]]:
    """File -> its violations, for files that have any."""
    return {file: wrong for file, tree in trees.items() if (wrong := found(file, tree))}


def test_core_imports_point_down_only():
    def upward(file: str, tree: ast.Module) -> set[str]:
        part = part_of(file.removesuffix(".py").replace("/", "."))
        used = {name for name in imports(tree) if name.split(".")[0] == "sneaker_core"}
        return {name for name in used if part_of(name) not in ALLOWED[part] | {part}}

    assert violations(CORE, upward) == {}


def test_core_works_without_the_surface():
    surface = {"streamlit", "ui", "pages", "asgi"}
    assert violations(CORE, lambda _, tree: {name.split(".")[0] for name in imports(tree)} & surface) == {}


def test_core_prints_nothing():
    printing = {"print", "pprint", "sys.stdout.write", "sys.stderr.write"}
    assert violations(CORE, lambda _, tree: called(tree) & printing) == {}


def test_core_raises_only_its_own_errors():
    own = set(errors.__all__) | {"type(error)", "damaged"}  # `records.reading.damaged` makes a DamagedError
    assert violations(CORE, lambda file, tree: raised(tree) - own - FOREIGN_ERRORS.get(file, set())) == {}


def test_every_error_is_listed_once_in_order():
    family = [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.SneakerError)
    ]
    assert errors.__all__ == sorted(family)


def test_pages_leave_the_work_to_the_core():
    def too_low(_: str, tree: ast.Module) -> set[str]:
        names = imports(tree)
        parts_of_streamlit = {name for name in names if name.startswith("streamlit.")}
        return {name for name in names if name.split(".")[0] in TOO_LOW_FOR_PAGES} | parts_of_streamlit

    assert violations(PAGES, too_low) == {}


def _view_folder(name: str) -> str:
    """The page's folder that ui.X.Y belongs to; "" for the kit and everything else."""
    parts = name.split(".")
    return parts[1] if parts[0] == "ui" and len(parts) > 1 and parts[1] != "kit" else ""


def test_a_pages_folder_imports_the_core_and_the_kit_only():
    def elsewhere(file: str, tree: ast.Module) -> set[str]:
        own = _view_folder(file.removesuffix(".py").replace("/", ".")) or Path(file).stem
        return {name for name in imports(tree) if _view_folder(name) not in ("", own)}

    assert violations({**PAGES, **modules("ui/**/*.py")}, elsewhere) == {}


def test_modules_and_functions_fit_on_few_screens():
    """At most 400 lines per module, and 60 per function without its docstring."""
    long = {}
    for file, tree in {**CORE, **SURFACE}.items():
        lines = len((PROJECT / file).read_text(encoding="utf-8").splitlines())
        if lines > 400:
            long[file] = lines
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                docstring = node.body[0] if ast.get_docstring(node) else None
                told = docstring.end_lineno - docstring.lineno + 1 if docstring else 0
                if (length := node.end_lineno - node.lineno + 1 - told) > 60:
                    long[f"{file}: {node.name}"] = length
    assert long == {}


def test_no_two_modules_share_a_name():
    names = [Path(file).name for file in {**CORE, **modules("ui/**/*.py")} if not file.endswith("__init__.py")]
    assert {name for name in names if names.count(name) > 1} == set()


def test_the_architecture_page_shows_the_same_table():
    page = (PROJECT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for part, allowed in ALLOWED.items():
        name = f"`{part}`" if part else "`sneaker_core` itself"
        listed = ", ".join(f"`{other}`" for other in sorted(allowed) if other) or "nothing"
        assert f"| {name} | {listed} |" in page


def test_the_journeys_name_what_there_is():
    page = (PROJECT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    journeys = page.partition("## Five journeys")[2].partition("## A workspace")[0]
    named = re.findall(r"`((?:ui|sneaker_core)\.[\w.]+)\.(\w+)`", journeys)
    assert len(named) > 25
    missing = []
    for module, name in named:
        tree = ast.parse((PROJECT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
        if name not in {
            node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }:
            missing.append(f"{module}.{name}")
    assert missing == []


def test_nothing_imports_a_page():
    assert violations(SURFACE, lambda _, tree: {name for name in imports(tree) if name.split(".")[0] == "pages"}) == {}


@pytest.mark.parametrize(("pattern", "most"), [("pages/**/*.py", 120), ("streamlit_app.py", 40)])
def test_pages_are_short(pattern, most):
    lengths = {file.name: len(file.read_text(encoding="utf-8").splitlines()) for file in PROJECT.glob(pattern)}
    assert {name: length for name, length in lengths.items() if length > most} == {}


def test_photos_from_outside_are_decoded_in_processes_that_can_be_ended():
    """Only these decode photos in their own process: they passed the limits at import, or belong to a job's folder."""
    direct = {f"images.{name}" for name in ("decode", "decode_photo", "load", "load_photo")}
    found = {Path(file).stem for file, tree in {**CORE, **SURFACE}.items() if called(tree) & direct}
    assert found == {
        *("decoder_worker", "thumbnails", "photo_embeddings", "photo_cache", "class_average_maps"),
        *("prediction_table", "changed_photos", "html_report", "index_repair", "parity_check"),
        "photo_previews",  # of photos in a dataset
    }


def test_streamlit_caches_are_in_ui_alone():
    everywhere = {**CORE, **SURFACE}
    caching = {
        file
        for file, tree in everywhere.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("cache_data", "cache_resource")
    }
    assert {file for file in caching if not file.startswith("ui/")} == set()


def test_the_reader_sees_hidden_imports_calls_and_raises():
    tree = ast.parse("def f():\n import a.b\n from c import d\n print(1)\n raise ValueError('x')\n raise x\n raise")
    assert imports(tree) == {"a.b", "c.d"}
    assert called(tree) == {"print", "ValueError"}
    assert raised(tree) == {"ValueError", "x"}
