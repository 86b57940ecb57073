"""Compare training with two processes and with one: ``python -m benchmarks.two_processes`` in the project folder.

The same training on the synthetic dataset, with the same total batch size, for three seeds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.crash_recovery import DATASET, make_dataset
from sneaker_core.training.run_metrics import METRICS_FILE
from sneaker_core.workspace.paths import PROJECT, runs_folder

SEEDS = (0, 1, 2)


def trained(workspace: Path, processes: int, seed: int, epochs: int) -> tuple[float, float]:
    """Train, and return the validation top-1 after the last epoch and the time in seconds."""
    name, started = f"{processes}-processes-seed-{seed}", time.perf_counter()
    launcher = ["-m", "torch.distributed.run", f"--nproc-per-node={processes}", "--standalone", "-m", "--"]
    command = [sys.executable, *(launcher if processes > 1 else ["-m"]), "sneaker_core", "--workspace", str(workspace)]
    command += ["train", DATASET, "--recipe=finetune", "--init=street22", "--size=96", f"--epochs={epochs}"]
    command += [f"--seed={seed}", "--set=val_share=0.25", f"--run={name}"]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    lines = (runs_folder(workspace) / name / METRICS_FILE).read_text(encoding="utf-8").splitlines()
    return float(json.loads(lines[-1])["val_top1"]), time.perf_counter() - started


def main() -> None:
    """Print the validation top-1 of one and two processes for each seed, and their means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-class", type=int, default=60, help="synthetic photos per class")
    parser.add_argument("--epochs", type=int, default=10)
    chosen = parser.parse_args()
    found: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        make_dataset(Path(folder), chosen.per_class)
        for seed in SEEDS:
            for processes, figures in found.items():
                top1, seconds = trained(Path(folder), processes, seed, chosen.epochs)
                figures.append(top1)
                print(f"seed {seed}, {processes} process(es): validation top-1 {top1:.3f}, {seconds:.0f} s", flush=True)
    one, two = (float(np.mean(figures)) for figures in found.values())
    print(f"mean of {len(SEEDS)} seeds: one {one:.3f}, two {two:.3f}, difference {100 * (two - one):+.1f} points")


if __name__ == "__main__":
    main()
