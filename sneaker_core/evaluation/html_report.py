"""An evaluation as one self-contained HTML file with interactive charts."""

import base64
import html
import io
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from sneaker_core import images
from sneaker_core.errors import ImageError
from sneaker_core.evaluation.chart_style import Chart
from sneaker_core.evaluation.confusion_matrix import ClassOrder, matrix_view
from sneaker_core.evaluation.evaluation_charts import class_bars, coverage_chart, reliability_chart, slices_chart
from sneaker_core.evaluation.evaluation_record import Evaluation
from sneaker_core.evaluation.matrix_charts import matrix_chart
from sneaker_core.evaluation.metric_text import (
    headline,
    key_metrics,
    pair_text,
    rank_text,
    renamed_class_lines,
    unknown_class_lines,
    use_lines,
)
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.reliability import coverage_curve, reliability_bins
from sneaker_core.evaluation.slices import slices
from sneaker_core.evaluation.table_columns import misclassified
from sneaker_core.evaluation.worlds import world_metrics, worlds_sentence
from sneaker_core.number_text import counted, percent

PHOTOS = 60
_THUMBNAIL = 192
_QUALITY = 80
_PAIRS = 15
_WIDTH = 860

_STYLE = """
:root{color-scheme:light dark;--text:#1c1f26;--soft:#5a6072;--ground:#ffffff;--card:#f4f5f8;--line:#dcdfe6}
@media(prefers-color-scheme:dark){:root{--text:#eceef3;--soft:#a9afbf;--ground:#0f1218;--card:#1a1e27;--line:#303644}}
*{box-sizing:border-box}body{margin:0 auto;max-width:60rem;padding:1.5rem 1rem 4rem;background:var(--ground);
color:var(--text);font:16px/1.5 system-ui,sans-serif}h1{line-height:1.2}h2{margin-top:2.5rem}p{max-width:44rem}
.soft,figcaption{color:var(--soft)}.cards,.photos{display:grid;gap:.8rem}
.cards{grid-template-columns:repeat(auto-fill,minmax(15rem,1fr))}
.photos{grid-template-columns:repeat(auto-fill,minmax(11rem,1fr))}
.card,figure.photo{background:var(--card);border-radius:.6rem;padding:.9rem;margin:0;overflow-wrap:anywhere}
.card b{font-size:1.7rem;display:block}.photo img,.photo .none{width:100%;aspect-ratio:4/3;object-fit:contain;
border-radius:.4rem;background:#fff}.photo .none{display:grid;place-items:center;text-align:center;padding:.5rem;
background:var(--line);color:var(--soft)}.wide{overflow-x:auto}table{border-collapse:collapse;min-width:30rem}
th,td{padding:.35rem .7rem;border-bottom:1px solid var(--line);text-align:right}
th:first-child,td:first-child{text-align:left}figcaption{font-size:.9rem;margin-top:.5rem}
"""
# Charts follow the page's text color when the color scheme changes.
_SCRIPT = """
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.querySelectorAll(".js-plotly-plot").forEach(figure => Plotly.relayout(figure,
  {"font.color": getComputedStyle(document.body).color}));
addEventListener("load", paint); dark.addEventListener("change", paint);
"""


def report_html(evaluation: Evaluation, table: pd.DataFrame, *, photos: int = PHOTOS) -> str:
    """An evaluation as one HTML page.

    Parameters
    ----------
    evaluation : Evaluation
    table : DataFrame
        Its prediction table.
    photos : int
        Number of misclassified photos to include, most confident errors first; as thumbnails if their files can be
        read.

    Returns
    -------
    str
        HTML that loads nothing: Plotly and all thumbnails are embedded.

    Raises
    ------
    DatasetError
        The model knows none of the labels.
    """
    metrics = summary(table)
    wrong = misclassified(table)
    matrix = matrix_view(table, ClassOrder.CONFUSION)
    parts = [
        _head(evaluation, metrics),
        _section("Summary", _cards(metrics)),
        _worlds(table),
        _section("Confusion matrix", _chart(matrix_chart(matrix, width=_WIDTH), _WIDTH)),
        _section("Most common errors", _pairs(metrics["confusions"])),
        _section("Classes", _chart(class_bars(metrics["per_class"])) + _class_table(metrics["per_class"])),
        _section("Calibration", _chart(reliability_chart(reliability_bins(table)))),
        _section("Confidence threshold", _chart(coverage_chart(coverage_curve(table)))),
        _slices(table),
        _section(_mistakes_title(len(wrong), photos), _photos(wrong.head(photos))),
        _remarks(evaluation, metrics),
    ]
    return _page(f"{evaluation.model} on {evaluation.data}", "".join(parts))


def _page(title: str, body: str) -> str:
    from plotly.offline import get_plotlyjs

    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # Makes the browser refuse to load anything from elsewhere.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data: blob:; '
        "style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'\">"
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head><body>{body}<script>{_SCRIPT}</script></body></html>\n"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{html.escape(title)}</h2>{body}</section>"


