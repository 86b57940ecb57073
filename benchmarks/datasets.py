"""Measure importing, scanning and page reruns: run ``python -m benchmarks.datasets`` in the project folder.

Uses the photos of ``SOLESCOPE_REAL_DATA`` (``sneakers40/<class>/*``) or synthetic ones. Rates depend on the machine
and its load: compare them only within one run.
"""

import contextlib
import io
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from sneaker_core.datasets.dataset_collection import create_dataset
from sneaker_core.datasets.index import Dataset, open_index, read_samples
from sneaker_core.datasets.quality.photo_embeddings import embed_photos
from sneaker_core.datasets.quality.scan import scan
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.datasets.synthetic.sample_plan import generate_photos
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.model_registry import open_model

PROJECT = Path(__file__).resolve().parent.parent
EMBEDDED = 400
MANY = 100_000
SECTIONS = ("Overview", "Photos", "Findings", "Map", "Splits", "History", "Export")


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def photos(folder: Path) -> Path:
    """Return a folder of photos in the layout <class>/*."""
    real = os.environ.get("SOLESCOPE_REAL_DATA")
    if real:
        return Path(real) / "sneakers40"
    for photo in generate_photos(150):
        path = folder / photo.label / photo.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo.data)
    return folder


def cleanvision_seconds(folder: Path) -> float:
    """Time cleanvision on the same photos with its defaults; it reads the files itself."""
    from cleanvision import Imagelab

    def check() -> None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            Imagelab(data_path=str(folder)).find_issues()

    return seconds(check)


def many_rows(workspace: Path) -> Dataset:
    """Create an index of a hundred thousand rows without photos."""
    dataset = create_dataset(workspace, "many")
    with dataset.changing() as db:
        db.executemany("INSERT INTO classes VALUES (?, ?, ?)", [(n, f"Class {n}", f"c{n}") for n in range(40)])
        db.executemany(
            "INSERT INTO samples VALUES (?, ?, ?, ?, ?, 0, NULL, 300, 200, 12345, 0)",
            [(f"{n:016x}", f"c{n % 40}/{n:016x}.jpg", f"photo-{n}.jpg", n % 40, n % 40) for n in range(MANY)],
        )
    return dataset


def rerun_seconds(workspace: Path, section: str) -> float:
    """Return the median time of page reruns in which nothing changed."""
    os.environ["SOLESCOPE_WORKSPACE"] = str(workspace)
    page = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=120)
    page.switch_page("pages/datasets.py")
    page.query_params["section"] = section
    page.run()
    page.run()
    if page.exception:
        raise SystemExit(f"The page failed in {section}: {page.exception[0].message}")
    return statistics.median(seconds(page.run) for _ in range(5))


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        source = photos(Path(temporary) / "photos")
        workspace = Path(temporary) / "workspace"
        dataset = create_dataset(workspace, "photos")
        importing = seconds(lambda: import_photos(dataset, source))
        samples = read_samples(dataset)
        again = seconds(lambda: import_photos(dataset, source))
        scanning = seconds(lambda: scan(dataset, None))
        other = cleanvision_seconds(source)
        model = open_model(workspace, DEFAULT_MODEL)
        chosen = list(samples["path"].sample(min(EMBEDDED, len(samples)), random_state=0))
        list(embed_photos(model, chosen[:16]))
        embedding = seconds(lambda: list(embed_photos(model, chosen)))
        whole = seconds(lambda: scan(dataset, model))
        reruns = {section: rerun_seconds(workspace, section) for section in SECTIONS}
        rows = many_rows(workspace / "many")
        opening = min(seconds(lambda: read_samples(open_index(rows.folder))) for _ in range(3))
    count = len(samples)
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {count} photos\n")
    print("| what | figure | target |\n| --- | --- | --- |")
    print(f"| import | {count / importing:.0f} photos/s | 150 photos/s |")
    print(f"| import again, nothing new | {count / again:.0f} photos/s | |")
    print(f"| scan without embeddings | {scanning:.1f} s | 90 s for 10,500 |")
    print(f"| cleanvision on the same photos | {other:.1f} s: {other / scanning:.1f} times as long | twice |")
    print(f"| … compared with import and scan together | {other / (importing + scanning):.1f} times as long | |")
    print(f"| embeddings | {len(chosen) / embedding:.0f} photos/s | 40 photos/s |")
    print(f"| scan with embeddings and map, the rest already done | {whole:.0f} s | |")
    for section, rerun in reruns.items():
        print(f"| page rerun, {section} | {rerun:.2f} s | 0.5 s |")
    print(f"| open an index of {MANY:,} rows | {opening:.2f} s | 1 s |")


if __name__ == "__main__":
    main()
