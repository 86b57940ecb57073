"""``follow`` and ``clips …``: follow the sneakers through a clip, and manage the clips of the workspace."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sneaker_core.commands.common import (
    Commands,
    json_option,
    long_work,
    model_or_default,
    print_items,
    print_result,
    shown,
)
from sneaker_core.number_text import counted
from sneaker_core.workspace.atomic_files import write_atomically

if TYPE_CHECKING:
    from sneaker_core.records.clip_records import ClipFile
    from sneaker_core.video.clip_collection import Clip

_FILE = click.Path(path_type=Path)
_NAME = click.argument("name", metavar="NAME")


@click.command()
@click.argument("clip", type=_FILE, metavar="CLIP")
@click.option("--model", "name", metavar="MODEL", help="A bundled model, a run, or a folder.")
@click.option("--out", type=_FILE, metavar="FILE.csv", help="Table to write: a row per frame and sneaker.")
@click.option("--video", type=_FILE, metavar="FILE", help="Marked video to write: .webm, or .mp4, which takes longer.")
@json_option
@click.pass_obj
def follow(workspace: Path, clip: Path, name: str | None, out: Path | None, video: Path | None, as_json: bool) -> None:
    """Follow each sneaker through CLIP and name it by its clearest frames."""
    from msgspec import to_builtins

    from sneaker_core.networks.model_registry import find_model, model_reference, open_model
    from sneaker_core.video.clip_results import answers_csv, summary
    from sneaker_core.video.follow_clip import follow_clip
    from sneaker_core.video.marked_video import write_marked_video
    from sneaker_core.video.video_writer import check_video_name
    from sneaker_core.workspace.shell_work import shell_work

    if video is not None:
        check_video_name(video)
    asked = model_or_default(name)
    model = open_model(workspace, asked)
    params = {"model": model_reference(workspace, find_model(workspace, asked))}
    with long_work() as worker, shell_work(workspace, "follow", params, f"Following {clip.name}"):
        report = shown(worker)
        found = follow_clip(model, clip, report=report, stopped=worker.stopped)
        if video is not None:
            write_marked_video(found, clip, video, report=report, stopped=worker.stopped)
    if out is not None:
        write_atomically(out, answers_csv(found), is_change=False)
    record = summary(found, clip.name, model.spec.name)
    print_result(to_builtins(record), as_json, lambda: _text(record))


def _text(record: "ClipFile") -> str:
    from sneaker_core.video.clip_results import NOTHING_FOUND

    lines = [
        f"{track.number}: {track.sentence}. {track.first:.1f} to {track.last:.1f} s, {counted(track.frames, 'frame')}."
        for track in record.tracks
    ]
    return "\n".join(lines) or NOTHING_FOUND


@click.group(cls=Commands)
def clips() -> None:
    """List, show, rename, delete and restore the clips of the workspace."""


@clips.command("list")
@json_option
@click.pass_obj
def list_clips(workspace: Path, as_json: bool) -> None:
    """List the clips."""
    from sneaker_core.video.clip_collection import clips_of

    found = clips_of(workspace)
    _print_list(found.list(), found.damaged(), as_json, "No clips yet.")


def _print_list(items: "list[Clip]", damaged: dict[str, str], as_json: bool, none: str) -> None:
    print_items([_row(clip) for clip in items], damaged, as_json, _line, none, keys=("id", "name", "state", "tracks"))


def _row(clip: "Clip") -> dict[str, Any]:
    state = "done" if clip.found else clip.job.state.value if clip.job else "stopped"
    tracks = None if clip.found is None else len(clip.found.tracks)
    return {"id": clip.id, "name": clip.name, "state": state, "tracks": tracks}


def _line(row: dict[str, Any]) -> str:
    return f"{row['name']}  {row['state'] if row['tracks'] is None else counted(row['tracks'], 'sneaker')}"


@clips.command()
@_NAME
@json_option
@click.pass_obj
def show(workspace: Path, name: str, as_json: bool) -> None:
    """Show what was found in a clip."""
    from msgspec import to_builtins

    from sneaker_core.video.clip_collection import clips_of

    clip = clips_of(workspace).find(name)
    found = clip.found
    if found is None:
        click.echo(json.dumps(_row(clip)) if as_json else _line(_row(clip)))
        return
    print_result(to_builtins(found), as_json, lambda: _text(found))


@clips.command()
@_NAME
@click.argument("new_name", metavar="NEW")
@json_option
@click.pass_obj
def rename(workspace: Path, name: str, new_name: str, as_json: bool) -> None:
    """Rename a clip."""
    from sneaker_core.video.clip_collection import clips_of

    renamed = clips_of(workspace).rename(name, new_name).name
    print_result({"name": renamed}, as_json, lambda: f"Renamed {name} to {renamed}.")


@clips.command()
@_NAME
@json_option
@click.pass_obj
def delete(workspace: Path, name: str, as_json: bool) -> None:
    """Move a clip and what was found in it to the bin."""
    from sneaker_core.video.clip_collection import clips_of

    clips_of(workspace).delete(name)
    print_result({"name": name}, as_json, lambda: f"Moved {name} to the bin. To undo: clips restore {name}")


@clips.command()
@click.argument("name", metavar="[NAME]", required=False)
@json_option
@click.pass_obj
def restore(workspace: Path, name: str | None, as_json: bool) -> None:
    """Restore a clip from the bin; without NAME, list the bin."""
    from sneaker_core.video.clip_collection import clips_of

    found = clips_of(workspace)
    if name is None:
        _print_list(found.deleted(), found.damaged_in_bin(), as_json, "The bin has no clips.")
        return
    restored = found.restore(name).name
    print_result({"name": restored}, as_json, lambda: f"Restored {restored}.")
