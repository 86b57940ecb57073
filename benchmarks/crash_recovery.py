"""A training that is killed again and again: ``python -m benchmarks.kills`` from the project's folder.

Trains on the drawn dataset twice without and once with SIGKILLs at random moments, and compares what each epoch and
the finished model came to.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sneaker_core.datasets.dataset_collection import find_or_create
from sneaker_core.datasets.synthetic.demo_dataset import make_synthetic
from sneaker_core.networks.checkpoint import read_spec
from sneaker_core.training.run_metrics import METRICS_FILE
from sneaker_core.workspace.paths import PROJECT, RUN_FILE, run_model_folder, runs_folder

DATASET = "drawn"
# What of an epoch depends on the machine and not on the training.
_OF_THE_MACHINE = ("images_per_second", "seconds")


@dataclass(frozen=True)
class Outcome:
    """What a training came to.

    Attributes
    ----------
    kills : int
        How often it was killed before it was done.
    epochs : list of dict
        What each epoch came to, but for what depends on the machine.
    metrics : dict
        Of the finished model.
    """

    kills: int
    epochs: list[dict[str, Any]]
    metrics: dict[str, Any]


def draw(workspace: Path, per_class: int) -> None:
    """Make the drawn dataset in a workspace."""
    make_synthetic(find_or_create(workspace, DATASET), per_class)


def train_through_kills(
    workspace: Path, name: str, arguments: list[str], kills: int, shortest: float, longest: float, seed: int = 0
) -> Outcome:
    """Train in a process of its own, killed at random moments and resumed as often as was asked.

    Parameters
    ----------
    workspace : Path
        Holds the dataset.
    name : str
        Of the run.
    arguments : list of str
        Of ``train``, beside dataset, run and resume.
    kills : int
    shortest, longest : float
        Each killed process lives a random time between these, in seconds.
    seed : int
        Of the random moments.

    Raises
    ------
    RuntimeError
        A process ended with an error of its own.
    """
    moments, folder, done = random.Random(seed), runs_folder(workspace) / name, 0
    while True:
        command = [sys.executable, "-m", "sneaker_core", "--workspace", str(workspace), "train", DATASET]
        command += [*arguments, "--run", name, *(["--resume"] if (folder / RUN_FILE).exists() else [])]
        with subprocess.Popen(
            command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                _, told = process.communicate(timeout=moments.uniform(shortest, longest) if done < kills else None)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                done += 1
                if _is_done(folder):  # killed between its last word and its end
                    break
                continue
        if process.returncode:
            raise RuntimeError(told)
        break
    return Outcome(done, _epochs(folder), read_spec(run_model_folder(folder)).metrics)


def _is_done(folder: Path) -> bool:
    file = folder / RUN_FILE
    return file.exists() and json.loads(file.read_text(encoding="utf-8"))["state"] == "done"


def _epochs(folder: Path) -> list[dict[str, Any]]:
    rows = map(json.loads, (folder / METRICS_FILE).read_text(encoding="utf-8").splitlines())
    return [{key: value for key, value in row.items() if key not in _OF_THE_MACHINE} for row in rows]


def main() -> None:
    """Print how often the training was killed and whether it came to the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--per-class", type=int, default=30, help="drawn photos a class")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--longest", type=float, default=25.0, help="seconds that a killed process may live")
    chosen = parser.parse_args()
    arguments = ["--recipe", "finetune", "--init", "street22", "--size", "96", "--epochs", str(chosen.epochs)]
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        draw(workspace, chosen.per_class)
        for name, kills in (("whole", 0), ("again", 0), ("killed", chosen.kills)):
            started = time.perf_counter()
            # The first second is Python's start: nothing is at stake there.
            outcomes.append(train_through_kills(workspace, name, arguments, kills, 1.0, chosen.longest))
            top1 = outcomes[-1].metrics["test"]["top1"]
            print(
                f"{name:8} killed {outcomes[-1].kills} times, test top-1 {top1:.4f}, "
                f"{time.perf_counter() - started:.0f} s"
            )
    whole, again, killed = outcomes
    print(f"same seed, no kill: {'identical' if whole == again else 'DIFFERENT'} metrics")
    same = (whole.epochs, whole.metrics) == (killed.epochs, killed.metrics)
    print(f"killed {killed.kills} times: {'identical' if same else 'DIFFERENT'} metrics")


if __name__ == "__main__":
    main()
