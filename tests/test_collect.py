"""Photos from the web: queries, links, safe downloads and the import into a dataset, over real HTTP on loopback."""

import json
import re
import shutil
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sneaker_core.datasets.collect.collector import CollectPlan, CollectResult, collect
from sneaker_core.datasets.collect.download import USER_AGENT, Downloader, Network, is_public
from sneaker_core.datasets.collect.image_search import find_links, is_unreachable
from sneaker_core.datasets.collect.search_queries import (
    DEFAULT_EXCLUDED,
    DEFAULT_TEMPLATES,
    CollectClass,
    clean_excluded,
    clean_templates,
    queries_for,
    read_names,
    read_skus,
)
from sneaker_core.datasets.importer import Importer, IncomingPhoto
from sneaker_core.datasets.index import (
    Dataset,
    create_index,
    read_provenance,
    read_samples,
    tried_links,
    web_provenance,
)
from sneaker_core.errors import CollectError, DatasetError
from sneaker_core.settings import ImageLimits
from tests.factories import jpeg, photo
from tests.loopback import PUBLIC, Names, Web, bing_at, closed_port, paged, png, results_page

LIMITS = ImageLimits(max_bytes=200_000, max_pixels=1_000_000)
SITE = "http://photos.example"


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    with bing_at(web.port):
        yield web
    web.close()


@pytest.fixture
def names(web: Web) -> Names:
    return Names(web.port, {"photos.example": [[PUBLIC]], "other.example": [["2606:2800:220:1::1"]]})


@pytest.fixture
def downloader(names: Names) -> Downloader:
    return Downloader(LIMITS, network=names.network)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return create_index(tmp_path / "shoes", "Shoes")


class TestQueries:
    def test_a_query_for_each_template_without_childrens_sizes(self):
        queries = queries_for(CollectClass("Air Max 90"), DEFAULT_TEMPLATES, ("kids", "grade school"))
        assert queries == (
            'Air Max 90 -kids -"grade school"',
            'Air Max 90 for sale -kids -"grade school"',
            'Air Max 90 on feet -kids -"grade school"',
            'Air Max 90 outfit -kids -"grade school"',
        )
        assert {"kids", "toddler", "infant", "grade school"} <= set(DEFAULT_EXCLUDED)

    def test_a_word_of_the_class_itself_is_not_excluded(self):
        assert queries_for(CollectClass("Kids See Ghosts"), ["{model}"], ["kids", "baby"]) == ("Kids See Ghosts -baby",)

    def test_search_operators_in_names_are_not_searched_for(self):
        item = CollectClass('Dunk Low - "Panda" -Black  +x')
        assert (item.name, item.terms) == ('Dunk Low - "Panda" -Black +x', "Dunk Low Panda Black x")
        assert CollectClass("Retro-Low A-B").terms == "Retro-Low A-B"

    @pytest.mark.parametrize("name", ["", "   ", "x" * 121, "\x00\u200b"])
    def test_invalid_names(self, name):
        with pytest.raises(CollectError):
            CollectClass(name)

    def test_templates_are_tidied(self):
        assert clean_templates([" {model}  worn ", "", "{model} worn", "buy {model}"]) == (
            "{model} worn",
            "buy {model}",
        )

    @pytest.mark.parametrize(
        ("templates", "message"),
        [
            ([], "at least one"),
            (["  "], "at least one"),
            (["on feet"], "needs {model}"),
            (["{model} {size}"], "braces"),
            (["{model}" + "x" * 120], "longer than 120"),
        ],
    )
    def test_invalid_templates(self, templates, message):
        with pytest.raises(CollectError, match=re.escape(message)):
            clean_templates(templates)

    def test_excluded_words_are_taken_with_or_without_signs(self):
        assert clean_excluded(["-Kids", '-"grade  school"', "kids", " ", "t-shirt"]) == (
            "kids",
            "grade school",
            "t-shirt",
        )

    def test_one_name_per_line(self):
        assert [item.name for item in read_names(["Air  Max", "", "Air Max", "Dunk"])] == ["Air Max", "Dunk"]


