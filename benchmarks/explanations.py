"""Measure time and sanity checks of the attribution methods: ``python -m benchmarks.explanations``.

Needs ``SOLESCOPE_REAL_DATA``, as ``benchmarks.data_quality`` does. To compare Grad-CAM with another implementation,
install its package with ``pip install grad-cam`` (SoleScope doesn't need it). Both are timed alternately on the same
photos, from preprocessed photo to map; our time includes copying the modules.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.data_quality import real_photos
from sneaker_core import images
from sneaker_core.datasets.photo_folder import read_labeled_folder
from sneaker_core.inference.explanation.attributions import attribute, layer_gradcam
from sneaker_core.inference.explanation.deletion_insertion import deletion_insertion
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest, Method
from sneaker_core.inference.explanation.weight_randomization import randomization_test
from sneaker_core.inference.predictor import predict_images
from sneaker_core.networks.architectures import explained_layer
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.model_registry import open_model
from sneaker_core.workspace.paths import workspace

Map = NDArray[np.float32]
_WARM_UP = 3


def choose(model: SneakerModel, count: int) -> list[tuple[Image.Image, str]]:
    """Sample photos of the model's classes, each with its most probable class."""
    rows = read_labeled_folder(
        real_photos(), [label for label in model.spec.classes if (real_photos() / label).is_dir()]
    )
    paths = rows["path"].sample(count, random_state=0)
    photos = [images.load(Path(path), shrink_to=model.spec.preprocessing.shrink_to) for path in paths]
    return [(photo, predict_images(model, [photo], top=1)[0].top[0].label) for photo in photos]


def their_gradcam(model: SneakerModel) -> Callable[[torch.Tensor, int], Map]:
    """Grad-CAM of the grad-cam package on the same layer, with a model of its own, because it adds hooks.

    It needs gradients from before the layer; in a frozen network, the photo is the cheapest place.
    """
    from pytorch_grad_cam import GradCAM  # type: ignore[import-not-found,unused-ignore]
    from pytorch_grad_cam.utils.model_targets import (  # type: ignore[import-not-found,unused-ignore]
        ClassifierOutputTarget,
    )

    cam = GradCAM(model=model.network, target_layers=[explained_layer(model.spec.network, model.network)])

    def explain(batch: torch.Tensor, target: int) -> Map:
        found: Map = cam(input_tensor=batch.requires_grad_(True), targets=[ClassifierOutputTarget(target)])[0]
        return found

    return explain


def seconds(work: Callable[[], Map]) -> tuple[float, Map]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


def compare(model: SneakerModel, photos: list[tuple[Image.Image, str]]) -> None:
    """Print the correlation of both Grad-CAM implementations, and their times."""
    try:
        theirs = their_gradcam(open_model(workspace(), DEFAULT_MODEL))
    except ImportError:
        print("The grad-cam package isn't installed, so the comparison is skipped.\n")
        return
    layer = explained_layer(model.spec.network, model.network)
    alike, times = [], []
    for number, (photo, label) in enumerate([*photos[:_WARM_UP], *photos]):
        batch, target = model.spec.preprocessing([photo]), model.spec.classes.index(label)

        def ours(batch: torch.Tensor = batch, target: int = target) -> Map:
            return np.asarray(layer_gradcam(model.network, layer, batch, target, None)[0])

        def other(batch: torch.Tensor = batch, target: int = target) -> Map:
            return theirs(batch, target)

        # Alternate the order, so that neither benefits from caches that the other warmed.
        if number % 2:
            second, their_map = seconds(other)
            first, our_map = seconds(ours)
        else:
            first, our_map = seconds(ours)
            second, their_map = seconds(other)
        if number >= _WARM_UP:
            times.append((first * 1000, second * 1000))
            alike.append(float(np.corrcoef(our_map.ravel(), their_map.ravel())[0, 1]))
    our_times, their_times = zip(*times, strict=True)
    print(f"Grad-CAM of {len(photos)} photos, one at a time, compared with the grad-cam package")
    print(f"correlation of the maps: lowest {min(alike):.4f}, mean {statistics.mean(alike):.4f}")
    print(
        f"ms per photo: ours median {statistics.median(our_times):.1f}, mean {statistics.mean(our_times):.1f}; "
        f"theirs median {statistics.median(their_times):.1f}, mean {statistics.mean(their_times):.1f}\n"
    )


def check_methods(model: SneakerModel, photos: list[tuple[Image.Image, str]]) -> None:
    """Print time and sanity check results of each method."""
    print("| method | s per photo | correlation after shuffling weights | deletion | random | insertion | random |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for method in Method:
        times, correlations, areas = [], [], []
        for photo, label in photos:

            def explain(photo: Image.Image = photo, label: str = label, method: Method = method) -> Map:
                return np.asarray(attribute(model, [photo], label, method)[0])

            spent, heat = seconds(explain)
            times.append(spent)
            check = randomization_test(model, photo, ExplanationRequest(label, method=method), heat, shares=(1.0,))
            correlations.append(check.steps[-1].correlation)
            areas.append(deletion_insertion(model, photo, heat, label).areas)
        mean = {name: statistics.mean(each[name] for each in areas) for name in areas[0]}
        print(
            f"| {method.display_name} | {statistics.median(times):.2f} | "
            f"{statistics.mean(correlations):.2f} | {mean['deletion']:.3f} | {mean['random_deletion']:.3f} | "
            f"{mean['insertion']:.3f} | {mean['random_insertion']:.3f} |",
            flush=True,
        )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=50, help="photos for the comparison")
    parser.add_argument("--sanity-check-photos", type=int, default=20, help="0 skips the sanity checks")
    asked = parser.parse_args()
    model = open_model(workspace(), DEFAULT_MODEL)
    photos = choose(model, asked.photos)
    compare(model, photos)
    if asked.sanity_check_photos:
        check_methods(model, photos[: asked.sanity_check_photos])


if __name__ == "__main__":
    main()
