"""The trials of a study, in Optuna's storage."""

import contextlib
import sqlite3
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sneaker_core.errors import RunError
from sneaker_core.records.reading import damaged
from sneaker_core.training.recipe_fields import current_fields

if TYPE_CHECKING:
    import optuna
    import pandas as pd

TRIALS_FILE = "study.sqlite"
# The name of the only study in a storage.
STORED_NAME = "study"
_COLUMNS = ("number", "state", "val_top1", "epochs", "seconds", "note")
_WORDS = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running"}
# Seconds to wait while another process writes.
_PATIENCE = 60.0
# Interval of a process's heartbeat while it works on a trial, and the silence after which it counts as dead; seconds.
_BEAT, _DEAD_AFTER = 20, 120


def plain(row: "pd.Series") -> dict[str, Any]:
    """A row of the table of trials for JSON, without missing values."""
    values = row.dropna().to_dict()
    return {str(key): value.item() if hasattr(value, "item") else value for key, value in values.items()}


def _table(file: Path, all_ended: bool) -> "pd.DataFrame":
    """The trials; those of processes known to have ended no longer count as running."""
    if not file.exists():
        return _rows([])
    import optuna

    with storage(file, writable=False) as opened:
        try:
            study = optuna.load_study(study_name=STORED_NAME, storage=opened)
        except KeyError:  # it is being created at this moment
            return _rows([])
        try:
            table = _rows(study.get_trials(deepcopy=False))
        except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
            # Optuna checks nothing that it reads.
            raise RunError(f"{damaged(file, f'its trials make no sense ({error})')} Start a new study.") from error
    if all_ended:
        lost = table["state"] == "running"
        table.loc[lost, ["state", "note"]] = ["failed", "Its process has ended."]
    return table


def _rows(trials: "list[optuna.trial.FrozenTrial]") -> "pd.DataFrame":
    import pandas as pd

    rows = [trial_row(trial) for trial in trials if trial.state.name in _WORDS]
    searched = sorted({key for row in rows for key in row} - set(_COLUMNS))
    return pd.DataFrame(rows, columns=[*_COLUMNS, *searched])


def trial_row(trial: "optuna.trial.FrozenTrial") -> dict[str, Any]:
    """A trial as a row of the table."""
    reported, seconds = trial.intermediate_values, None
    if trial.datetime_start and trial.datetime_complete:
        seconds = (trial.datetime_complete - trial.datetime_start).total_seconds()
    return {
        "number": trial.number,
        "state": _WORDS[trial.state.name],
        "val_top1": reported[max(reported)] if reported else None,
        "epochs": max(reported, default=0),
        "seconds": seconds,
        "note": trial.user_attrs.get("note", ""),
        **current_fields(trial.params),
    }


@contextlib.contextmanager
def storage(file: Path, *, writable: bool) -> "Iterator[optuna.storages.RDBStorage]":
    """Optuna's storage in one SQLite file, closed at the end; created if it is missing and `writable`.

    Raises
    ------
    RunError
        It cannot be read or written, at the start or while the body works with it.
    """
    import optuna
    import sqlalchemy

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    # With its own connection, because folder names can contain characters that SQLAlchemy's URLs can't.
    where = f"{file.resolve().as_uri()}?mode={'rwc' if writable else 'rw'}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(where, timeout=_PATIENCE, check_same_thread=False, uri=True)

    opened = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            opened = optuna.storages.RDBStorage(
                "sqlite://",
                engine_kwargs={"creator": connect, "poolclass": sqlalchemy.pool.NullPool},
                skip_compatibility_check=not writable,
                skip_table_creation=not writable,
                heartbeat_interval=_BEAT,
                grace_period=_DEAD_AFTER,
            )
        yield opened
    except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and opened is not None:
            raise  # An error of the body is raised as it is; while opening, another version of Optuna wrote the file.
        raise RunError(
            f"Can't read or write the trials in {file}. Free some disk space, close programs that use it, or "
            "start a new study."
        ) from error
    finally:
        if opened is not None:
            opened.remove_session()
            opened.engine.dispose()
