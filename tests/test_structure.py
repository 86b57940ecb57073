"""Who may import whom, and what must not be said where: read from the source of every module."""

import ast
from pathlib import Path

import pytest

from sneaker_core import errors

PROJECT = Path(__file__).resolve().parent.parent

# Each part of the core may import itself and what stands here.
_GROUND = {"", "errors", "settings", "workspace", "csv_cells", "number_text", "process_group"}
_LOW = _GROUND | {"images"}
_SEEING = _LOW | {"networks"}
_MIDDLE = _SEEING | {"datasets"}
_UPPER = _MIDDLE | {"evaluation"}
ALLOWED = {
    "": set(),
    "errors": set(),
    "settings": {"errors"},
    "workspace": {"errors"},
    "csv_cells": set(),
    "number_text": set(),
    "process_group": {"errors"},
    "images": _GROUND,
    "networks": _LOW,
    "datasets": _SEEING,
    "evaluation": _MIDDLE,
    "training": _UPPER,
    "inference": _UPPER,
    "api": _UPPER | {"training", "inference"},
    "commands": _UPPER | {"training", "inference"},
    "__main__": _UPPER | {"training", "inference", "commands"},
}
# Beside SneakerError's family, these may be raised where they belong.
FOREIGN_ERRORS = {
    "sneaker_core/commands/dataset_command.py": {"click.UsageError"},
    "sneaker_core/commands/explain_command.py": {"click.UsageError"},
    # How a trial tells Optuna that it was ended early.
    "sneaker_core/training/hyperparameter_search.py": {"optuna.TrialPruned"},
    "sneaker_core/api.py": {"HTTPException"},
}
TOO_LOW_FOR_PAGES = {"torch", "torchvision", "sqlite3", "PIL", "safetensors", "captum", "pages"}


def modules(*patterns: str) -> dict[str, ast.Module]:
    files = sorted(file for pattern in patterns for file in PROJECT.glob(pattern))
    return {file.relative_to(PROJECT).as_posix(): ast.parse(file.read_text(encoding="utf-8")) for file in files}


CORE = modules("sneaker_core/**/*.py")
PAGES = modules("pages/**/*.py")
SURFACE = {**PAGES, **modules("ui/**/*.py", "streamlit_app.py", "asgi.py")}


def imports(tree: ast.Module) -> set[str]:
    """The full dotted name of everything that is imported, at the top or inside a function."""
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
    """What each raise statement raises; a bare one passes on what was caught and is not listed."""
    nodes = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc]
    return {ast.unparse(node.func if isinstance(node, ast.Call) else node) for node in nodes}


def test_the_table_names_every_part_of_the_core():
    parts = {Path(file).relative_to("sneaker_core").parts[0].removesuffix(".py") for file in CORE}
    assert parts - {"__init__"} == set(ALLOWED) - {""}


@pytest.mark.parametrize("file", CORE)
def test_core_imports_point_down_only(file):
    part = part_of(file.removesuffix(".py").replace("/", "."))
    used = {name for name in imports(CORE[file]) if name.split(".")[0] == "sneaker_core"}
    assert {name for name in used if part_of(name) not in ALLOWED[part] | {part}} == set()


@pytest.mark.parametrize("file", CORE)
def test_core_works_without_the_surface(file):
    assert {name.split(".")[0] for name in imports(CORE[file])} & {"streamlit", "ui", "pages", "asgi"} == set()


@pytest.mark.parametrize("file", CORE)
def test_core_prints_nothing(file):
    assert called(CORE[file]) & {"print", "pprint", "sys.stdout.write", "sys.stderr.write"} == set()


@pytest.mark.parametrize("file", CORE)
def test_core_raises_the_familys_errors_only(file):
    allowed = set(errors.__all__) | {"type(error)"} | FOREIGN_ERRORS.get(file, set())
    assert raised(CORE[file]) - allowed == set()


def test_every_error_is_listed_once_in_order():
    family = [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.SneakerError)
    ]
    assert errors.__all__ == sorted(family)


@pytest.mark.parametrize("file", PAGES)
def test_pages_leave_the_work_to_the_core(file):
    names = imports(PAGES[file])
    assert {name for name in names if name.split(".")[0] in TOO_LOW_FOR_PAGES} == set()
    assert {name for name in names if name.split(".")[0] == "streamlit" and name != "streamlit"} == set()


@pytest.mark.parametrize("file", SURFACE)
def test_surface_imports_no_page(file):
    assert {name for name in imports(SURFACE[file]) if name.split(".")[0] == "pages"} == set()


@pytest.mark.parametrize(("pattern", "most"), [("pages/**/*.py", 120), ("streamlit_app.py", 40)])
def test_pages_are_short(pattern, most):
    lengths = {file.name: len(file.read_text(encoding="utf-8").splitlines()) for file in PROJECT.glob(pattern)}
    assert {name: length for name, length in lengths.items() if length > most} == {}


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