class TestSkuLists:
    @pytest.mark.parametrize(
        "text",
        [
            "555088-101,Jordan 1\nCW2288-111,Air Force 1\n",
            "sku,name\n555088-101,Jordan 1\nCW2288-111,Air Force 1",
            "\ufeffName;SKU\r\nJordan 1;555088-101\r\n\r\nAir Force 1;CW2288-111\r\n555;555088-101\r\n",
            '"sku"\t"name"\n"555088-101"\t" Jordan  1 "\n CW2288-111 \tAir Force 1\n',
            "555088-101,Jordan\u20281\rCW2288-111,Air\x85Force 1\r",
        ],
    )
    def test_tables(self, text):
        assert read_skus(text.encode()) == (
            CollectClass("Jordan 1", "Jordan 1 555088-101"),
            CollectClass("Air Force 1", "Air Force 1 CW2288-111"),
        )

    def test_one_sku_per_line(self):
        assert [(item.name, item.terms) for item in read_skus(b"555088-101\n\nCW2288-111\n555088-101\n")] == [
            ("555088-101", "555088-101"),
            ("CW2288-111", "CW2288-111"),
        ]

    def test_shoes_of_one_name_stay_apart(self):
        shoes = read_skus(b"A1,Dunk\nA2,dunk\nA3,Blazer")
        assert [item.name for item in shoes] == ["Dunk A1", "dunk A2", "Blazer"]
        CollectPlan(shoes, 1)

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"", "no SKUs"),
            (b"sku,name\n", "no SKUs"),
            (b"\xff\xfe\x00", "UTF-8"),
            (b"A1,Dunk\n,Blazer\n", "Line 2"),
            (b"A1,Dunk\n" + b"x" * 50, "Line 2"),
            (b"x" * 1_000_001, "larger than 1 MB"),
            ("\n".join(map(str, range(2001))).encode(), "limit is 2,000"),
            (b"a\x00b,c", "Line 1"),
        ],
    )
    def test_invalid_lists(self, data, message):
        with pytest.raises(CollectError, match=message):
            read_skus(data)


class TestLinks:
    def test_links_come_in_order_once_and_unescaped(self, web, capsys):
        odd = f"{SITE}/a b.jpg?x=1&y=é"
        web.search = paged(
            {"dunk": [odd, f"{SITE}/2.jpg", f"{SITE}/2.jpg", "ftp://x/3.jpg", "data:x", "http://[x", "/4"]}
        )
        assert find_links("dunk", 10) == [f"{SITE}/a%20b.jpg?x=1&y=é", f"{SITE}/2.jpg"]
        assert capsys.readouterr() == ("", "")

    def test_pages_are_asked_for_by_the_photo(self, web):
        links = [f"{SITE}/{number}.jpg" for number in range(25)]
        web.search = paged({"dunk": links})
        assert find_links("dunk", 15) == links[:15]
        assert [fields["first"] for fields in web.searched] == ["0", "10"]
        assert {fields["adlt"] for fields in web.searched} == {"strict"}

    def test_a_repeated_page_is_the_end(self, web):
        links = [f"{SITE}/{number}.jpg" for number in range(25)]
        web.search = paged({"dunk": links})
        assert find_links("dunk", 1000) == links
        assert len(web.searched) == 4

    def test_new_links_for_ever_are_the_end_at_some_page(self, web):
        web.search = lambda fields: results_page([f"{SITE}/{fields['first']}.jpg"])
        assert len(find_links("dunk", 1000)) == len(web.searched) < 100

    def test_a_later_page_without_links_is_the_end(self, web):
        web.search = lambda fields: results_page([f"{SITE}/1.jpg"]) if fields["first"] == "0" else b"<html>"
        assert find_links("dunk", 10) == [f"{SITE}/1.jpg"]

    def test_links_before_an_error_are_kept(self, web):
        web.search = lambda fields: results_page([f"{SITE}/1.jpg"]) if fields["first"] == "0" else 500
        assert find_links("dunk", 10) == [f"{SITE}/1.jpg"]

    @pytest.mark.parametrize(
        ("answer", "message", "unreachable"),
        [
            (b"", "found no photos for “dunk”", False),
            (b"<html><body>A new look!</body></html>", "no photo links", False),
            (403, "error 403", True),
            (429, "error 429", True),
            (500, "error 500", True),
        ],
    )
    def test_each_failure_has_its_message(self, web, answer, message, unreachable):
        web.search = lambda fields: answer
        with pytest.raises(CollectError, match=message) as caught:
            find_links("dunk", 10)
        assert is_unreachable(caught.value) == unreachable

    def test_blocked_network(self):
        with bing_at(closed_port()), pytest.raises(CollectError, match="Can't reach") as caught:
            find_links("dunk", 10)
        assert is_unreachable(caught.value)

    def test_no_answer_in_time(self, web):
        web.search = lambda fields: b"" if web.closing.wait(5) else b"late"
        with pytest.raises(CollectError, match="in time") as caught:
            find_links("dunk", 10, timeout=0.2)
        assert is_unreachable(caught.value)


PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.255.255.254",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "ff0e::1",
    "2001:db8::1", "3fff::1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "::127.0.0.1",
    "::93.184.216.34", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:100.64.0.1",
    "2002:7f00:1::", "2002:a00:1::", "2002:c0a8:101::", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1",
    "64:ff9b:1::93.184.216.34", "2606:4700::1%eth0", "4000::1", "example", "1.2.3",
]  # fmt: skip


class TestAddresses:
    @pytest.mark.parametrize("address", PRIVATE)
    def test_what_is_not_public_is_never_connected_to(self, names, downloader, address):
        names.addresses["photos.example"] = [[address]]
        with pytest.raises(CollectError, match="not public"):
            downloader.fetch(f"{SITE}/photo/1.jpg")
        assert names.connected == []

    @pytest.mark.parametrize(
        "address",
        [
            "93.184.216.34",
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:93.184.216.34",
            "64:ff9b::93.184.216.34",
            "2002:5db8:d822::1",
        ],
    )
    def test_public_ones(self, address):
        assert is_public(address)

    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "[::1]", "[::ffff:7f00:1]",
            "[::ffff:10.0.0.1]", "[fe80::1]", "localhost", "localhost.", "LOCALHOST", "１２７.0.0.1", "127。0。0。1",
            "0xA9FEA9FE",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("port", ["", ":{port}"])
    def test_other_spellings_of_private_addresses(self, web, host, port):
        connected: list[str] = []
        network = Network(connect=lambda address, *_: connected.append(address))
        with pytest.raises(CollectError):
            Downloader(LIMITS, network=network).fetch(f"http://{host}{port.format(port=web.port)}/photo/1.jpg")
        assert connected == web.asked == []

    def test_one_private_address_among_public_ones_is_enough(self, names, downloader):
        names.addresses["photos.example"] = [[PUBLIC, "192.168.0.1"]]
        with pytest.raises(CollectError, match="not public"):
            downloader.fetch(f"{SITE}/photo/1.jpg")
        assert names.connected == []

    def test_a_name_that_resolves_differently_the_next_time_gains_nothing(self, names, downloader):
        names.addresses["photos.example"] = [[PUBLIC], ["127.0.0.1"]]
        assert downloader.fetch(f"{SITE}/photo/1.jpg") == jpeg(photo(1))
        assert (names.resolved, names.connected) == (["photos.example"], [PUBLIC])

    def test_nor_after_a_redirect_to_itself(self, names, downloader):
        names.addresses["photos.example"] = [[PUBLIC], ["127.0.0.1"]]
        with pytest.raises(CollectError, match="not public"):
            downloader.fetch(f"{SITE}/redirect/1")
        assert (len(names.resolved), names.connected) == (2, [PUBLIC])

    def test_the_next_address_is_tried_when_one_does_not_answer(self, names):
        names.addresses["photos.example"] = [["2606:4700::1", PUBLIC]]

        def connect(address, port, timeout):
            if ":" in address:
                raise OSError("no route")
            return names.connect(address, port, timeout)

        assert Downloader(LIMITS, network=Network(names.resolve, connect)).fetch(f"{SITE}/photo/1.jpg")
        assert len(names.resolved) == 1

    @pytest.mark.parametrize(
        "url",
        [
            "file:///etc/passwd", "ftp://photos.example/1.jpg", "gopher://photos.example/",
            "data:image/png;base64,AA==", "photo.jpg", "//photos.example/1.jpg", "http:///1.jpg",
            "http://user@photos.example/", "http://user:word@photos.example/", "http://@photos.example/",
            "http://photos.example:99999/", "http://photos.example:x/", "http://photos.example:0/", "http://[::1",
            "http://photos%2eexample/", "http://photos.example\\@127.0.0.1/", "http://.../",
            "http://ph\x00otos.example/", "http://photos.example^x/",
        ],
    )  # fmt: skip
    def test_addresses_that_are_none_for_photos(self, names, downloader, url):
        with pytest.raises(CollectError, match=r"^The address of the photo .*\.$"):
            downloader.fetch(url)
        assert names.resolved == names.connected == []

    @pytest.mark.parametrize("host", ["nowhere.example", "x" * 70 + ".example"])
    def test_unknown_names(self, downloader, host):
        with pytest.raises(CollectError, match="name can't be resolved"):
            downloader.fetch(f"http://{host}/1.jpg")


class TestDownloads:
    def test_the_bytes_come_as_they_are(self, web, downloader):
        assert downloader.fetch(f"{SITE}/photo/3.png") == png(3)
        assert web.asked == ["photos.example/photo/3.png"]
        assert web.headers[0].keys() == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}
        assert web.headers[0]["Accept-Encoding"] == "identity"
        assert web.headers[0]["User-Agent"] == USER_AGENT

    def test_proxies_of_the_environment_are_not_asked(self, downloader, monkeypatch):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
        assert downloader.fetch(f"{SITE}/photo/1.jpg")

    @pytest.mark.parametrize(
        ("url", "asked"),
        [
            (f"{SITE}:8080/photo/1.jpg", "photos.example:8080/photo/1.jpg"),
            (f"{SITE}/photo/1.jpg#top", "photos.example/photo/1.jpg"),
            (f"{SITE}/photo/1.jpg?a=ü b&c=%20d", "photos.example/photo/1.jpg?a=%C3%BC%20b&c=%20d"),
            (f"{SITE}/photo/1.ü\x01\\.jpg", "photos.example/photo/1.%C3%BC%01%5C.jpg"),
            ("HTTP://PHOTOS.example./photo/1.jpg", "photos.example/photo/1.jpg"),
            ("http://bücher.example/photo/1.jpg", "xn--bcher-kva.example/photo/1.jpg"),
            ("http://[2606:4700::1]:81/photo/1.jpg", "[2606:4700::1]:81/photo/1.jpg"),
        ],
    )
    def test_addresses_as_they_are_sent(self, web, names, downloader, url, asked):
        names.addresses |= {"xn--bcher-kva.example": [[PUBLIC]], "2606:4700::1": [["2606:4700::1"]]}
        assert downloader.fetch(url)
        assert web.asked == [asked]

    def test_three_redirects_are_followed(self, names, downloader):
        assert downloader.fetch(f"{SITE}/redirect/3") == jpeg(photo(0))
        assert names.resolved == ["photos.example"] * 4

    def test_four_are_not(self, web, downloader):
        with pytest.raises(CollectError, match="more than 3 times"):
            downloader.fetch(f"{SITE}/redirect/4")
        assert len(web.asked) == 4

    def test_to_another_host(self, names, downloader):
        assert downloader.fetch(f"{SITE}/to/?http://other.example/photo/2.jpg") == jpeg(photo(2))
        assert names.connected == [PUBLIC, "2606:2800:220:1::1"]

    @pytest.mark.parametrize(
        ("target", "message"),
        [
            ("http://127.0.0.1/photo/1.jpg", "not public"),
            ("http://2130706433/photo/1.jpg", "not public"),
            ("http://[::ffff:127.0.0.1]/photo/1.jpg", "not public"),
            ("//localhost/photo/1.jpg", "not public"),
            ("file:///etc/passwd", "doesn't start with http"),
            ("http://me@photos.example/photo/1.jpg", "user name"),
            ("http://[::1", "."),
        ],
    )
    def test_redirects_are_checked_like_the_first_address(self, web, names, target, message):
        def resolve(host, port):
            return names.resolve(host, port) if host == "photos.example" else Network().resolve(host, port)

        downloader = Downloader(LIMITS, network=Network(resolve, names.connect))
        with pytest.raises(CollectError, match=message):
            downloader.fetch(f"{SITE}/to/?{target}")
        assert names.connected == [PUBLIC]
        assert len(web.asked) == 1

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("missing", "code 404"),
            ("broken", "code 500"),
            ("huge", "larger than 0.2 MB"),
            ("endless", "larger than 0.2 MB"),
            ("chunked", "larger than 0.2 MB"),
            ("short", "incomplete"),
            ("brokenchunk", "incomplete"),
            ("garbage", "not valid HTTP"),
            ("nothing", "connection to the server was lost"),
        ],
    )
    def test_bad_answers(self, downloader, path, message):
        with pytest.raises(CollectError, match=message):
            downloader.fetch(f"{SITE}/{path}")

    def test_no_more_is_taken_than_was_promised(self, downloader):
        assert downloader.fetch(f"{SITE}/more") == b"x" * 10

    def test_the_cap_itself_is_allowed(self, names):
        size = len(png(3))
        for cap, allowed in ((size, True), (size - 1, False)):
            downloader = Downloader(ImageLimits(cap, 10**6), network=names.network)
            if allowed:
                assert downloader.fetch(f"{SITE}/photo/3.png") == png(3)
            else:
                with pytest.raises(CollectError, match="larger than"):
                    downloader.fetch(f"{SITE}/photo/3.png")

    @pytest.mark.parametrize("path", ["drip", "dripheaders"])
    def test_a_slow_server_times_out(self, names, path):
        with pytest.raises(CollectError, match="too long"):
            Downloader(LIMITS, timeout=60, deadline=0.3, network=names.network).fetch(f"{SITE}/{path}")

    def test_a_silent_server_times_out(self, names):
        with pytest.raises(CollectError, match="too long"):
            Downloader(LIMITS, timeout=0.2, deadline=60, network=names.network).fetch(f"{SITE}/silence")

    def test_no_server(self, names):
        names.port = closed_port()
        with pytest.raises(CollectError, match="can't be reached"):
            Downloader(LIMITS, network=names.network).fetch(f"{SITE}/photo/1.jpg")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("certificate")
    made, key = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=photos.example"
    names = ["-addext", "subjectAltName=DNS:photos.example", "-keyout", str(key), "-out", str(made)]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return made, key


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
class TestSecureConnections:
    @pytest.fixture
    def secure(self, certificate) -> Iterator[Names]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        web = Web(context)
        yield Names(web.port, {"photos.example": [[PUBLIC]], "other.example": [[PUBLIC]]})
        web.close()

    def test_an_untrusted_certificate(self, secure):
        with pytest.raises(CollectError, match="certificate"):
            Downloader(LIMITS, network=secure.network).fetch("https://photos.example/photo/1.jpg")

    def test_one_for_this_name_and_no_other(self, secure, certificate, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        downloader = Downloader(LIMITS, network=secure.network)
        assert downloader.fetch("https://photos.example/photo/1.jpg") == jpeg(photo(1))
        with pytest.raises(CollectError, match="certificate"):
            downloader.fetch("https://other.example/photo/1.jpg")

    def test_a_server_that_does_not_speak_tls(self, downloader):
        with pytest.raises(CollectError, match="was lost"):
            downloader.fetch("https://photos.example/photo/1.jpg")

    def test_a_slow_handshake_times_out(self, secure, certificate, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        with pytest.raises(CollectError, match="too long"):
            Downloader(LIMITS, timeout=60, deadline=0.5, network=secure.network).fetch("https://photos.example/drip")


def links(*seeds: int) -> list[str]:
    return [f"{SITE}/photo/{seed}.jpg" for seed in seeds]


def plan_for(*names: str, per_class: int = 3, templates: tuple[str, ...] = ("{model}", "{model} worn")) -> CollectPlan:
    return CollectPlan(tuple(map(CollectClass, names)), per_class, templates, ())


class TestPlan:
    def test_survives_json(self):
        plan = CollectPlan(read_skus(b"A1,Dunk\nB2"), 7, ("{model} worn",), ("kids",))
        assert CollectPlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan

    @pytest.mark.parametrize("per_class", [0, -1, 1001, 2.5, "3", True, None])
    def test_photos_per_class_have_a_range(self, per_class):
        with pytest.raises(CollectError, match="1 to 1000"):
            plan_for("a", per_class=per_class)

    def test_classes_are_there_once(self):
        with pytest.raises(CollectError, match="at least one class"):
            plan_for()
        with pytest.raises(CollectError, match="more than once"):
            plan_for("Dunk", "Blazer", "dunk ")

    @pytest.mark.parametrize(
        "change",
        [
            {"classes": None},
            {"classes": [1]},
            {"classes": [{"name": 1, "terms": ""}]},
            {"templates": [None]},
            {"templates": 3},
            {"excluded": [1]},
            {"per_class": []},
        ],
    )
    def test_damaged_plans_are_refused(self, change):
        with pytest.raises(CollectError):
            CollectPlan.from_dict({**plan_for("a").to_dict(), **change})
        with pytest.raises(CollectError):
            CollectPlan.from_dict({})


class Runs:
    """Collect from the loopback web, and record the reports."""

    def __init__(self, dataset: Dataset, downloader: Downloader) -> None:
        self.dataset = dataset
        self.downloader = downloader
        self.reports: list[tuple[int, int, str, dict]] = []
        self.stop_at = 10**9
        self.threads: set[int] = set()

    def report(self, done: int, total: int, note: str, per_class: dict) -> None:
        self.reports.append((done, total, note, per_class))
        self.threads.add(threading.get_ident())

    def stopped(self) -> bool:
        self.threads.add(threading.get_ident())
        return bool(self.reports) and self.reports[-1][0] >= self.stop_at

    def collect(self, plan: CollectPlan, delay: float = 0, connections: int = 4) -> CollectResult:
        return collect(
            self.dataset,
            plan,
            report=self.report,
            stopped=self.stopped,
            downloader=self.downloader,
            connections=connections,
            delay=delay,
        )

    def labels(self) -> Counter:
        return Counter(read_samples(self.dataset)["label"])


@pytest.fixture
def runs(dataset: Dataset, downloader: Downloader) -> Runs:
    return Runs(dataset, downloader)


class TestCollecting:
    def test_as_many_as_wanted_with_their_sources(self, web, runs):
        web.search = paged({"Dunk": links(1, 2), "Dunk worn": links(2, 3, 4, 5, 6), "Blazer": links(*range(10, 30))})
        result = runs.collect(plan_for("Dunk", "Blazer"))
        assert runs.labels() == {"Dunk": 3, "Blazer": 3}
        assert not result.stopped
        assert result.added == 6
        assert {name: (each.have, each.added, each.message) for name, each in result.classes.items()} == {
            "Dunk": (3, 3, ""),
            "Blazer": (3, 3, ""),
        }
        provenance = web_provenance(runs.dataset)
        assert set(provenance["source"]) == {"web"}
        assert provenance["time"].gt(0).all()
        queries = dict(zip(provenance["url"], provenance["query"], strict=True))
        assert {url: queries[url] for url in links(1, 2, 3)} == dict(
            zip(links(1, 2, 3), ["Dunk", "Dunk", "Dunk worn"], strict=True)
        )
        assert set(provenance.loc[provenance["label"] == "Blazer", "query"]) == {"Blazer"}
        assert {path.read_bytes() for path in map(Path, read_samples(runs.dataset)["path"])} >= {
            jpeg(photo(seed)) for seed in (1, 2, 3)
        }

    def test_no_more_is_fetched_than_is_wanted(self, web, runs):
        web.search = paged({"Dunk": links(*range(30))})
        runs.collect(plan_for("Dunk", per_class=2))
        assert len(web.asked) == 2
        assert len(web.searched) == 1

    def test_progress_is_reported_in_the_callers_thread(self, web, runs):
        web.search = paged({"Dunk": links(1, 2, 3), "Blazer": links(4, 5, 6)})
        runs.collect(plan_for("Dunk", "Blazer"))
        assert runs.threads == {threading.get_ident()}
        assert [done for done, *_ in runs.reports] == [0, 1, 2, 3, 3, 4, 5, 6]
        done, total, note, per_class = runs.reports[-1]
        assert (done, total, note) == (6, 6, "Blazer: 3 of 3 photos")
        json.dumps(per_class)
        assert per_class["Dunk"]["added"] == 3

    def test_stop_and_resume(self, web, runs):
        web.search = paged({"Dunk": links(*range(20)), "Blazer": links(*range(30, 40))})
        runs.stop_at = 4
        result = runs.collect(plan_for("Dunk", "Blazer", per_class=8))
        assert result.stopped
        assert 4 <= result.added < 8
        assert result.classes["Dunk"].message == f"Stopped at {result.added} of 8 photos."
        assert result.classes["Blazer"].message == "Stopped at 0 of 8 photos."
        assert runs.labels() == {"Dunk": result.added}
        runs.stop_at = 10**9
        again = runs.collect(plan_for("Dunk", "Blazer", per_class=8))
        assert again.added == 16 - result.added
        assert runs.labels() == {"Dunk": 8, "Blazer": 8}
        assert Counter(web.asked).most_common(1)[0][1] == 1

    def test_a_finished_run_has_nothing_to_resume(self, web, runs):
        web.search = paged({"Dunk": links(1, 2, 3, 4)})
        runs.collect(plan_for("Dunk"))
        asked, searched = len(web.asked), len(web.searched)
        result = runs.collect(plan_for("Dunk"))
        assert (result.classes["Dunk"].have, result.added) == (3, 0)
        assert (len(web.asked), len(web.searched)) == (asked, searched)
        assert runs.collect(plan_for("Dunk", per_class=4)).added == 1
        assert len(web.asked) == asked + 1

    def test_stopping_waits_for_no_turn(self, web, runs):
        web.search = paged({"Dunk": links(*range(9))})
        runs.stop_at = 1
        result = runs.collect(plan_for("Dunk", per_class=9), delay=3600)  # a second photo would have to wait an hour
        assert result.stopped
        assert len(web.asked) == result.added == 1
        assert tried_links(runs.dataset) == set()

    def test_links_that_failed_are_counted_and_not_tried_again(self, web, runs):
        bad = [
            f"{SITE}/{path}" for path in ("missing", "broken", "truncated/1.jpg", "html/1.jpg", "redirect/4", "slow")
        ]
        bad += [f"{SITE}/missing/2", "http://10.0.0.1/1.jpg", "http://user@photos.example/1.jpg"]
        web.search = paged({"Dunk": bad + links(1)})
        result = runs.collect(plan_for("Dunk")).classes["Dunk"]
        assert (result.found, result.added, result.known) == (len(bad) + 1, 1, 0)
        assert result.rejected["The server answered with code 404 instead of a photo."] == 2
        assert sum(result.rejected.values()) == len(bad)
        assert len(result.rejected) == len(bad) - 1
        assert all(reason.endswith(".") for reason in result.rejected)
        assert result.rejected["The photo takes too long to decode: its file has more than 100 scans."] == 1
        assert result.message == "1 of 3 photos: the searches found no more links."
        assert tried_links(runs.dataset) == set(bad)
        web.asked.clear()
        again = runs.collect(plan_for("Dunk")).classes["Dunk"]
        assert web.asked == []
        assert (again.have, again.added, again.rejected) == (1, 0, {})

    def test_known_photos_are_noted_but_do_not_count(self, web, runs):
        with Importer(runs.dataset, "folder /mine") as importer:
            importer.add(IncomingPhoto("mine.jpg", "Dunk", jpeg(photo(1))))
        copies = [f"{SITE}/photo/{seed}.jpg?copy" for seed in (1, 2)]
        web.search = paged({"Dunk": links(1, 2) + copies + links(3, 4)})
        result = runs.collect(plan_for("Dunk"), connections=1).classes["Dunk"]
        assert (result.added, result.known, result.have) == (3, 3, 3)
        assert runs.labels() == {"Dunk": 4}
        assert set(web_provenance(runs.dataset)["url"]) == {*links(1, 2, 3, 4), *copies}
        assert len(read_provenance(runs.dataset)) == 7
        asked = len(web.asked)
        assert runs.collect(plan_for("Dunk")).classes["Dunk"].have == 3
        assert len(web.asked) == asked

    def test_a_class_that_finds_nothing_does_not_stop_the_others(self, web, runs):
        web.search = paged({"Dunk": links(1, 2, 3)})
        result = runs.collect(plan_for("Unheard Of", "Dunk"))
        assert result.classes["Unheard Of"].message == "Bing found no photos for “Unheard Of”."
        assert result.classes["Unheard Of"].found == 0
        assert result.classes["Dunk"].added == 3

    def test_a_blocked_network_is_reported_immediately(self, web, runs):
        with bing_at(closed_port()), pytest.raises(CollectError, match="Can't reach"):
            runs.collect(plan_for("Dunk", "Blazer"))
        web.search = lambda fields: 403
        with pytest.raises(CollectError, match="error 403"):
            runs.collect(plan_for("Dunk", "Blazer"))
        assert len(web.searched) == 1

    def test_a_network_that_goes_later_costs_nothing_that_came_before(self, web, runs):
        some = paged({"Dunk": links(1, 2)})
        web.search = lambda fields: some(fields) if fields["q"] == "Dunk" else 503
        result = runs.collect(plan_for("Dunk", "Blazer", "Gazelle", "Samba"))
        assert runs.labels() == {"Dunk": 2}
        assert result.classes["Dunk"].message.startswith("2 of 3 photos: Bing couldn't be reached")
        assert result.classes["Samba"].message.startswith("0 of 3 photos: Bing couldn't be reached")
        # Three failed searches in a row are enough.
        assert [fields["q"] for fields in web.searched if fields["first"] == "0"] == [
            "Dunk",
            "Dunk worn",
            "Blazer",
            "Blazer worn",
        ]

    def test_one_importer_at_a_time(self, web, runs):
        with Importer(runs.dataset, "folder /mine"), pytest.raises(DatasetError, match="already"):
            runs.collect(plan_for("Dunk"))
        assert web.searched == []

    def test_nothing_is_printed(self, web, runs, capsys):
        web.search = paged({"Dunk": [*links(1), f"{SITE}/missing"]})
        runs.collect(plan_for("Dunk"))
        assert capsys.readouterr() == ("", "")
