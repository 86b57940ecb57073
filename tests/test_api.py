"""The JSON API over real HTTP: a real server on a loopback port, real uploads."""

import contextlib
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sneaker_core.api.api_routes import routes
from sneaker_core.api.hang_ups import HangUps
from sneaker_core.errors import BusyError, CheckpointError
from sneaker_core.images import Photo
from sneaker_core.inference.explanation.explain_photos import explain_bytes
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest, Method
from sneaker_core.inference.model_service import BoundedQueue, ModelShelf, shared_queue, slow_queue
from sneaker_core.inference.predictor import predict_bytes
from sneaker_core.inference.same_sneaker import predict_same
from sneaker_core.networks.checkpoint import MODEL_FILE, load_model
from sneaker_core.networks.model_registry import model_version
from sneaker_core.settings import ApiSettings, ServiceLimits
from tests.api_server import jpeg, serving
from tests.conftest import CLASSES
from tests.factories import slow_photo


@pytest.fixture(scope="module")
def client(workspace: Path) -> Iterator[httpx.Client]:
    """A client of a server that serves only the API."""
    with (
        serving(Starlette(routes=routes(workspace, ApiSettings(photos_per_minute=0))), log_level="error") as address,
        httpx.Client(base_url=address, timeout=60) as opened,
    ):
        yield opened


