"""Decoding of photos from outside: a slow or hostile photo costs its own answer and no other."""

import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from sneaker_core import images
from sneaker_core.datasets.index import create_index, read_samples
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.decoding.decoder_messages import Message, read_message, write_message
from sneaker_core.decoding.decoder_process import DecoderProcess
from sneaker_core.decoding.photo_decoder import PhotoDecoder, decode, decode_photo, load, shared_decoder
from sneaker_core.errors import BusyError, ImageError, SlowImageError
from sneaker_core.inference.explanation.explain_photos import explain_bytes, explain_files
from sneaker_core.inference.predictor import predict_bytes, predict_file
from sneaker_core.settings import ImageLimits, ServiceLimits
from tests.factories import PROJECT, jpeg, photo, slow_photo, write
from ui.kit import photo_previews

LIMITS = ImageLimits.from_environment()
# The slow photo has more pixels than a photo may have.
PATIENT = ImageLimits(max_bytes=10**7, max_pixels=10**9, max_seconds=600)
HURRIED = ImageLimits(max_bytes=10**7, max_pixels=10**9, max_seconds=1)
TOO_LONG = "The photo takes too long to decode; the limit is 1 second."
GOOD = jpeg(photo(0))

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


@pytest.fixture
def decoder() -> Iterator[PhotoDecoder]:
    made = PhotoDecoder(2)
    yield made
    made.close()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of `HURRIED`, for all that read them from the environment."""
    monkeypatch.setenv("SOLESCOPE_MAX_MEGAPIXELS", "1000")
    monkeypatch.setenv("SOLESCOPE_MAX_DECODE_SECONDS", "1")


def processes(decoder: PhotoDecoder) -> list[DecoderProcess]:
    """The processes that wait for a photo."""
    return list(decoder._idle)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.is_file() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def eventually(happened: Callable[[], bool]) -> bool:
    """Whether something happens within a minute, which is far more than it needs."""
    deadline = time.monotonic() + 60
    while not (done := happened()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return done


# --- the same results and errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "GIF", "BMP"])
@pytest.mark.parametrize("shrink_to", [None, 64])
def test_a_photo_is_the_same_as_if_decoded_here(kind, shrink_to):
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"exif": exif} if kind in ("JPEG", "PNG", "WebP") else {}
    photo(1, (600, 400)).save(stream, kind, **options)
    expected, found = (do(stream.getvalue(), LIMITS, shrink_to=shrink_to) for do in (images.decode_photo, decode_photo))
    assert found.image.tobytes() == expected.image.tobytes()
    assert (found.image.size, found.image.mode, found.image.info) == (expected.image.size, "RGB", {})
    assert (found.width, found.height, found.extension) == (expected.width, expected.height, expected.extension)


BAD = {
    "empty": b"",
    "no photo": b"no photo at all",
    "truncated": GOOD[: len(GOOD) // 2],
    "too many pixels": slow_photo(),
    "too many scans": GOOD[:2] + b"\xff\xda\x00\x02" * 101 + GOOD[2:],
    "too many bytes": bytes(20_000_001),
}


@pytest.mark.parametrize("name", BAD)
def test_an_error_is_the_same_as_if_decoded_here(name, tmp_path):
    said = []
    path = write(tmp_path / "photo", BAD[name])
    for call in (
        lambda: images.decode(BAD[name]),
        lambda: decode(BAD[name]),
        lambda: images.load(path),
        lambda: load(path),
    ):
        with pytest.raises(ImageError) as caught:
            call()
        said.append((type(caught.value), str(caught.value)))
    assert len(set(said)) == 1


# --- slow photos, and processes that end ----------------------------------------------------------------------------


def test_a_photo_that_takes_too_long_is_refused_and_its_process_replaced(decoder):
    decoder.decode_photo(GOOD)
    (before,) = processes(decoder)
    with pytest.raises(SlowImageError) as caught:
        decoder.decode_photo(slow_photo(), HURRIED)
    assert str(caught.value) == TOO_LONG
    assert processes(decoder) == [] and not before.usable
    assert decoder.decode_photo(GOOD).image.size == (64, 48)
    assert processes(decoder)[0].pid != before.pid


def test_others_are_decoded_while_a_slow_one_is(decoder):
    with ThreadPoolExecutor(1) as pool:
        decoder.decode_photo(GOOD)
        slow = pool.submit(decoder.decode_photo, slow_photo(), replace(HURRIED, max_seconds=3))
        assert eventually(lambda: processes(decoder) == [])
        decoder.decode_photo(GOOD)
        assert not slow.done()
        with pytest.raises(SlowImageError):
            slow.result(60)


@posix
def test_a_good_photo_gets_another_chance_if_its_process_was_ended(decoder):
    decoder.decode_photo(GOOD)
    (process,) = processes(decoder)
    os.kill(process.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(decoder.decode_photo, GOOD, PATIENT)
        assert eventually(lambda: processes(decoder) == [])
        assert not waiting.done()
        os.kill(process.pid, signal.SIGKILL)
        assert waiting.result(60).image.size == (64, 48)


def test_a_process_that_ended_while_idle_is_replaced(decoder):
    decoder.decode_photo(GOOD)
    (process,) = processes(decoder)
    process._process.kill()
    process._process.wait()
    assert decoder.decode_photo(GOOD).image.size == (64, 48)
    assert processes(decoder)[0].pid != process.pid


def test_a_photo_that_crashes_its_process_twice_is_damaged(decoder):
    """A limit of the wrong type stands for a photo that crashes the decoder: none is known."""
    crashing = ImageLimits(10**6, 10**6, max_scans="many")
    with pytest.raises(ImageError, match=images.DAMAGED):
        decoder.decode_photo(GOOD, crashing)
    assert processes(decoder) == []
    assert decoder.decode_photo(GOOD).image.size == (64, 48)


@posix
def test_ctrl_c_ends_the_command_and_not_its_decoders(decoder):
    decoder.decode_photo(GOOD)
    (process,) = processes(decoder)
    os.kill(process.pid, signal.SIGINT)
    decoder.decode_photo(GOOD)
    assert processes(decoder) == [process]


def test_a_process_that_cannot_be_started_is_reported(monkeypatch, tmp_path):
    for executable in (str(tmp_path / "nothing"), "/bin/true" if os.name == "posix" else "where"):
        monkeypatch.setattr(sys, "executable", executable)
        with pytest.raises(BusyError, match="can't be started"):
            PhotoDecoder(1).decode_photo(GOOD)


@pytest.mark.parametrize(
    "said",
    [b"", b"{", b"{}", b"garbage\n", b'{"bytes": 3}\nab', b'{"bytes": -1}\nab', b'{"bytes": 1000}\n' + bytes(1000)],
)
def test_of_a_process_that_talks_nonsense_nothing_is_believed(said):
    with_answer = None
    try:
        with_answer = read_message(io.BytesIO(said), most=100)
    except (ValueError, KeyError) as error:
        assert not isinstance(error, UnicodeError)
    assert with_answer is None


def test_messages_come_as_they_were_sent():
    stream = io.BytesIO()
    for body in (b"", b"\n{}\n", bytes(100_000)):
        write_message(stream, Message({"a": [1, "\n"]}, body))
    stream.seek(0)
    assert [read_message(stream).body for _ in range(3)] == [b"", b"\n{}\n", bytes(100_000)]
    assert read_message(stream) is None


# --- no process is left behind --------------------------------------------------------------------------------------

# Decodes without the guard that a module needs under multiprocessing, then does what it is told.
SCRIPT = """
import sys, threading, time
from pathlib import Path
from sneaker_core.decoding import photo_decoder
decoder = photo_decoder.shared_decoder()
data = Path(sys.argv[1]).read_bytes()
photo_decoder.decode(Path(sys.argv[2]).read_bytes())
print(decoder._idle[0].pid, flush=True)
if sys.argv[3] == "busy":
    threading.Thread(target=photo_decoder.decode, args=[data], daemon=True).start()
