"""What it is worth to keep the memory that networks free: ``python -m benchmarks.freed_memory``.

The bundled network answers single photos and a batch, and takes training steps, in a process that keeps freed memory
and in one that returns it to the system, in turn. Prints the time of each as a ratio, and the most memory of each.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from sneaker_core.networks import architectures
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.checkpoint import load_model
from sneaker_core.workspace.paths import PROJECT

ROUNDS, STEPS, BATCH, TRAINING_SIZE = 3, 6, 32, 144


def median_seconds(step: Callable[[], object], steps: int) -> float:
    """The median time of a step, after two to warm up."""
    seconds = []
    for _ in range(steps + 2):
        started = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds[2:]))


def measured() -> dict[str, float]:
    """Seconds of each kind of step in this process, and its most memory in MB."""
    model = load_model(PROJECT / "models" / DEFAULT_MODEL)
    side, network = model.spec.preprocessing.height, model.network
    found = {
        "one photo": median_seconds(lambda: model.outputs(torch.rand(1, 3, side, side)), 10 * STEPS),
        f"{BATCH} photos": median_seconds(lambda: model.outputs(torch.rand(BATCH, 3, side, side)), STEPS),
    }
    network.train().requires_grad_(True)

    def training_step() -> None:
        network.zero_grad()
        network(torch.rand(BATCH, 3, TRAINING_SIZE, TRAINING_SIZE)).logsumexp(1).mean().backward()

    found[f"training step of {BATCH} photos at {TRAINING_SIZE} px"] = median_seconds(training_step, STEPS)
    return {**found, "most memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--child", choices=("keeps", "returns"), help=argparse.SUPPRESS)
    if child := parser.parse_args().child:
        if child == "returns":
            architectures.keep_freed_memory = lambda: False  # type: ignore[attr-defined, assignment]
        print(json.dumps(measured()))
        return
    found: dict[str, list[dict[str, float]]] = {"keeps": [], "returns": []}
    for _ in range(ROUNDS):
        for child, rows in found.items():
            command = [sys.executable, "-m", "benchmarks.freed_memory", "--child", child]
            rows.append(json.loads(subprocess.run(command, check=True, capture_output=True, cwd=PROJECT).stdout))
    print("| | returned | kept | ratio |\n| --- | --- | --- | --- |")
    for name in found["keeps"][0]:
        returned, kept = (float(np.median([row[name] for row in found[way]])) for way in ("returns", "keeps"))
        print(f"| {name} | {returned:.3g} | {kept:.3g} | {kept / returned:.2f} |")


if __name__ == "__main__":
    main()
