"""Convert jobs recorded before format 2, as command lines, to the current format, so that they can be retried."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sneaker_core.workspace.references import by_name

# Options without a value, of all commands that ran as jobs.
_FLAGS = {"--queue", "--resume", "--no-model", "--no-neighbours", "--check", "--json", "--with-model"}
# Where each kind of job was stored: folders below the workspace, and the first of them.
_LEVELS = {
    "dataset": (4, "datasets"),
    "train": (3, "runs"),
    "search": (3, "studies"),
    "evaluate": (3, "evaluations"),
    "class_maps": (4, "explanations"),
    "explain_photos": (3, "explanations"),
    "find_lr": (2, "rates"),
}


def recover_job(folder: Path, words: list[str], values: dict[str, Any]) -> dict[str, Any]:
    """The record of a job in the current format.

    Parameters
    ----------
    folder : Path
        The job's folder, which determines the dataset, run, study or evaluation, even if its name has changed since.
    words : list of str
        The command line.
    values : dict
        From its ``job.json``: title, arguments, started.

    Returns
    -------
    dict
        As `job_record.write_job` writes it; "kind" is empty if the command is unknown.
    """
    before = {"kind": "", "params": {}, "workspace": ".", "queue": "--queue" in words, **values}
    command = _Command.parsed(words)
    read = _READERS.get(command.name)
    if read is None:
        return before
    kind, params = read(folder, command)
    command.workspace = _workspace(folder, kind, command.old_workspace)
    params = {key: _rebased(value, command) for key, value in params.items()}
    return {**before, "kind": kind, "params": params, "workspace": str(command.workspace)}


@dataclass
class _Command:
    """A parsed command line."""

    name: str = ""
    options: dict[str, list[str]] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    rest: list[str] = field(default_factory=list)
    old_workspace: str = ""
    workspace: Path = Path()

    @classmethod
    def parsed(cls, words: list[str]) -> "_Command":
        found, queue = cls(), list(words)
        if queue[:1] == ["--workspace"]:
            found.old_workspace, queue = "".join(queue[1:2]), queue[2:]
        size = 2 if queue[:1] in (["dataset"], ["evaluations"]) else 1
        found.name, queue = " ".join(queue[:size]), queue[size:]
        while queue:
            word = queue.pop(0)
            option, equals, value = word.partition("=")
            if word == "--":
                found.rest += queue
                break
            if word in _FLAGS:
                found.flags.add(word)
            elif word.startswith("--") and equals:
                found.options.setdefault(option, []).append(value)
            elif word.startswith("--") and queue:
                found.options.setdefault(word, []).append(queue.pop(0))
            else:
                found.rest.append(word)
        return found

    def all(self, option: str) -> list[str]:
        return self.options.get(option, [])

    def one(self, option: str, default: str | None = None) -> str | None:
        return next(reversed(self.all(option)), default)

    def number(self, option: str, convert: Callable[[str], float] = int) -> Any:
        try:
            return convert(self.one(option) or "")
        except ValueError:
            return None

    @property
    def argument(self) -> str:
        return next(reversed(self.rest), "")


def _workspace(folder: Path, kind: str, old: str) -> Path:
    """The workspace that contains the job now, or else that of its command line."""
    levels, first = _LEVELS["dataset" if kind.startswith("dataset_") else kind]
    parents = [folder.absolute(), *folder.absolute().parents]
    if len(parents) > levels and parents[levels - 1].name == first:
        return parents[levels]
    return Path(old).absolute() if old else folder.absolute()


def _rebased(value: Any, command: _Command) -> Any:
    """Replace the former path of a workspace that was moved by its current path."""
    if isinstance(value, list):
        return [_rebased(item, command) for item in value]
    if not isinstance(value, str) or not command.old_workspace or not Path(value).is_absolute():
        return value
    try:
        inside = Path(value).relative_to(command.old_workspace)
    except ValueError:
        return value
    return str(command.workspace / inside)


def _dataset(folder: Path, command: _Command) -> str:
    """The dataset that the job belongs to: its folder's name, or else its former name."""
    if folder.parent.name == "jobs" and folder.parents[2].name == "datasets":
        return folder.parents[1].name
    return by_name(command.one("--name") or command.argument)