if sys.argv[3] != "ends":
    time.sleep(600)
"""


@pytest.mark.parametrize("then", ["ends", "idle", "busy"])
def test_no_process_outlives_the_one_that_started_it(then, tmp_path):
    files = [write(tmp_path / "slow", slow_photo()), write(tmp_path / "good", GOOD)]
    script = write(tmp_path / "script.py", SCRIPT.encode())
    limits = {"SOLESCOPE_MAX_MEGAPIXELS": "1000", "SOLESCOPE_MAX_DECODE_SECONDS": "2"}
    command = [sys.executable, str(script), *map(str, files), then]
    environment = {**os.environ, **limits, "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as parent:
        pid = int(parent.stdout.readline())
        if then == "ends":
            assert parent.communicate(timeout=60) == (b"", b"")
        elif then == "busy":  # it has begun: its processor time grows
            eventually(lambda: _seconds_of(pid) > 0.5)
        parent.kill()
    assert eventually(lambda: not is_running(pid))


def _seconds_of(pid: int) -> float:
    status = Path(f"/proc/{pid}/stat")
    if not status.is_file():
        return 1.0
    return sum(map(int, status.read_text().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def test_a_decoder_imports_nothing_heavy():
    code = "import sneaker_core.decoding.decoder_worker, sys; print(sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    heavy = ("torch", "numpy", "pandas", "scipy", "streamlit", "starlette", "pillow_heif")
    assert [name for name in heavy if f"'{name}'" in found.stdout] == []


# --- every door -----------------------------------------------------------------------------------------------------


def test_whoever_opens_a_slow_photo_is_told_so(hurried, tiny_model, tmp_path):
    data = slow_photo()
    path = write(tmp_path / "slow.bmp", data)
    answers = [predict_bytes(tiny_model, "slow", data), predict_file(tiny_model, path)]
    assert [answer.error for answer in answers] == [TOO_LONG] * 2
    with pytest.raises(SlowImageError, match="too long"):
        explain_bytes(tiny_model, "slow", data)
    files = [path, write(tmp_path / "good.jpg", GOOD)]
    assert [found.error for found in explain_files(tiny_model, files)] == [TOO_LONG, None]
    with pytest.raises(SlowImageError, match="too long"):
        photo_previews.preview(images.Photo("slow", data))


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_an_import_names_the_slow_photo_and_goes_on(hurried, packed, tmp_path):
    source = tmp_path / "photos"
    write(source / "boot" / "0 slow.bmp", slow_photo())
    for seed in range(5):
        write(source / "boot" / f"{seed + 1}.jpg", jpeg(photo(seed)))
    if packed:
        source = Path(shutil.make_archive(str(source), "zip", source))
    dataset = create_index(tmp_path / "shoes", "Shoes")
    result = import_photos(dataset, source)
    assert (result.added, result.rejected) == (5, {"boot/0 slow.bmp": TOO_LONG})
    assert len(read_samples(dataset)) == 5


def test_all_threads_share_the_decoders():
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: shared_decoder(), range(32)))) == 1
        assert {image.size for image in pool.map(lambda _: decode(GOOD), range(32))} == {(64, 48)}
    assert 1 <= len(processes(shared_decoder())) <= ServiceLimits.from_environment().decoders
    assert threading.active_count() < 100
