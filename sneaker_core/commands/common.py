"""Shared by all commands: errors, JSON output and progress."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from sneaker_core.errors import SneakerError
from sneaker_core.workspace.jobs import Worker

if TYPE_CHECKING:
    from sneaker_core.datasets.index import Dataset

dataset_argument: Callable[[Callable[..., None]], Callable[..., None]] = click.argument("name", metavar="NAME")
STOPPED = "Stopped. Partial results are kept; run the same command to continue."


class Commands(click.Group):
    """Prints a SneakerError in one line instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except SneakerError as error:
            _fail(ctx, str(error))
        except BrokenPipeError:
            raise  # the reader of a pipe has closed it, which click handles
        except OSError as error:  # an output file can't be written
            _fail(ctx, f"{error.filename or 'A file'} cannot be used: {error.strerror}.")


def _fail(ctx: click.Context, reason: str) -> NoReturn:
    click.echo(f"Error: {reason}", err=True)
    ctx.exit(1)


def json_option(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``--json`` to a command, as its argument ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(function)


def pairs(ctx: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """The callback of a repeatable option that takes pairs, written as in its metavar: NAME=VALUE."""
    found = [one.partition("=") for one in given]
    wrong = [one for one, (name, equals, _) in zip(given, found, strict=True) if not name or not equals]
    if wrong:
        ctx.fail(f"{parameter.opts[0]} takes {parameter.make_metavar(ctx)}, not {wrong[0]!r}.")
    return {name: value for name, _, value in found}


def found_dataset(workspace: Path, name: str) -> "Dataset":
    """The dataset that a command was given."""
    from sneaker_core.datasets.dataset_collection import find_dataset

    return find_dataset(workspace, name)


def print_result(values: Any, as_json: bool, plain: Callable[[], str]) -> None:
    """Print a result as JSON, or as text for people."""
    click.echo(json.dumps(values) if as_json else plain())


def print_items(
    rows: list[dict[str, Any]],
    damaged: Mapping[str, str],
    as_json: bool,
    line: Callable[[dict[str, Any]], str],
    none: str,
    keys: Iterable[str] = (),
) -> None:
    """Print the items of a collection, each damaged one with what is wrong.

    Parameters
    ----------
    rows : list of dict
        An item each, with "id" and "name".
    damaged : mapping
        From `Collection.damaged`; these have the reason in "problem", and no other values if they can't be read.
    as_json : bool
    line : callable
        A row of an intact item as text.
    none : str
        What to say if there are no items.
    keys : iterable of str
        Those of the rows, for when there are only damaged items.
    """
    keys = rows[0] if rows else keys
    listed = [{**row, "problem": row.get("problem") or damaged.get(row["id"])} for row in rows]
    unread = damaged.keys() - {row["id"] for row in rows}
    listed += [{**dict.fromkeys(keys), "id": id_, "name": id_, "problem": damaged[id_]} for id_ in sorted(unread)]
    lines = [f"{row['name']}  {row['problem']}" if row["problem"] else line(row) for row in listed]
    print_result(listed, as_json, lambda: "\n".join(lines) or none)


def model_or_default(name: str | None) -> str:
    """The model that a command was given, or the default; prints a note if another model has replaced it."""
    from sneaker_core.networks.bundled_models import DEFAULT_MODEL, replacement_note

    if name is not None and (note := replacement_note(name)) is not None:
        click.echo(f"Note: {note}", err=True)
    return name or DEFAULT_MODEL


@contextmanager
def long_work() -> Iterator[Worker]:
    """The worker of a long command: a progress bar on a terminal; Ctrl-C stops the work without losing results."""
    try:
        yield Worker()
    except KeyboardInterrupt:
        raise SneakerError(STOPPED) from None
    finally:
        if sys.stderr.isatty():
            click.echo("", err=True)


def shown(worker: Worker) -> Callable[..., None]:
    """Progress callback that also draws a line on a terminal: step, photos, rate and time left."""

    def report(done: int, total: int, step: str = "", **details: Any) -> None:
        before = worker.progress
        worker.report(done, total, step, **details)
        if worker.progress is not before and sys.stderr.isatty():
            left = worker.progress.seconds_left
            tail = f", {left:.0f} s left" if left else ""
            click.echo(f"\r\x1b[K{step} {done}/{total} ({worker.progress.rate:.0f}/s{tail})", nl=False, err=True)

    return report