def test_health(client: httpx.Client) -> None:
    answer = client.get("/api/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


def test_models(client: httpx.Client) -> None:
    names = [entry["name"] for entry in client.get("/api/models").json()]
    assert "tiny" in names


def test_predict_gives_what_the_core_gives(client: httpx.Client, tiny_model_folder: Path) -> None:
    photo = jpeg()
    answer = client.post("/api/predict", params={"model": "tiny", "top": 2}, files={"file": ("a.jpg", photo)})
    assert answer.status_code == 200
    expected = predict_bytes(load_model(tiny_model_folder), "a.jpg", photo, 2).to_dict()
    assert {**answer.json(), "ms": 0} == {**expected, "ms": 0}


def test_photos_of_one_sneaker_get_one_answer(client: httpx.Client, tiny_model_folder: Path) -> None:
    photos = [Photo("a.jpg", jpeg()), Photo("b.jpg", jpeg(color="navy")), Photo("c.jpg", b"no photo")]
    files = [("file", (photo.name, photo.data)) for photo in photos]
    answer = client.post("/api/predict", params={"model": "tiny", "same_sneaker": 1}, files=files)
    assert answer.status_code == 200
    expected = predict_same(load_model(tiny_model_folder), photos)
    together = {**answer.json(), "ms": 0}
    assert [photo["image"] for photo in together.pop("photos")] == ["a.jpg", "b.jpg", "c.jpg"]
    assert together == {**expected.to_dict(), "ms": 0}


def test_one_answer_to_unreadable_photos_is_422(client: httpx.Client) -> None:
    answer = client.post("/api/predict?model=tiny&same_sneaker=yes", files={"file": ("a.jpg", jpeg())})
    assert (answer.status_code, answer.json()["error"]) == (422, "same_sneaker is 'yes'; it must be 0 or 1.")
    unreadable = client.post("/api/predict?model=tiny&same_sneaker=1", files={"file": ("a.jpg", b"no photo")})
    assert (unreadable.status_code, unreadable.json()["status"]) == (422, "error")


@pytest.mark.parametrize("data", [b"", b"no photo at all", jpeg()[:200]])
def test_a_photo_that_cannot_be_read_is_422(client: httpx.Client, data: bytes) -> None:
    answer = client.post("/api/predict", params={"model": "tiny"}, files={"file": ("bad.jpg", data)})
    assert answer.status_code == 422
    assert answer.json()["status"] == "error"
    assert answer.json()["error"].endswith(".")


@pytest.mark.parametrize("top", ["0", "11", "many", "-1", "1.5", ""])
def test_a_wrong_top_is_422(client: httpx.Client, top: str) -> None:
    answer = client.post("/api/predict", params={"model": "tiny", "top": top}, files={"file": ("a.jpg", jpeg())})
    assert answer.status_code == 422
    assert "top" in answer.json()["error"]


def test_an_unknown_model_is_404(client: httpx.Client) -> None:
    answer = client.post("/api/predict", params={"model": "nope"}, files={"file": ("a.jpg", jpeg())})
    assert answer.status_code == 404
    assert "nope" in answer.json()["error"]


@pytest.mark.parametrize("name", ["..", "../../etc", "/etc", "a/b", "\u0000", "x" * 5000])
def test_a_model_is_asked_for_by_name_never_by_path(client: httpx.Client, name: str) -> None:
    answer = client.post("/api/predict", params={"model": name}, files={"file": ("a.jpg", jpeg())})
    assert answer.status_code == 404


def test_a_folder_is_no_model_name_over_http(client: httpx.Client, tiny_model_folder: Path) -> None:
    answer = client.post("/api/predict", params={"model": str(tiny_model_folder)}, files={"file": ("a.jpg", jpeg())})
    assert answer.status_code == 404


def test_an_unknown_route_is_404_in_json(client: httpx.Client) -> None:
    answer = client.get("/api/nothing")
    assert answer.status_code == 404
    assert "error" in answer.json()


def test_a_request_without_a_file_is_400(client: httpx.Client) -> None:
    answer = client.post("/api/predict", params={"model": "tiny"}, data={"file": "text"}, files={"other": b"x"})
    assert answer.status_code == 400
    assert "file" in answer.json()["error"]


def test_a_request_that_is_no_upload_is_415(client: httpx.Client) -> None:
    assert client.post("/api/predict", params={"model": "tiny"}, content=jpeg()).status_code == 415
    assert client.post("/api/predict", params={"model": "tiny"}, data={"file": "x"}).status_code == 415


def test_a_broken_multipart_body_is_400(client: httpx.Client) -> None:
    kind = {"content-type": "multipart/form-data; boundary=x"}
    for body, headers in ((b"garbage", kind), (b"", {"content-type": "multipart/form-data"})):
        answer = client.post("/api/predict", params={"model": "tiny"}, content=body, headers=headers)
        assert answer.status_code == 400
        assert "error" in answer.json()


def test_200_megabytes_are_refused_before_they_are_sent(client: httpx.Client) -> None:
    """The content length is enough: no byte of the body is sent."""
    url = client.base_url
    with socket.create_connection((url.host, url.port or 80)) as connection:
        connection.sendall(
            b"POST /api/predict?model=tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 200000000\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        )
        connection.settimeout(30)
        said = ""
        while "}" not in said:
            said += connection.recv(65536).decode()
    assert " 413 " in said.splitlines()[0]
    assert json.loads(said[said.index("{") :])["error"] == (
        "The request is too large: a photo may have 20 MB, and all together 60 MB."
    )


def test_an_upload_of_unknown_length_is_cut_off_at_the_cap(client: httpx.Client) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        for _ in range(80):
            sent += 1_000_000
            yield bytes(1_000_000)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    try:
        answer = client.post("/api/predict", params={"model": "tiny"}, content=body(), headers=headers)
    except httpx.TransportError:
        # The server may close the connection while the client is still sending.
        assert sent > 60_000_000
    else:
        assert answer.status_code == 413


def test_many_at_once_all_get_the_same_answer(client: httpx.Client) -> None:
    def ask(_: int) -> httpx.Response:
        return client.post("/api/predict", params={"model": "tiny"}, files={"file": ("a.jpg", jpeg())})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(24)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({json.dumps(answer.json()["top"]) for answer in answers}) == 1


def test_a_full_queue_is_reported_and_empties_again() -> None:
    queue = BoundedQueue(ServiceLimits(max_waiting=2))
    gate = threading.Event()
    first, second = queue.submit(gate.wait, 30), queue.submit(lambda: "second")
    with pytest.raises(BusyError, match="waiting"):
        queue.submit(lambda: "third")
    gate.set()
    assert (first.result(10), second.result(10)) == (True, "second")
    assert queue.submit(lambda: "fourth").result(10) == "fourth"
    queue.close()


def test_an_error_in_the_queue_reaches_the_caller_and_frees_its_place() -> None:
    queue = BoundedQueue(ServiceLimits(max_waiting=1))
    for _ in range(3):
        failing = queue.submit(lambda: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            failing.result(10)
    queue.close()


def test_a_damaged_model_is_503(client: httpx.Client, workspace: Path, tiny_model_folder: Path) -> None:
    damaged = workspace / "runs" / "damaged" / "model"
    damaged.mkdir(parents=True)
    (damaged / MODEL_FILE).write_bytes((tiny_model_folder / MODEL_FILE).read_bytes())
    (damaged / "weights.safetensors").write_bytes(b"not the weights")
    answer = client.post("/api/predict", params={"model": "damaged"}, files={"file": ("a.jpg", jpeg())})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "damaged" in answer.json()["error"]


def test_the_model_cache_loads_a_model_once_and_again_after_a_change(workspace: Path) -> None:
    shelf, folder = ModelShelf(), workspace / "runs" / "tiny" / "model"
    first = shelf.load(folder)
    assert shelf.load(folder) is first
    description = folder / MODEL_FILE
    description.write_bytes(description.read_bytes())
    assert shelf.load(folder) is not first


def test_a_model_that_goes_between_finding_and_loading_is_reported() -> None:
    with pytest.raises(CheckpointError, match=r"has no model\.json"):
        model_version(Path("nowhere"))


def test_explain_gives_the_picture_that_the_core_gives(client: httpx.Client, tiny_model_folder: Path) -> None:
    model, photo = load_model(tiny_model_folder), jpeg((300, 200))
    asked = {"target": CLASSES[1], "versus": CLASSES[2], "opacity": "0.7", "method": "guided_gradcam"}
    answer = client.post("/api/explain", params={"model": "tiny", **asked}, files={"file": ("a.jpg", photo)})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    assert unquote(answer.headers["x-target"]) == CLASSES[1]
    request = ExplanationRequest(CLASSES[1], CLASSES[2], Method.GUIDED_GRADCAM, opacity=0.7)
    assert answer.content == explain_bytes(model, "a.jpg", photo, request).png()


def test_explain_names_the_class_it_chose(client: httpx.Client) -> None:
    photo = jpeg()
    best = client.post("/api/predict", params={"model": "tiny"}, files={"file": ("a.jpg", photo)}).json()["top"][0]
    answer = client.post("/api/explain", params={"model": "tiny"}, files={"file": ("a.jpg", photo)})
    assert unquote(answer.headers["x-target"]) == best["label"]


def test_the_picture_of_a_huge_photo_is_not_huge(client: httpx.Client) -> None:
    answer = client.post("/api/explain", params={"model": "tiny"}, files={"file": ("a.jpg", jpeg((4000, 1000)))})
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (1600, 400)


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ({"model": "nope"}, 404, "nope"),
        ({"model": "../.."}, 404, "No model named"),
        ({"target": "Air Nothing"}, 422, "no class 'Air Nothing'"),
        ({"versus": "Air Nothing"}, 422, "no class 'Air Nothing'"),
        ({"method": "magic"}, 422, "Available methods: gradcam, "),
        ({"layer": "nowhere"}, 422, "No layer named 'nowhere'"),
        ({"method": "occlusion", "layer": "features.6"}, 422, "doesn't use a layer"),
        ({"opacity": "2"}, 422, "from 0 to 1"),
        ({"opacity": "nan"}, 422, "from 0 to 1"),
        ({"opacity": "much"}, 422, "must be a number"),
        ({"opacity": ""}, 422, "must be a number"),
    ],
)
def test_explain_reports_invalid_requests(client: httpx.Client, asked: dict[str, str], code: int, said: str) -> None:
    answer = client.post("/api/explain", params={"model": "tiny", **asked}, files={"file": ("a.jpg", jpeg())})
    assert answer.status_code == code
    assert set(answer.json()) == {"error"}
    assert said in answer.json()["error"]


def test_explain_fails_as_predict_does(client: httpx.Client) -> None:
    params = {"model": "tiny"}
    for data in (b"", b"no photo at all", jpeg()[:200]):
        answer = client.post("/api/explain", params=params, files={"file": ("bad.jpg", data)})
        assert (answer.status_code, answer.json()["error"][-1]) == (422, ".")
    assert client.post("/api/explain", params=params, content=jpeg()).status_code == 415
    assert client.post("/api/explain", params=params, files={"other": b"x"}).status_code == 400
    assert client.post("/api/explain", params=params, files={"file": ("a.jpg", bytes(20_100_000))}).status_code == 413
    assert client.get("/api/explain").status_code == 405


def test_a_full_queue_is_429_and_says_when_to_try_again(client: httpx.Client) -> None:
    gate, waiting = threading.Event(), []
    try:
        with contextlib.suppress(BusyError):
            while True:
                waiting.append(shared_queue().submit(gate.wait))
        for route in ("/api/predict", "/api/explain"):
            answer = client.post(route, params={"model": "tiny"}, files={"file": ("a.jpg", jpeg())})
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
    finally:
        gate.set()
    assert all(future.result(60) for future in waiting)


def test_slow_explanations_wait_in_a_queue_of_their_own(client: httpx.Client) -> None:
    gate, waiting = threading.Event(), []
    try:
        with contextlib.suppress(BusyError):
            while True:
                waiting.append(slow_queue().submit(gate.wait))
        codes = {}
        for method in ("gradcam", "guided_gradcam", "integrated_gradients", "occlusion"):
            params = {"model": "tiny", "method": method}
            codes[method] = client.post("/api/explain", params=params, files={"file": ("a.jpg", jpeg())}).status_code
    finally:
        gate.set()
    assert codes == {"gradcam": 200, "guided_gradcam": 200, "integrated_gradients": 429, "occlusion": 429}
    assert all(future.result(60) for future in waiting)
    params = {"model": "tiny", "method": "occlusion"}
    assert client.post("/api/explain", params=params, files={"file": ("a.jpg", jpeg())}).status_code == 200


# --- slow photos, and clients that leave ----------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["/api/predict", "/api/explain"])
def test_a_slow_photo_holds_up_no_other(client: httpx.Client, route: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(data: bytes) -> httpx.Response:
        return client.post(route, params={"model": "tiny"}, files={"file": ("a", data)})

    monkeypatch.setenv("SOLESCOPE_MAX_MEGAPIXELS", "1000")
    monkeypatch.setenv("SOLESCOPE_MAX_DECODE_SECONDS", "4")
    ask(jpeg())
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask, slow_photo())
        time.sleep(0.2)  # until it is being decoded; the test holds without, but shows less
        assert [ask(jpeg()).status_code for _ in range(3)] == [200] * 3
        assert not slow.done()
        answer = slow.result(60)
    assert answer.status_code == 422
    assert answer.json()["error"] == "The photo takes too long to decode; the limit is 4 seconds."


def test_many_hostile_photos_leave_the_server_as_it_was(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLESCOPE_MAX_MEGAPIXELS", "1000")
    monkeypatch.setenv("SOLESCOPE_MAX_DECODE_SECONDS", "0.2")

    def ask(data: bytes) -> int:
        return client.post("/api/predict", params={"model": "tiny"}, files={"file": ("a", data)}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, [slow_photo()] * 8)) == {422}
    monkeypatch.undo()
    assert ask(jpeg()) == 200
    assert shared_queue().wait_until_idle()


def form(data: bytes, length: int) -> bytes:
    """A request with an upload, up to so many of its bytes."""
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n' + data + b"\r\n--x--\r\n"
    head = f"Host: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body[:length]


async def upload(request: Request) -> Response:
    """Read a form as the page's file uploader does."""
    await request.form()
    return Response(b"read")


@pytest.mark.parametrize("route", ["/api/predict?model=tiny", "/api/explain?model=tiny", "/upload"])
def test_a_client_that_hangs_up_leaves_nothing_in_the_log(
    workspace: Path, route: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It leaves before the body, in its head, in the photo, or with everything sent but before the answer."""
    handled = threading.Semaphore(0)

    class Watched:
        """Counts the requests that have been handled."""

        def __init__(self, app: object) -> None:
            self.app = app

        async def __call__(self, scope: object, receive: object, send: object) -> None:
            try:
                await self.app(scope, receive, send)
            finally:
                handled.release()

    paths = [*routes(workspace), Route("/upload", upload, methods=["POST"])]
    app = Watched(Starlette(routes=paths, middleware=[Middleware(HangUps)]))
    with serving(app, log_config=None, lifespan="off") as address:
        url = httpx.URL(address)
        for sent in (0, 10, 150, 10_000):
            with socket.create_connection((url.host, url.port or 80)) as connection:
                connection.sendall(f"POST {route} HTTP/1.1\r\n".encode() + form(jpeg(), sent))
            assert handled.acquire(timeout=30)
    assert [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []
