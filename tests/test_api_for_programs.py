"""What the API offers to programs beyond one photo: several, base64, models, the catalog, tags, origins and a limit."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from starlette.applications import Starlette

from sneaker_core.__main__ import main
from sneaker_core.api.api_routes import routes
from sneaker_core.api.rate_limit import TokenBuckets
from sneaker_core.api.request_bodies import MOST_PHOTOS
from sneaker_core.catalog.lookup import read_catalog
from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.model_facts import described_models, model_facts
from sneaker_core.phone.access import access_middleware
from sneaker_core.settings import AccessSettings, ApiSettings
from tests.api_server import jpeg, open_to, serving

PAGE = "http://localhost:9000"


@pytest.fixture(scope="module")
def client(workspace: Path) -> Iterator[httpx.Client]:
    """A client of a server that lets the pages of one website in."""
    app = open_to(PAGE, workspace)
    with serving(app, log_level="error") as address, httpx.Client(base_url=address, timeout=60) as opened:
        yield opened


def base64_of(photo: bytes) -> str:
    return base64.b64encode(photo).decode()


def predict(client: httpx.Client, **request: object) -> httpx.Response:
    return client.post("/api/predict", params={"model": "tiny"}, **request)


def test_several_files_get_answers_in_order_and_a_bad_one_harms_no_other(client: httpx.Client) -> None:
    photos = {"a.jpg": jpeg(), "b.txt": b"no photo", "c.jpg": jpeg(color="navy")}
    answer = predict(client, files=[("file", item) for item in photos.items()])
    assert answer.status_code == 200
    answers = answer.json()["answers"]
    assert [one["image"] for one in answers] == list(photos)
    assert [one["status"] == "error" for one in answers] == [False, True, False]
    alone = predict(client, files={"file": ("c.jpg", photos["c.jpg"])}).json()
    assert {**answers[2], "ms": 0} == {**alone, "ms": 0}
    unreadable = predict(client, files=[("file", ("b.txt", b"no photo"))] * 2)
    assert (unreadable.status_code, len(unreadable.json()["answers"])) == (422, 2)


def test_photos_in_base64_get_the_answers_of_files(client: httpx.Client) -> None:
    as_file = predict(client, files={"file": ("a.jpg", jpeg())}).json()
    one = {"photo": base64_of(jpeg()), "name": "a.jpg"}
    alone, listed = predict(client, json=one), predict(client, json={"photos": [one]})
    assert {**alone.json(), "ms": 0} == {**as_file, "ms": 0} == {**listed.json()["answers"][0], "ms": 0}
    explained = [
        client.post("/api/explain?model=tiny", **body)
        for body in ({"json": one}, {"files": {"file": ("a.jpg", jpeg())}})
    ]
    assert explained[0].content == explained[1].content
    same = client.post("/api/predict?model=tiny&same_sneaker=1", json={"photos": [one, one]}).json()
    assert same["roles"] == ["counted", "copy"]


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({}, 422, "required field 'photo'"),
        ({"photo": "https://example.com/shoe.jpg"}, 422, "photo: invalid base64"),
        ({"photo": "data:image/jpeg;base64,AAAA"}, 422, "photo: invalid base64"),
        ({"url": "https://example.com/shoe.jpg"}, 422, "unknown field 'url'"),
        ({"photo": 3}, 422, "photo: expected 'str', got 'int'"),
        ({"photos": []}, 422, "photos: expected 'array' of length >= 1"),
        ({"photos": "no list"}, 422, "photos: expected 'array'"),
        ({"photos": [{"photo": "AAAA"}] * (MOST_PHOTOS + 1)}, 422, "more than 10 photos"),
        ([], 422, "expected 'object', got 'array'"),
        ('{"photo": ' + "[" * 100_000, 400, "isn't complete JSON"),
        ('{"photo": "AAAA"', 400, "isn't complete JSON"),
        ('{"photo": "AAAA", "name": "\\ud800"}', 400, "isn't complete JSON"),
        (b'{"photo": "AAAA", "name": "\xff"}', 400, "isn't complete JSON"),
    ],
)
def test_json_that_does_not_fit_is_explained(client: httpx.Client, body: object, code: int, said: str) -> None:
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    for route in ("predict", "explain"):
        if said == "more than 10 photos" and route == "explain":
            continue  # it takes one photo only, so `photos` is unknown
        sent = client.post(f"/api/{route}?model=tiny", content=content, headers={"content-type": "application/json"})
        assert sent.status_code == code
        assert set(sent.json()) == {"error"}
        if "photos" not in str(body) or route == "predict":
            assert said in sent.json()["error"]


def test_too_many_files_and_foreign_parts_are_refused(client: httpx.Client) -> None:
    many = predict(client, files=[("file", (f"{number}.jpg", b"x")) for number in range(MOST_PHOTOS + 5)])
    assert (many.status_code, many.json()["error"].partition(".")[0]) == (
        422,
        "There are more than 10 photos in the request",
    )
    assert client.post("/api/explain?model=tiny", files=[("file", jpeg())] * 2).status_code == 422
    foreign = predict(client, files={"file": jpeg()}, data={"top": "5"})
    assert (foreign.status_code, "no part 'top'" in foreign.json()["error"]) == (422, True)


def test_a_name_of_half_characters_does_not_break_the_answer(client: httpx.Client) -> None:
    for charset, name in (("unicode_escape", rb"\ud800.jpg"), ("idna", b"xn--a.jpg")):
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n\r\n'
        headers = {"content-type": f"multipart/form-data; charset={charset}; boundary=x"}
        answer = predict(client, content=head + jpeg() + b"\r\n--x--\r\n", headers=headers)
        assert answer.status_code in (200, 400), answer.text


def test_a_large_json_body_is_refused_while_it_arrives(client: httpx.Client) -> None:
    refused = predict(client, json={"photo": "A" * 30_000_000})
    assert refused.status_code == 413
    assert refused.json()["error"] == "The photo is larger than 20 MB."


def test_a_refused_request_is_read_to_its_end_so_that_the_error_arrives(client: httpx.Client) -> None:
    for _ in range(5):
        answer = client.post("/api/predict?tpo=3", files={"file": bytes(15_000_000)})
        assert answer.json()["error"] == "There is no parameter 'tpo'. Parameters: model, top, same_sneaker."
    assert (
        client.post("/api/predict?top=1&top=2", files={"file": jpeg()}).json()["error"]
        == "top is given more than once."
    )
    assert client.get("/api/models?top=1").json()["error"] == "There is no parameter 'top'. There are none here."


def test_a_model_has_the_facts_of_its_card_and_the_worlds_of_the_list(client: httpx.Client, workspace: Path) -> None:
    rows = {row["name"]: row for row in described_models(workspace)}
    for name in ("street72", "tiny"):
        facts = client.get(f"/api/models/{name}").json()
        assert facts == json.loads(json.dumps(model_facts(workspace, name)))
        assert {key: facts[key] for key in rows[name]} == json.loads(json.dumps(rows[name]))
    street = client.get("/api/models/street72").json()
    accuracies = [world["top1"]["value"] for world in street["worlds"]]
    assert accuracies == sorted(accuracies) and len(accuracies) > 1
    assert street["groups"]["Converse Chuck"] == ["Converse Chuck 70", "Converse Chuck Taylor All Star"]
    old = client.get("/api/models/street22").json()
    assert (old["name"], "was replaced by street72" in old["note"]) == ("street72", True)
    for name in ("nope", "..%2Ftiny", "%00", "a/b", ""):
        assert client.get(f"/api/models/{name}").status_code == 404


def test_the_catalog_is_asked_by_name_or_alias(client: httpx.Client) -> None:
    known = read_catalog()
    for entry in (known.sneakers[0], known.shoe_types[0]):
        for name in (entry.name, *entry.aliases):
            assert client.get(f"/api/catalog/{name}").json()["name"] == entry.name
    shoe = client.get("/api/catalog/Air Jordan 4").json()
    assert (shoe["kind"], shoe["brand"], len(shoe["marks"])) == ("sneaker", "Jordan", 3)
    assert shoe["result"]["photos"] >= shoe["result"]["right"] > 0
    for name, near in (("Air Jordn 4", "Air Jordan 4"), ("gazelle shoe", "adidas Gazelle"), ("x" * 5000, None)):
        missing = client.get(f"/api/catalog/{name}")
        assert missing.status_code == 404
        assert ("Did you mean" in missing.json()["error"]) == (near is not None)
        assert near is None or near in missing.json()["error"]


def test_the_catalog_is_listed_and_searched_as_by_the_command(client: httpx.Client) -> None:
    for text in ("", "tinker hatfield", "nothing of that name"):
        command = CliRunner().invoke(main, ["catalog", text, "--json"])
        assert client.get("/api/catalog", params={"text": text} if text else {}).json() == json.loads(command.stdout)
    known = read_catalog()
    names = [one["name"] for one in client.get("/api/catalog").json()]
    assert names == [entry.name for entry in (*known.sneakers, *known.shoe_types)]
    one = client.get("/api/catalog", params={"text": "air_jordan_iv"}).json()[0]
    assert one == client.get("/api/catalog/Air Jordan 4").json()
    assert client.get("/api/catalog?page=2").json()["error"] == "There is no parameter 'page'. Parameters: text."


def test_what_has_not_changed_is_not_sent_again(client: httpx.Client) -> None:
    for path in (
        "models",
        "models/street72",
        "catalog",
        "catalog?text=nike",
        "catalog/Loafers",
        "openapi.json",
        "health",
    ):
        first = client.get(f"/api/{path}")
        tag = first.headers["etag"]
        for condition in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = client.get(f"/api/{path}", headers={"if-none-match": condition})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert client.get(f"/api/{path}", headers={"if-none-match": '"other"'}).content == first.content
        head = client.head(f"/api/{path}")
        assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", tag)
    assert "etag" not in client.get("/api/models/nope", headers={"if-none-match": "*"}).headers


def test_other_methods_are_told_the_right_ones(client: httpx.Client) -> None:
    for method, path, allowed in (("POST", "models", {"GET", "HEAD"}), ("GET", "predict", {"POST"})):
        answer = client.request(method, f"/api/{path}")
        assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, allowed)
        assert answer.json()["error"] == f"/api/{path} doesn't take {method}."


def test_only_the_pages_of_named_websites_may_read_answers(client: httpx.Client, workspace: Path) -> None:
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    named, other = ({"origin": origin} for origin in (PAGE, "http://evil.example"))
    preflight = client.options("/api/predict", headers={**named, **asks})
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, PAGE)
    assert "POST" in preflight.headers["access-control-allow-methods"]
    for path, code in (("models", 200), ("models/nope", 404)):
        answer = client.get(f"/api/{path}", headers=named)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (code, PAGE)
        assert "Retry-After" in answer.headers["access-control-expose-headers"]
    for answer in (client.get("/api/models", headers=other), client.options("/api/predict", headers={**other, **asks})):
        assert "access-control-allow-origin" not in answer.headers
    with serving(Starlette(routes=routes(workspace, ApiSettings())), log_level="error") as address:
        for headers in (named, {**named, **asks}):
            closed = httpx.options(f"{address}/api/predict", headers=headers)
            assert closed.status_code == 405
            assert not [name for name in closed.headers if name.startswith("access-control")]
    assert "access-control-allow-credentials" not in {*preflight.headers, *answer.headers}


def test_a_page_of_a_named_website_sends_the_password_itself(workspace: Path) -> None:
    checks = access_middleware(AccessSettings(None, "correct horse"), lambda: "<form>")
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    sent = {"origin": PAGE, "accept": "text/html,*/*", "sec-fetch-mode": "cors"}
    photo = {"json": {"photo": base64_of(jpeg())}}
    served = serving(open_to(PAGE, workspace, checks=checks), log_level="error")
    with served as address, httpx.Client(base_url=address, timeout=60) as client:
        # The browser asks without the password; what it may send says nothing about the workspace.
        asked = client.options("/api/predict", headers={**sent, **asks})
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (200, PAGE)
        assert "Authorization" in asked.headers["access-control-allow-headers"]
        other = client.options("/api/predict", headers={**sent, **asks, "origin": "http://evil.example"})
        assert other.status_code == 400 and "access-control-allow-origin" not in other.headers
        for password, status in ((None, 401), ("wrong horse", 401), ("correct horse", 200)):
            headers = {**sent, **({"authorization": f"Bearer {password}"} if password else {})}
            answer = predict(client, headers=headers, **photo)
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, PAGE)
            assert answer.headers["content-type"] == "application/json" and "www-authenticate" not in answer.headers
            assert ("error" in answer.json() and bool(answer.json()["error"])) == (status != 200)
        # What isn't the API stays closed to other websites.
        assert "access-control-allow-origin" not in client.get("/", headers=sent).headers


def test_an_address_that_sends_too_many_photos_is_told_when_to_try_again(workspace: Path) -> None:
    app = open_to(PAGE, workspace, photos_per_minute=3)
    with serving(app, log_level="error") as address, httpx.Client(base_url=address, timeout=60) as client:
        assert predict(client, files=[("file", jpeg())] * 3).status_code == 200
        refused = predict(client, files={"file": bytes(5_000_000)}, headers={"origin": PAGE})
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        assert refused.json()["error"].startswith(
            "This address has sent too many photos: 3 photos a minute are allowed."
        )
        assert refused.headers["access-control-allow-origin"] == PAGE
        assert client.get("/api/models").status_code == 200


def test_tokens_come_back_and_addresses_are_forgotten() -> None:
    now = [0.0]
    buckets = TokenBuckets(60, clock=lambda: now[0], most=3)
    assert [buckets.take("a") for _ in range(60)] == [0] * 60
    assert buckets.take("a") == pytest.approx(1)
    now[0] = 1.0
    assert (buckets.take("a"), buckets.take("b")) == (0, 0)
    buckets.charge("b", 69)  # a request may take more than there are, and is paid for later
    assert buckets.take("b") == pytest.approx(11)
    now[0] = 12.0
    assert buckets.take("b") == 0
    for name in "cdefg":
        buckets.take(name)
    assert len(buckets._buckets) == 3
    assert [TokenBuckets(0).take("a") for _ in range(5)] == [0] * 5


def test_origins_and_rate_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ApiSettings.from_environment() == ApiSettings((), 600)
    monkeypatch.setenv("SOLESCOPE_API_ORIGINS", "https://Shoes.example/, http://localhost:8000 http://[::1]:80")
    monkeypatch.setenv("SOLESCOPE_API_RATE", "0")
    assert ApiSettings.from_environment() == ApiSettings(
        ("https://shoes.example", "http://localhost:8000", "http://[::1]"), 0
    )
    for origin in ("*", "null", "shoes.example", "https://shoes.example/page", "ftp://shoes.example"):
        monkeypatch.setenv("SOLESCOPE_API_ORIGINS", origin)
        with pytest.raises(SneakerError, match="SOLESCOPE_API_ORIGINS names"):
            ApiSettings.from_environment()
    monkeypatch.delenv("SOLESCOPE_API_ORIGINS")
    for rate in ("-1", "0.5", "many", "inf"):
        monkeypatch.setenv("SOLESCOPE_API_RATE", rate)
        with pytest.raises(SneakerError, match="SOLESCOPE_API_RATE is"):
            ApiSettings.from_environment()
