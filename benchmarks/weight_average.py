"""Average the weights of two models: ``python -m benchmarks.weight_average FIRST SECOND --home FOLDER``.

FOLDER is the workspace that ``benchmarks.street72 prepare`` has made, and SECOND is a run whose training went on from
FIRST, so that their weights lie in one valley and an average of them may be better than either. Accuracy is that on the
validation photos of SECOND's split, by world, at its input size.

References
----------
Wortsman et al. (2022), Model soups. Izmailov et al. (2018), Averaging weights leads to wider optima.
"""

import argparse
import copy
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.final_size import at_size
from benchmarks.street72 import photos_of
from sneaker_core.datasets.split import Split
from sneaker_core.evaluation.prediction_table import evaluate_photos
from sneaker_core.evaluation.worlds import world_metrics
from sneaker_core.networks.checkpoint import SneakerModel, load_model
from sneaker_core.networks.model_registry import find_model


def average(first: SneakerModel, second: SneakerModel, share: float) -> SneakerModel:
    """The second model with its weights (and the statistics of batch norm) moved toward those of the first."""
    network = copy.deepcopy(second.network)
    weights = {
        name: torch.lerp(values.float(), first.network.state_dict()[name].float(), share).to(values.dtype)
        if values.is_floating_point()
        else values
        for name, values in second.network.state_dict().items()
    }
    network.load_state_dict(weights)
    return replace(second, network=network.eval())


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", metavar="FIRST")
    parser.add_argument("second", metavar="SECOND")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--shares", type=float, nargs="*", default=[0.0, 0.25, 0.5], help="of FIRST")
    parser.add_argument("--size", type=int, default=200)
    asked = parser.parse_args()
    folder = find_model(asked.home, asked.second)
    first, second = (
        at_size(load_model(find_model(asked.home, name)), asked.size) for name in (asked.first, asked.second)
    )
    validation = photos_of(asked.home, folder)[0][Split.VAL]
    for share in asked.shares:
        worlds = world_metrics(evaluate_photos(average(first, second, share), validation)[0])
        print(f"| {share:g} | " + " | ".join(f"{one.world} {one.top1.text}" for one in worlds) + " |", flush=True)


if __name__ == "__main__":
    main()
