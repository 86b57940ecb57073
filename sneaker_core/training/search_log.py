"""What a hyperparameter search writes to the terminal and to the log of its job."""

from collections.abc import Mapping
from typing import Any

_NAMED = ("number", "state", "val_top1", "epochs", "seconds", "note")


def trial_text(row: Mapping[str, Any]) -> str:
    """A trial in one line: its number, how it ended, its validation accuracy and the values it tried."""
    accuracy = f"  top-1 {row['val_top1']:.1%}" if "val_top1" in row else ""
    values = "  ".join(f"{key} {_short(value)}" for key, value in row.items() if key not in _NAMED)
    words = f"Trial {row['number'] + 1}  {row['state']}{accuracy}  epochs {row['epochs']}  {values}  {row['note']}"
    return words.rstrip()


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