def _head(evaluation: Evaluation, metrics: dict[str, Any]) -> str:
    day = time.strftime("%d %B %Y", time.localtime(evaluation.created)).lstrip("0")
    which = "all photos"
    if evaluation.split is not None:
        which = f"the {'dataset' if evaluation.split_of_data else 'model'}'s {evaluation.split} split"
    return (
        f"<h1>{html.escape(evaluation.model)} on {html.escape(evaluation.data)}</h1>"
        f'<p class="soft">{counted(metrics["n"], "photo")} evaluated ({which}) on {day}. Created with SoleScope.</p>'
        f"<p><b>{html.escape(headline(metrics))}.</b> {html.escape(' '.join(use_lines(metrics)))}</p>"
    )


def _cards(metrics: dict[str, Any]) -> str:
    cards = "".join(
        f'<div class="card" id="{one.key}">{one.title}<b>{one.value_text}</b><div class="soft">95% interval '
        f"{one.interval_text}</div>{html.escape(one.description)}</div>"
        for one in key_metrics(metrics)
    )
    return f'<div class="cards">{cards}</div>'


def _chart(chart: Chart, width: int | None = None) -> str:
    """A figure below its finding. One of fixed width scrolls sideways on a phone."""
    chart.figure.update_layout(width=width)
    figure = chart.figure.to_html(
        full_html=False, include_plotlyjs=False, config={"displayModeBar": False, "responsive": True}
    )
    label = html.escape(chart.alt, quote=True)
    return f'<h3>{html.escape(chart.title)}.</h3><div class="wide" role="img" aria-label="{label}">{figure}</div>'


def _pairs(confusions: list[dict[str, Any]]) -> str:
    if not confusions:
        return "<p>No photo was misclassified.</p>"
    return f"<ol>{''.join(f'<li>{html.escape(pair_text(row))}</li>' for row in confusions[:_PAIRS])}</ol>"


def _class_table(per_class: dict[str, dict[str, float]]) -> str:
    keys = ("precision", "recall", "f1")
    rows = [
        (label, *(percent(row[key], 1) for key in keys), f"{row['n']:,.0f}")
        for label, row in sorted(per_class.items(), key=lambda item: (item[1]["recall"], item[0]))
    ]
    return _table(("Class", "Precision", "Recall", "F1", "Photos"), rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    def line(cells: Iterable[str], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f'<div class="wide"><table><thead>{line(head, "th")}</thead><tbody>{body}</tbody></table></div>'


def _worlds(table: pd.DataFrame) -> str:
    worlds = world_metrics(table)
    if not worlds:
        return ""
    shares = ("Top-3", "Refused", "Right when named", "Unknown class named")
    head = ("World", "Photos", "Top-1", "95% interval", *shares, "Calibration error")
    rows = [
        (
            one.world,
            f"{one.photos:,}",
            one.top1.text,
            one.top1.interval_text,
            *(share.text for share in (one.top3, one.refused, one.right_when_named, one.named_unknown)),
            percent(one.ece, 1) if one.known else "–",
        )
        for one in worlds
    ]
    return _section("Worlds", f"<p>{html.escape(worlds_sentence(worlds))}.</p>{_table(head, rows)}")


def _slices(table: pd.DataFrame) -> str:
    groups = slices(table)
    return _section("Slices", _chart(slices_chart(groups))) if len(groups) else ""


def _mistakes_title(count: int, photos: int) -> str:
    shown = f" (the {photos:,} most confident shown)" if count > photos else ""
    return f"Mistakes: {counted(count, 'photo')}{shown}"


def _photos(wrong: pd.DataFrame) -> str:
    return f'<div class="photos">{"".join(map(_photo, wrong.to_dict("records")))}</div>'


def _photo(row: dict[Any, Any]) -> str:
    picture = _thumbnail(row.get("path"))
    alt = f"{row['label']} predicted as {row['predicted']}"
    shown = (
        '<div class="none">Photo not included</div>'
        if picture is None
        else f'<img alt="{html.escape(alt, quote=True)}" src="data:image/jpeg;base64,{picture}">'
    )
    facts = [f"{percent(row['probability'])} confidence", rank_text(row["rank"])]
    if row["width"] == row["width"]:
        facts.append(f"{row['width']:.0f} × {row['height']:.0f} pixels")
    text = f"<b>{html.escape(str(row['label']))}</b> predicted as <b>{html.escape(str(row['predicted']))}</b>"
    return (
        f'<figure class="photo">{shown}<figcaption>{text}: {", ".join(facts)}. <code>{row["sample"]}</code>'
        "</figcaption></figure>"
    )


def _thumbnail(path: Any) -> str | None:
    """A thumbnail of a photo as a base64 JPEG; None if it can't be read."""
    if not isinstance(path, str):
        return None
    try:
        picture = images.load(Path(path), shrink_to=2 * _THUMBNAIL)
    except ImageError:
        return None
    picture.thumbnail((_THUMBNAIL, _THUMBNAIL))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return base64.b64encode(buffer.getvalue()).decode()


def _remarks(evaluation: Evaluation, metrics: dict[str, Any]) -> str:
    rejected = [f"could not be read: {Path(path).name}: {reason}" for path, reason in evaluation.rejected.items()]
    remarks = [*unknown_class_lines(metrics), *renamed_class_lines(evaluation.renamed), *rejected]
    if not remarks:
        return ""
    return _section("Not evaluated", f"<ul>{''.join(f'<li>{html.escape(remark)}</li>' for remark in remarks)}</ul>")
