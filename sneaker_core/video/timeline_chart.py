"""How the answers to the sneakers of a clip grow surer over time."""

from sneaker_core.evaluation.chart_style import DEFAULT_PALETTE, Chart, Palette, new_figure, plotly_text, truncate
from sneaker_core.networks.decision import Status
from sneaker_core.number_text import counted
from sneaker_core.records.clip_records import ClipFile, TrackRecord
from sneaker_core.video.track_colors import track_color

_HEIGHT = 300
# Seconds; nobody notices less.
_AT_ONCE = 0.15
_SYMBOLS = {Status.KNOWN: "circle", Status.UNSURE: "circle-open", Status.UNKNOWN: "x-thin-open"}
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def named_since(track: TrackRecord) -> float | None:
    """The time from which on a track was always named as at the end; None if it isn't named at the end."""
    since, last = None, track.votes[-1]
    for vote in track.votes:
        same = vote.status == Status.KNOWN and vote.top and last.top and vote.top[0].label == last.top[0].label
        since = (vote.time if since is None else since) if same else None
    return since if last.status == Status.KNOWN else None


def timeline_title(found: ClipFile) -> str:
    """What the timeline shows, in one line."""
    since = {track.number: named_since(track) for track in found.tracks}
    waits = [max(when - track.first, 0.0) for track in found.tracks if (when := since[track.number]) is not None]
    if not waits:
        return "No answer is sure enough to name a sneaker"
    slowest, at_once = f"{max(waits):.1f} seconds", max(waits) < _AT_ONCE
    if len(found.tracks) == 1:
        return f"The sneaker is named {'at once' if at_once else f'after {slowest}'}, and the name stays"
    how = "as soon as it appears" if at_once else f"within {slowest} of appearing"
    if len(waits) == len(found.tracks):
        return f"Each sneaker is named {how}, and the name stays"
    return f"{len(waits)} of {counted(len(found.tracks), 'sneaker')} {'is' if len(waits) == 1 else 'are'} named"


def timeline(found: ClipFile, palette: Palette = DEFAULT_PALETTE) -> Chart:
    """Chart the probability of the most probable class over time, a line per sneaker.

    Parameters
    ----------
    found : ClipFile
        With at least one track.
    palette : Palette
    """
    import plotly.graph_objects as go

    figure = new_figure(_HEIGHT, palette, showlegend=len(found.tracks) > 1)
    for track in found.tracks:
        color = track_color(track.number)
        times = [vote.time for vote in track.votes]
        chances = [
            vote.top[0].probability if vote.top and vote.status != Status.UNKNOWN else 0.0 for vote in track.votes
        ]
        texts = [plotly_text(vote.sentence) for vote in track.votes]
        end = max(track.last, times[-1])
        name = plotly_text(f"{track.number}: {truncate(_name(track), 24)}")
        figure.add_trace(
            go.Scatter(
                x=[*times, end],
                y=[*chances, chances[-1]],
                text=[*texts, texts[-1]],
                name=name,
                mode="lines+markers",
                line={"shape": "hv", "color": color, "width": 2, "dash": _DASHES[(track.number - 1) % len(_DASHES)]},
                marker={
                    "size": [9] * len(times) + [0],
                    "color": color,
                    "symbol": [_SYMBOLS.get(Status(vote.status), "circle") for vote in track.votes] + ["circle"],
                },
                hovertemplate="%{x:.1f} s: %{text} (%{y:.0%})<extra></extra>",
            )
        )
    figure.update_xaxes(title_text="Seconds", range=[-0.02 * found.seconds, 1.02 * found.seconds])
    figure.update_yaxes(title_text="Probability of the answer", range=[-0.03, 1.05], tickformat=".0%")
    title = timeline_title(found)
    spoken = "; ".join(f"sneaker {track.number}: {track.sentence}" for track in found.tracks)
    return Chart(figure, title, f"{title}. At the end, {spoken}.")


def _name(track: TrackRecord) -> str:
    top = track.votes[-1].top
    return top[0].label if top and track.status != Status.UNKNOWN else "unknown"
