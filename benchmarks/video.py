"""Following sneakers through clips: ``python -m benchmarks.video MODEL [--seeds N] [--scene NAME]``.

Draws clips of each scene with known boxes (320 x 240, 25 frames a second), follows the sneakers in them, and prints a
Markdown table: in which share of the frames with a sneaker its box has an intersection over union of at least 0.5 with
the true one, how many sneakers keep one track from beginning to end, how many tracks show no sneaker, how many are
named as what they are, and the time that following takes as a multiple of the playing time, in processor seconds, since
other work on the machine makes everything slower.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sneaker_core.datasets.synthetic.drawn_clips import ClipPlan, DrawnFrame, Scene, plan_clip
from sneaker_core.datasets.synthetic.sample_plan import CLASSES
from sneaker_core.networks.checkpoint import SneakerModel, load_model
from sneaker_core.networks.model_registry import find_model
from sneaker_core.video.boxes import Box, overlap
from sneaker_core.video.follow_clip import FollowedClip, follow_clip
from sneaker_core.video.sample_clip import write_drawn_clip
from sneaker_core.workspace.paths import workspace

_HIT, _TOUCHED = 0.5, 0.3
# A track is a sneaker's if it holds that share of the frames in which its box is found.
_KEPT = 0.95


@dataclass
class Outcome:
    """Counts over the clips of a scene."""

    shares: list[float] = field(default_factory=list)
    kept: int = 0
    named: int = 0
    extra: int = 0
    ratios: list[float] = field(default_factory=list)


def measure(model: SneakerModel, scene: Scene, seed: int, folder: Path, into: Outcome) -> None:
    """Draw one clip, follow the sneakers in it, and add what came out."""
    rng = np.random.default_rng(1000 * list(Scene).index(scene) + seed)
    labels = tuple(str(label) for label in rng.permutation(CLASSES)[:3])
    plan = plan_clip(scene, labels, seed=seed)
    frames = write_drawn_clip(folder / "clip.mp4", plan)
    started = time.process_time()
    found = follow_clip(model, folder / "clip.mp4")
    into.ratios.append((time.process_time() - started) / plan.seconds)
    owners = set()
    for sneaker in range(len(plan.labels)):
        share, owner, kept = _of_sneaker(found, frames, sneaker, plan)
        into.shares.append(share)
        into.kept += kept and owner not in owners
        owners.add(owner)
        track = next((track for track in found.tracks if track.number == owner), None)
        into.named += track is not None and track.answer.label == plan.labels[sneaker]
    into.extra += len([track for track in found.tracks if track.number not in owners])


def _of_sneaker(found: FollowedClip, frames: list[DrawnFrame], sneaker: int, plan: ClipPlan) -> tuple[float, int, bool]:
    """Share of its frames in which it is found; its track; and whether that one is its only one."""
    width, height = plan.size
    hits, tracks = [], dict[int, int]()
    for number, frame in enumerate(frames):
        if (edges := frame.boxes.get(sneaker)) is None:
            continue
        truth = Box(edges[0] / width, edges[1] / height, edges[2] / width, edges[3] / height)
        shown = [(overlap(track.boxes[number], truth), track.number) for track in found.tracks if number in track.boxes]
        best, track = max(shown, default=(0.0, 0))
        hits.append(best >= _HIT)
        if best >= _TOUCHED:
            tracks[track] = tracks.get(track, 0) + 1
    owner = max(tracks, key=tracks.__getitem__, default=0)
    kept = bool(tracks) and tracks[owner] >= _KEPT * sum(tracks.values())
    return float(np.mean(hits)), owner, kept


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--seeds", type=int, default=2, help="clips per scene")
    parser.add_argument("--scene", choices=[scene.name.lower() for scene in Scene], help="only this scene")
    asked = parser.parse_args()
    model = load_model(find_model(workspace(), asked.model))
    print("| scene | sneakers | frames at IoU 0.5 | in 80% of frames | one track | named | other tracks | time |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for scene in Scene:
        if asked.scene not in (None, scene.name.lower()):
            continue
        outcome = Outcome()
        with tempfile.TemporaryDirectory() as folder:
            for seed in range(asked.seeds):
                measure(model, scene, seed, Path(folder), outcome)
        count = len(outcome.shares)
        mean = f"{np.mean(outcome.shares):.3f}" if count else ""
        enough = f"{sum(share >= 0.8 for share in outcome.shares)} of {count}" if count else ""
        kept, named = (f"{number} of {count}" if count else "" for number in (outcome.kept, outcome.named))
        ratio = f"{np.mean(outcome.ratios):.1f}"
        print(f"| {scene} | {count} | {mean} | {enough} | {kept} | {named} | {outcome.extra} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
