"""What a training writes to the terminal and to the log of its job."""

from collections.abc import Mapping
from typing import Any


def event_text(event: str, values: Mapping[str, Any]) -> str:
    """A line for an event that `train_model.train` reports; empty for events that need none."""
    if event == "warning":
        return str(values["text"])
    if event == "epoch":
        figures = {key: value for key, value in values.items() if isinstance(value, (int, float))}
        return "  ".join(f"{key} {_short(value)}" for key, value in figures.items())
    return ""


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def result_text(name: str, metrics: Mapping[str, Any]) -> str:
    """How a training ended, in one sentence."""
    if not metrics:
        return f"{name} was stopped before there was a model. To resume it: runs retry {name}"
    test = metrics["test"]
    return f"{name} is ready: {test['top1']:.1%} of {test['n']:,} test photos recognized correctly."
