"""Clips: reading untrusted files, following sneakers in drawn clips with known boxes, and what is written of it."""

import csv
import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from sneaker_core.__main__ import main
from sneaker_core.commands.run_job_command import run_job
from sneaker_core.datasets.synthetic.drawn_clips import ClipPlan, Scene, draw_clip, plan_clip
from sneaker_core.errors import ClipError
from sneaker_core.networks.bundled_models import SYNTHETIC_MODEL
from sneaker_core.networks.checkpoint import SneakerModel, load_model
from sneaker_core.settings import ClipLimits
from sneaker_core.video.boxes import Box, contained, overlap
from sneaker_core.video.clip_collection import clips_of, start_following
from sneaker_core.video.clip_reader import ClipReader
from sneaker_core.video.clip_results import answer_rows, answers_csv, summary
from sneaker_core.video.follow_clip import FollowedClip, follow_clip
from sneaker_core.video.marked_video import write_marked_video
from sneaker_core.video.patch_matching import match_patch
from sneaker_core.video.proposals import Proposal
from sneaker_core.video.sample_clip import write_drawn_clip
from sneaker_core.video.timeline_chart import named_since, timeline
from sneaker_core.video.tracking import Tracks
from sneaker_core.workspace.jobs import JobState, read_job
from sneaker_core.workspace.paths import BUNDLED_MODELS, clip_job_folder

LABELS = ("Chunky Runner", "Court Low", "High-Top")
SMALL = (240, 180)


@pytest.fixture(scope="module")
def model() -> SneakerModel:
    return load_model(BUNDLED_MODELS / SYNTHETIC_MODEL)


def shortened(plan: ClipPlan, seconds: float) -> ClipPlan:
    return ClipPlan(**{**vars(plan), "seconds": seconds})


def drawn(folder: Path, scene: Scene, seconds: float, fps: float = 16.0, seed: int = 3, size=SMALL):
    plan = shortened(plan_clip(scene, LABELS, seed=seed, fps=fps, size=size), seconds)
    path = folder / "clip.mp4"
    return path, write_drawn_clip(path, plan), plan


@pytest.fixture(scope="module")
def clip_file(tmp_path_factory) -> Path:
    return drawn(tmp_path_factory.mktemp("clips"), Scene.PANNING, 1.0)[0]


@pytest.fixture(scope="module")
def followed(model, clip_file) -> FollowedClip:
    return follow_clip(model, clip_file)


def hits(found: FollowedClip, frames, sneaker: int, size) -> dict[int, int]:
    """Track -> in how many frames its box is that of the sneaker (an intersection over union of at least 0.5)."""
    counts: dict[int, int] = {}
    for number, frame in enumerate(frames):
        if (edges := frame.boxes.get(sneaker)) is None:
            continue
        truth = Box(edges[0] / size[0], edges[1] / size[1], edges[2] / size[0], edges[3] / size[1])
        for track in found.tracks:
            if number in track.boxes and overlap(track.boxes[number], truth) >= 0.5:
                counts[track.number] = counts.get(track.number, 0) + 1
    return counts


# --- files from outside ---------------------------------------------------------------------------------------------


def test_frames_come_with_their_times_and_those_of_the_others(clip_file):
    with ClipReader(clip_file, 120) as reader:
        frames = list(reader.frames(0.125))
        assert (reader.facts.width, reader.facts.height) == SMALL
    times = [time for frame in frames for time in (*frame.skipped, frame.time)] + list(reader.left)
    assert times == pytest.approx([number / 16 for number in range(16)])
    assert len(frames) == 8
    assert frames[0].pixels.shape == (90, 120, 3)


def test_a_clip_that_was_filmed_upright_is_turned(clip_file, tmp_path):
    """Phones store the sensor's pictures and how they were held; OpenCV's writer stores the identity matrix."""
    data = bytearray(clip_file.read_bytes())
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    quarter = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, SMALL[1] << 16, 0, 1 << 30)
    at = data.rindex(identity)
    assert at > data.index(b"tkhd")
    data[at : at + len(quarter)] = quarter
    (tmp_path / "phone.mp4").write_bytes(data)
    with ClipReader(tmp_path / "phone.mp4", 960) as reader:
        frame = next(reader.frames())
    assert frame.pixels.shape == (*SMALL, 3)
    with ClipReader(clip_file, 960) as reader:
        before = next(reader.frames())
    turned = np.rot90(before.pixels, k=-1).astype(int)
    assert np.abs(turned - frame.pixels).mean() < 3


def picture(path: Path) -> None:
    Image.new("RGB", (64, 48)).save(path, "PNG")


def sound(path: Path) -> None:
    import wave

    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(1000))


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"#EXTM3U\n#EXTINF:1\nfile:///etc/passwd\n"), "isn't a video"),
        (picture, "is a picture, not a video"),
        (sound, "isn't a video"),
        (lambda path: path.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(500)), "is damaged or has no pictures"),
    ],
)
def test_what_is_no_clip_is_refused_in_a_sentence(tmp_path, write, reason):
    path = tmp_path / "odd.mp4"
    write(path)
    with pytest.raises(ClipError, match=reason), ClipReader(path, 960) as reader:
        list(reader.frames())


def test_a_clip_that_is_cut_off_is_refused(clip_file, tmp_path):
    path = tmp_path / "cut.mp4"
    path.write_bytes(clip_file.read_bytes()[: clip_file.stat().st_size // 2])
    with pytest.raises(ClipError, match=r"cut\.mp4: the file is damaged"), ClipReader(path, 960) as reader:
        list(reader.frames())


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (ClipLimits(1000, 60), "the limit is 0.001 MB"),
        (ClipLimits(10**8, 0.5), "longer than 0.5 seconds"),
        (ClipLimits(10**8, 60, max_pixels=1000), "0.001 megapixels"),
        (ClipLimits(10**8, 60, max_frames=5), "longer than"),
        (ClipLimits(10**8, 60, max_wait=1e-4), "takes longer than 0.0001 seconds"),
    ],
)
def test_limits(clip_file, limits, reason):
    with pytest.raises(ClipError, match=reason), ClipReader(clip_file, 960, limits) as reader:
        list(reader.frames())


# --- following ------------------------------------------------------------------------------------------------------


def test_a_sneaker_is_followed_and_named(followed, clip_file):
    frames = list(draw_clip(shortened(plan_clip(Scene.PANNING, LABELS, seed=3, fps=16.0, size=SMALL), 1.0)))
    (track,) = followed.tracks
    assert hits(followed, frames, 0, SMALL)[1] >= 0.8 * len(frames)
    assert track.answer.label == LABELS[0]
    assert track.boxes.keys() == set(range(len(frames)))


def test_a_sneaker_that_was_away_for_a_second_comes_back_as_itself(model, tmp_path):
    path, frames, _ = drawn(tmp_path, Scene.RETURNING, 5.0, fps=8.0, size=(320, 240))
    found = follow_clip(model, path)
    (track,) = found.tracks
    away = [number for number, frame in enumerate(frames) if not frame.boxes]
    assert len(away) >= 8
    seen = sorted(track.boxes)
    assert seen[0] < away[0] and seen[-1] > away[-1]
    assert not any(number in track.boxes for number in away[2:-2])


def test_two_that_cross_keep_their_boxes_and_themselves(model, tmp_path):
    path, frames, plan = drawn(tmp_path, Scene.CROSSING, 4.0, fps=8.0, seed=2, size=(320, 240))
    found = follow_clip(model, path)
    owners = []
    for sneaker in range(len(plan.labels)):
        counts = hits(found, frames, sneaker, plan.size)
        owner = max(counts, key=counts.__getitem__)
        assert counts[owner] >= 0.8 * sum(sneaker in frame.boxes for frame in frames)
        owners.append(owner)
    assert sorted(owners) == [track.number for track in found.tracks]


def test_a_sneaker_that_a_bar_hides_for_a_second_is_itself_behind_it(model, tmp_path):
    path, frames, _ = drawn(tmp_path, Scene.BEHIND_A_BAR, 5.0, fps=8.0, size=(320, 240))
    (track,) = follow_clip(model, path).tracks
    hidden = [number for number, frame in enumerate(frames) if not frame.boxes]
    assert len(hidden) >= 8
    seen = sorted(track.boxes)
    assert seen[0] < hidden[0] and seen[-1] > hidden[-1]
    assert sum(number in track.boxes for number in hidden) < len(hidden) / 2


def test_what_moved_is_found_by_its_pixels_unless_something_hides_it():
    rng = np.random.default_rng(0)
    before = np.zeros((90, 120, 3), np.uint8)
    before[30:60, 30:70] = rng.integers(0, 256, (30, 40, 3))
    now = np.roll(before, (3, 6), axis=(0, 1))
    box = Box(30 / 120, 30 / 90, 70 / 120, 60 / 90)
    found = match_patch(before, box, now, box.moved(0.02, 0))
    assert found is not None and found == pytest.approx(box.moved(6 / 120, 3 / 90))
    now[:, 50:] = 128
    assert match_patch(before, box, now, box) is None
    assert match_patch(before, Box(0, 0, 0.01, 0.01), now, box) is None


@pytest.mark.parametrize(("evident", "tracks"), [(1, 0), (3, 1)])
def test_pixels_are_no_evidence_that_it_is_a_sneaker(followed, evident, tracks):
    box, frame = Box(0.25, 0.25, 0.5, 0.5), np.random.default_rng(0).integers(0, 256, (90, 120, 3)).astype(np.uint8)
    look, found = followed.tracks[0].votes[-1].looks[0], Tracks()
    for moment in range(4):
        seen = [Proposal(box, 9.0)] if moment < evident else []
        found.add(moment / 8, seen, lambda boxes: [look] * len(boxes))
        found.bridge(moment / 8, frame, frame, (moment - 1) / 8)
    assert len(found.all[0].places) == 4 and len(found.confirmed()) == tracks


def test_where_no_sneaker_is_nothing_is_followed(model, tmp_path):
    path, _, _ = drawn(tmp_path, Scene.NOTHING, 1.5, fps=8.0)
    found = follow_clip(model, path)
    assert found.tracks == ()
    assert answers_csv(found).decode().splitlines() == [
        "frame,time,track,left,top,right,bottom,status,label,probability"
    ]


def test_boxes_are_compared_by_what_they_share():
    one, other = Box(0, 0, 0.4, 0.4), Box(0.2, 0, 0.6, 0.4)
    assert overlap(one, other) == pytest.approx(1 / 3)
    assert overlap(one, Box(0.5, 0.5, 1, 1)) == 0
    assert contained(Box(0.1, 0.1, 0.2, 0.2), one) == pytest.approx(1)


# --- what is written ------------------------------------------------------------------------------------------------


def test_rows_summary_and_timeline_agree(followed, clip_file):
    rows = answer_rows(followed)
    record = summary(followed, clip_file.name, "model")
    (track,) = record.tracks
    assert len(rows) == track.frames == len(list(csv.DictReader(io.StringIO(answers_csv(followed).decode()))))
    assert rows[-1]["label"] == track.votes[-1].top[0].label
    assert rows[-1]["probability"] == track.votes[-1].top[0].probability
    assert all(0 <= row["left"] < row["right"] <= SMALL[0] and row["top"] < row["bottom"] <= SMALL[1] for row in rows)
    since = named_since(track)
    chart = timeline(record)
    assert (since is None) == chart.title.startswith("No answer")
    assert track.sentence in chart.alt


def test_the_marked_video_plays_as_long_as_the_clip(followed, clip_file, tmp_path):
    target = tmp_path / "marked.webm"
    write_marked_video(followed, clip_file, target)
    assert target.read_bytes()[:4] == b"\x1a\x45\xdf\xa3"
    with ClipReader(target, 960) as reader:
        frames = list(reader.frames())
    assert frames[-1].time + 1 / 15 == pytest.approx(followed.seconds, abs=0.1)
    with ClipReader(clip_file, 960) as reader:
        plain = next(reader.frames())
    assert np.abs(plain.pixels.astype(int) - frames[0].pixels).max() > 100  # the box
    assert [path.name for path in tmp_path.iterdir()] == ["marked.webm"]


def run(home: Path, *words: object):
    return CliRunner().invoke(main, ["--workspace", str(home), *map(str, words)])


def test_the_commands(clip_file, tmp_path):
    home, out = tmp_path / "home", tmp_path / "answers.csv"
    done = run(home, "follow", clip_file, "--model", SYNTHETIC_MODEL, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    (track,) = json.loads(done.stdout)["tracks"]
    assert track["votes"][-1]["top"][0]["label"] == LABELS[0]
    assert len(out.read_text().splitlines()) == 1 + track["frames"]
    (tmp_path / "no.mp4").write_bytes(b"nothing")
    refused = run(home, "follow", tmp_path / "no.mp4", "--model", SYNTHETIC_MODEL)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert run(home, "follow", clip_file, "--video", tmp_path / "marked.gif").exit_code == 1
    assert run(home, "follow").exit_code == 2


def test_a_clip_of_the_workspace(clip_file, tmp_path, monkeypatch):
    """Its job, in this process; then all that can be done with an item of a collection."""
    monkeypatch.setattr("sneaker_core.workspace.jobs._spawn", lambda folder: None)
    with clip_file.open("rb") as source:
        name = start_following(tmp_path, "My clip!.MP4", source, SYNTHETIC_MODEL)
    (clip,) = clips_of(tmp_path).list()
    assert (clip.name, clip.found) == (name, None)
    assert CliRunner().invoke(run_job, [str(clip_job_folder(clip.folder))]).exit_code == 0
    assert read_job(clip_job_folder(clip.folder)).state is JobState.DONE
    clip = clips_of(tmp_path).find(name)
    assert clip.found is not None and clip.video.is_file() and clip.answers.is_file()
    assert all(picture.is_file() for track in clip.found.tracks for picture in clip.pictures(track))
    assert run(tmp_path, "clips", "rename", name, "other").exit_code == 0
    assert json.loads(run(tmp_path, "clips", "list", "--json").stdout)[0]["tracks"] == 1
    assert run(tmp_path, "clips", "delete", "other").exit_code == 0
    assert clips_of(tmp_path).list() == []
    assert run(tmp_path, "clips", "restore", "other").exit_code == 0
    assert run(tmp_path, "clips", "show", "other").stdout.startswith("1: ")


def test_what_is_no_clip_leaves_nothing_in_the_workspace(tmp_path):
    with pytest.raises(ClipError, match="isn't a video"):
        start_following(tmp_path, "notes.mp4", io.BytesIO(b"some notes"), SYNTHETIC_MODEL)
    assert clips_of(tmp_path).list() == [] and list((tmp_path / "clips").glob("[!.]*")) == []
