"""Check that a killed training resumes exactly: ``python -m benchmarks.crash_recovery`` in the project folder.

Trains on the synthetic dataset twice without interruption and once with SIGKILLs at random moments, and compares the
metrics of each epoch and of the finished model.
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

DATASET = "synthetic"
# Fields of an epoch that depend on the machine rather than the training.
_SPEED_FIELDS = ("images_per_second", "seconds")


@dataclass(frozen=True)
class Outcome:
    """The result of a training.

    Attributes
    ----------
    kills : int
        How many times it was killed before it finished.
    epochs : list of dict
        Metrics of each epoch, without its speed.
    metrics : dict
        Metrics of the finished model.
    """

    kills: int
    epochs: list[dict[str, Any]]
    metrics: dict[str, Any]


def make_dataset(workspace: Path, per_class: int) -> None:
    """Generate the synthetic dataset in a workspace."""
    make_synthetic(find_or_create(workspace, DATASET), per_class)


def train_with_kills(
    workspace: Path, name: str, arguments: list[str], kills: int, min_seconds: float, max_seconds: float, seed: int = 0
) -> Outcome:
    """Train in a separate process that is killed at random moments and resumed.

    Parameters
    ----------
    workspace : Path
        Workspace with the dataset.
    name : str
        Name of the run.
    arguments : list of str
        Arguments of ``train`` other than the dataset, ``--run`` and ``--resume``.
    kills : int
        How many times to kill the process.
    min_seconds, max_seconds : float
        Range of the random time after which a process is killed.
    seed : int
        Seed of these times.

    Raises
    ------
    RuntimeError
        A process failed by itself.
    """
    moments, folder, done = random.Random(seed), runs_folder(workspace) / name, 0
    while True:
        command = [sys.executable, "-m", "sneaker_core", "--workspace", str(workspace), "train", DATASET]
        command += [*arguments, "--run", name, *(["--resume"] if (folder / RUN_FILE).exists() else [])]
        with subprocess.Popen(
            command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                _, errors = process.communicate(
                    timeout=moments.uniform(min_seconds, max_seconds) if done < kills else None
                )
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                done += 1
                if _is_done(folder):  # it had finished, but its process was still running
                    break
                continue
        if process.returncode:
            raise RuntimeError(errors)
        break
    return Outcome(done, _epochs(folder), read_spec(run_model_folder(folder)).metrics)


def _is_done(folder: Path) -> bool:
    file = folder / RUN_FILE
    return file.exists() and json.loads(file.read_text(encoding="utf-8"))["state"] == "done"


def _epochs(folder: Path) -> list[dict[str, Any]]:
    rows = map(json.loads, (folder / METRICS_FILE).read_text(encoding="utf-8").splitlines())
    return [{key: value for key, value in row.items() if key not in _SPEED_FIELDS} for row in rows]


def main() -> None:
    """Print how often the training was killed, and whether its metrics are the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="how many times to kill the training")
    parser.add_argument("--per-class", type=int, default=30, help="synthetic photos per class")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--max-seconds", type=float, default=25.0, help="longest time until a process is killed")
    chosen = parser.parse_args()
    arguments = ["--recipe", "finetune", "--init", "street22", "--size", "96", "--epochs", str(chosen.epochs)]
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        make_dataset(workspace, chosen.per_class)
        for name, kills in (("uninterrupted", 0), ("same-seed", 0), ("killed", chosen.kills)):
            started = time.perf_counter()
            # In the first second Python starts, so a kill would test nothing.
            outcomes.append(train_with_kills(workspace, name, arguments, kills, 1.0, chosen.max_seconds))
            top1 = outcomes[-1].metrics["test"]["top1"]
            print(
                f"{name:13} killed {outcomes[-1].kills} times, test top-1 {top1:.4f}, "
                f"{time.perf_counter() - started:.0f} s"
            )
    uninterrupted, again, killed = outcomes
    print(f"same seed, not killed: {'identical' if uninterrupted == again else 'DIFFERENT'} metrics")
    same = (uninterrupted.epochs, uninterrupted.metrics) == (killed.epochs, killed.metrics)
    print(f"killed {killed.kills} times: {'identical' if same else 'DIFFERENT'} metrics")


if __name__ == "__main__":
    main()