def _source(data: str, command: _Command) -> str:
    """A folder of photos, or a dataset by its folder's name."""
    path = Path(data)
    inside = command.old_workspace and path.is_absolute() and path.parent == Path(command.old_workspace) / "datasets"
    return path.name if inside else by_name(data)


def _owner(folder: Path, name: str | None) -> str:
    """The run, study or evaluation that the job belongs to: its folder's name."""
    return folder.parent.name if folder.name.startswith("job") else str(name or folder.parent.name)


def _import(folder: Path, command: _Command) -> tuple[str, dict[str, Any]]:
    shown = command.one("--as")
    return "dataset_import", {
        "dataset": _dataset(folder, command),
        "source": command.argument,
        "shown_name": shown,
    }


def _collect(folder: Path, command: _Command) -> tuple[str, dict[str, Any]]:
    return "dataset_collect", {
        "dataset": _dataset(folder, command),
        "classes": [{"name": label} for label in command.all("--class")],
        "sku_file": command.one("--skus"),
        "per_class": command.number("--per-class"),
        "templates": command.all("--template"),
        "excluded": command.all("--without"),
    }


def _demo(folder: Path, command: _Command) -> tuple[str, dict[str, Any]]:
    return "dataset_demo", {
        "dataset": _dataset(folder, command),
        "per_class": command.number("--per-class"),
        "seed": command.number("--seed"),
    }


def _scan(folder: Path, command: _Command) -> tuple[str, dict[str, Any]]:
    return "dataset_scan", {
        "dataset": _dataset(folder, command),
        "model": command.one("--model"),
        "with_model": "--no-model" not in command.flags,
    }


def _recipe(command: _Command) -> dict[str, Any]:
    settings = [word.partition("=") for word in command.all("--set")]
    direct = ("network", "init", "epochs", "size", "batch", "seed")
    given = {name: command.one(f"--{name}") for name in direct}
    return {
        "dataset": _source(command.argument, command),
        "recipe_name": command.one("--recipe", ""),
        "changes": {
            **{name: value for name, value in given.items() if value is not None},
            **{name: value for name, _, value in settings},
        },
        "classes": command.all("--class"),
        "negatives": command.one("--negatives") or command.one("--others"),
    }


def _train(folder: Path, command: _Command) -> tuple[str, dict[str, Any]]:
    return "train", {"run": _owner(folder, command.one("--run")), **_recipe(command)}


def _search(folder: Path, command: _Command) -> tuple[str, dict[str, Any]]:
    return "search", {
        "study": _owner(folder, command.one("--study")),
        "minutes": command.number("--minutes", float),
        "trials": command.number("--trials"),
    }


def _evaluate(folder: Path, command: _Command) -> tuple[str, dict[str, Any]]:
    return "evaluate", {
        "evaluation": _owner(folder, command.one("--name")),
        "model": command.argument,
        "dataset": _source(command.one("--data") or "", command),
        "split": command.one("--split"),
        "neighbors": "--no-neighbours" not in command.flags,
    }


def _find_lr(folder: Path, command: _Command) -> tuple[str, dict[str, Any]]:
    return "find_lr", {**_recipe(command), "steps": command.number("--steps")}


def _class_maps(folder: Path, command: _Command) -> tuple[str, dict[str, Any]]:
    data = command.one("--data")
    return "class_maps", {
        "evaluation": command.argument,
        "evaluation_kind": command.one("--kind"),
        "labels": command.all("--label"),
        "method": command.one("--method"),
        "layer": command.one("--layer"),
        "dataset": None if data is None else _source(data, command),
    }


def _explain_photos(folder: Path, command: _Command) -> tuple[str, dict[str, Any]]:
    data = command.one("--data")
    return "explain_photos", {
        "model": command.one("--model"),
        "dataset": None if data is None else _source(data, command),
        "labels": command.all("--label"),
        "photos": command.rest,
        **{name: command.one(f"--{name}") for name in ("method", "target", "versus", "layer")},
        "opacity": command.number("--opacity", float),
        "max_side": command.number("--largest"),
    }


_READERS: dict[str, Callable[[Path, _Command], tuple[str, dict[str, Any]]]] = {
    "dataset import": _import,
    "dataset collect": _collect,
    "dataset demo": _demo,
    "dataset scan": _scan,
    "train": _train,
    "tune": _search,
    "evaluate": _evaluate,
    "rates": _find_lr,
    "evaluations means": _class_maps,
    "explain": _explain_photos,
}
