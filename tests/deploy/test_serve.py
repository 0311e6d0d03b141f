"""The service as clients meet it: a real process, real connections."""

import base64
import io
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zlib import crc32

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.deploy.browser import page
from tests.deploy.child import IMPATIENT, Child, child
from tests.deploy.networks import NAMES, photo
from triscale.deploy.serving.guard import is_own_name
from triscale.explanation import explanations
from triscale.prediction import prediction
from triscale.weights import Classifier

MEGABYTE = 10**6
LIMIT = 10 * MEGABYTE


@pytest.fixture(scope="module")
def service(checkpoint: Path) -> Iterator[Child]:
    with child("-m", "triscale", "serve", "--weights", checkpoint, "--port", "0", "--json") as running:
        yield running


@pytest.fixture(scope="module")
def impatient(checkpoint: Path) -> Iterator[Child]:
    with child("-c", IMPATIENT, checkpoint) as running:
        yield running


@pytest.fixture
def client(service: Child) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=60) as one:
        yield one


def test_a_picture_is_answered_as_predict_answers(client: httpx.Client, same: Classifier, picture: Path) -> None:
    """As the body whatever its type is called, and as a form's file, whose folder is nobody's business."""
    content = picture.read_bytes()
    wanted = prediction(same, content, top=5)
    for found in (
        client.post("/predict", content=content),
        client.post("/predict", content=content, headers={"content-type": "application/x-www-form-urlencoded"}),
        client.post("/predict", content=content, headers={"content-type": "application/json"}),
        client.post("/predict", files={"image": ("../secret/photo.jpg", content)}),
    ):
        assert found.status_code == 200
        (one,) = found.json()
        assert one.keys() == {"image", "top", "seconds"}
        assert 0 < one["seconds"] < 60
        assert one["image"] in {"", "photo.jpg"}
        assert [row["class"] for row in one["top"]] == [row["class"] for row in wanted]
        assert {row["name"] for row in one["top"]} == set(NAMES)
        for row, other in zip(one["top"], wanted, strict=True):
            assert row["probability"] == pytest.approx(other["probability"], abs=1e-5)
    assert len(client.post("/predict?top=2", content=content).json()[0]["top"]) == 2


def test_explain_adds_the_overlay_that_explain_draws(client: httpx.Client, same: Classifier, picture: Path) -> None:
    """The oracle is `triscale.explanation` on the same file."""
    (expected,) = explanations(same, [picture])
    (found,) = client.post("/explain?top=3", content=picture.read_bytes()).json()
    (plain,) = client.post("/predict?top=3", content=picture.read_bytes()).json()

    assert [row["class"] for row in found["top"]] == [row["class"] for row in plain["top"]]
    assert found["top"][0]["probability"] == pytest.approx(plain["top"][0]["probability"], abs=1e-5)
    assert expected.shown is not None
    assert expected.picture is not None
    assert (found["map"]["name"], found["map"]["method"]) == (expected.shown.name, "CAM")
    drawn = Image.open(io.BytesIO(base64.b64decode(found["map"]["png"])))
    assert np.abs(np.asarray(drawn).astype(int) - np.asarray(expected.picture).astype(int)).max() <= 1
    assert client.get("/about").json()["maps"] == "CAM"


def test_about_and_health_tell_what_answers(client: httpx.Client, same: Classifier) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    about = client.get("/about").json()
    assert (about["network"], about["classes"], about["resolution"]) == (same.network.name, len(NAMES), [33, 47])
    assert about["preprocessing"]["interpolation"] == "bicubic"


def test_an_exported_file_is_served_by_its_own_lock(onnx_file: Path, same: Classifier, picture: Path) -> None:
    with child("-m", "triscale", "serve", onnx_file, "--port", "0", "--json") as running:
        (one,) = httpx.post(f"{running.url}predict", content=picture.read_bytes(), timeout=60).json()
        about = httpx.get(f"{running.url}about", timeout=60).json()
        refused = httpx.post(f"{running.url}explain", content=picture.read_bytes(), timeout=60)
        assert (refused.status_code, about["maps"]) == (404, None)
        assert running.stop() == (0, "")
    wanted = prediction(same, picture.read_bytes(), top=5)
    assert one["top"][0]["probability"] == pytest.approx(wanted[0]["probability"], abs=1e-5)
    assert about["proof"]["runtime"].startswith("ONNX Runtime")


@pytest.mark.parametrize("path", ["/", "/page.js", "/page.css", "/icon.svg", "/about", "/nothing", "/predict"])
def test_every_answer_has_the_headers_that_browsers_heed(client: httpx.Client, path: str) -> None:
    """Also those that the framework makes by itself: 404, 405."""
    found = client.get(path, headers={"origin": "http://evil.example"})
    assert "default-src 'none'" in found.headers["content-security-policy"]
    assert found.headers["x-content-type-options"] == "nosniff"
    assert not [name for name in found.headers if name.startswith("access-control")]
    assert "server" not in found.headers
    assert "http" not in found.text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "", "localhost.evil.example", "127.0.0.1.nip.io"]
)
def test_a_request_that_calls_us_by_another_name_is_refused(service: Child, client: httpx.Client, host: str) -> None:
    """A page whose name was made to point here could read the answers else."""
    port = service.address[1]
    assert client.get("/health", headers={"host": host}).status_code == 400
    for own in (f"127.0.0.1:{port}", "127.0.0.1", f"localhost:{port}", "LOCALHOST", f"[::1]:{port}"):
        assert client.get("/health", headers={"host": own}).status_code == 200
    assert not is_own_name(host, "machine")
    assert is_own_name("machine:80", "machine")


PATHS = (
    "../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "..%5c..%5cx", "/etc/passwd", "page.js/../../guard.py", "%00",
    "//evil.example/x", "file:///etc/passwd", "\\\\host\\share", "page/index.html", "docs", "redoc",
)  # fmt: skip


def test_no_path_leads_to_a_file(service: Child) -> None:
    for path in PATHS:
        request = f"GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        found = service.raw(request.encode())
        assert found.split(b" ")[1] in {b"400", b"404"}, (path, found)
        assert b"root:" not in found


def bad_pictures() -> dict[str, tuple[bytes, int]]:
    """Content and the status that it deserves."""
    buffer = io.BytesIO()
    Image.effect_noise((64, 64), 90).save(buffer, "PNG")
    png = buffer.getvalue()
    bomb = bytearray(png)
    bomb[16:24] = (20_000).to_bytes(4, "big") * 2  # width and height of the header
    bomb[29:33] = crc32(bomb[12:29]).to_bytes(4, "big")
    floats = io.BytesIO()
    Image.fromarray(np.full((8, 8), 7.0, np.float32)).save(floats, "TIFF")
    return {
        "nothing": (b"", 400),
        "text": (b"hello", 415),
        "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
        "HTML": (b"<!doctype html><script>1</script>", 415),
        "PDF": (b"%PDF-1.4\n", 415),
        "a cut PNG": (png[: len(png) // 2], 422),
        "a bomb": (bytes(bomb), 422),
        "floats beyond one": (floats.getvalue(), 422),
        "gzip": (b"\x1f\x8b\x08" + bytes(100), 415),
    }


@pytest.mark.parametrize("kind", bad_pictures())
def test_a_bad_picture_is_a_mistake_of_the_client(client: httpx.Client, kind: str) -> None:
    content, status = bad_pictures()[kind]
    for found in (client.post("/predict", content=content), client.post("/predict", files={"image": ("x", content)})):
        assert found.status_code == status, found.text
        assert isinstance(found.json()["detail"], str)
        assert "Traceback" not in found.text
        assert "/" not in found.text
    assert client.get("/health").status_code == 200


def test_mutated_pictures_never_make_it_fail(client: httpx.Client, picture: Path) -> None:
    draws, whole = np.random.default_rng(0), picture.read_bytes()
    statuses = set()
    for _ in range(150):
        content = bytearray(whole)
        for place in draws.integers(0, len(content), draws.integers(1, 30)):
            content[place] = draws.integers(256)
        statuses.add(client.post("/predict", content=bytes(content[: draws.integers(1, len(content) + 1)])).status_code)
    assert statuses <= {200, 415, 422}
    assert len(statuses) > 1


def test_a_body_at_the_limit_is_read_and_a_byte_more_is_not(service: Child, client: httpx.Client) -> None:
    """Announced or in chunks; the memory of the service does not keep it."""
    assert client.post("/predict", content=bytes(LIMIT)).status_code == 415
    before = service.memory()
    assert client.post("/predict", content=bytes(LIMIT + 1)).status_code == 413
    chunks = (bytes(MEGABYTE) for _ in range(11))
    assert client.post("/predict", content=chunks).status_code == 413
    boundary = {"content-type": "multipart/form-data; boundary=x"}
    assert client.post("/predict", content=bytes(LIMIT + 1), headers=boundary).status_code == 413
    assert service.memory() - before < 30 * MEGABYTE
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("head", "body", "status"),
    [
        (b"Content-Length: 1000000000000", b"", b"413"),
        (b"Content-Length: -1", b"", b"400"),
        (b"Content-Length: 5\r\nContent-Length: 6", b"hello", b"400"),
        (b"Content-Length: 5", b"hello and more than was announced", b"415"),
        (b"Content-Encoding: gzip\r\nContent-Length: 5", b"hello", b"415"),
        (b"Transfer-Encoding: chunked", b"1\r\nx\r\n" * 70_000 + b"0\r\n\r\n", b"415"),
        (b"Transfer-Encoding: chunked", b"zz\r\n", b"400"),
        (b"Content-Type: multipart/form-data\r\nContent-Length: 5", b"hello", b"400"),
    ],
)
def test_strange_bodies_are_answered_at_once(service: Child, head: bytes, body: bytes, status: bytes) -> None:
    start = time.monotonic()
    found = service.raw(
        b"POST /predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + head + b"\r\n\r\n" + body
    )
    assert found.split(b" ")[1] == status, found
    assert time.monotonic() - start < 10


def test_a_form_of_many_parts_or_none_is_refused(client: httpx.Client) -> None:
    many = {f"f{index}": (f"{index}.jpg", b"x") for index in range(100)}
    assert client.post("/predict", files=many).status_code == 400
    assert client.post("/predict", data={"a": "1"}, files={}).status_code == 415
    text = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
    boundary = {"content-type": "multipart/form-data; boundary=x"}
    assert client.post("/predict", content=text, headers=boundary).json()["detail"] == "there is no file in the form"


@pytest.mark.parametrize(
    "kind",
    ["multipart/form-data; boundary=x", "Multipart/Form-Data; boundary=x", "MULTIPART/FORM-DATA;Boundary=\"x\"",
     "multipart/form-data ; charset=utf-8; BOUNDARY=x"],
)  # fmt: skip
def test_a_form_is_one_however_its_type_is_written(client: httpx.Client, picture: Path, kind: str) -> None:
    """The names in a content type and of its parameters have no case (RFC 9110, section 8.3.1)."""
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
    body = head + picture.read_bytes() + b"\r\n--x--\r\n"
    found = client.post("/predict", content=body, headers={"content-type": kind})
    assert (found.status_code, found.json()[0]["image"]) == (200, "a.jpg")


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "text/plain", None])
@pytest.mark.parametrize("body", ['{"image": "aGVsbG8="}', " [1, 2]", '"aGVsbG8="'])
def test_json_gets_a_hint_of_what_to_send(client: httpx.Client, kind: str | None, body: str) -> None:
    found = client.post("/predict", content=body, headers={"content-type": kind} if kind else {})
    assert found.status_code == 415
    assert "JSON" in found.json()["detail"]
    assert "--data-binary" in found.json()["detail"]


def test_each_of_many_clients_gets_the_answer_to_its_own_picture(
    service: Child, same: Classifier, tmp_path: Path
) -> None:
    contents = [photo(tmp_path / f"{seed}.jpg", seed).read_bytes() for seed in range(40)]
    wanted = [prediction(same, content)[0]["probability"] for content in contents]

    def ask(content: bytes) -> float:
        (one,) = httpx.post(f"{service.url}predict", content=content, timeout=120).json()
        return float(one["top"][0]["probability"])

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(ask, contents)) == pytest.approx(wanted, abs=1e-5)
    assert len({round(one, 4) for one in wanted}) > 20


def test_more_pictures_than_may_wait_are_put_off(impatient: Child, tmp_path: Path) -> None:
    """Three may wait or be worked on; the others are told to come again, and none is lost."""
    content = photo(tmp_path / "large.jpg", size=(2000, 2000)).read_bytes()

    def ask(_: int) -> httpx.Response:
        return httpx.post(f"{impatient.url}predict", content=content, timeout=120)

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(ask, range(12)))
    assert {one.status_code for one in found} == {200, 503}
    assert {one.headers.get("retry-after") for one in found if one.status_code == 503} == {"1"}


def test_slow_clients_are_sent_away_and_nobody_waits_for_them(impatient: Child, picture: Path) -> None:
    """Heads that never end, bodies that trickle, connections that say nothing; patience is a second here."""
    httpx.get(f"{impatient.url}health", timeout=30)
    time.sleep(0.2)
    before, start = impatient.files(), time.monotonic()
    slow = [socket.create_connection(impatient.address, timeout=20) for _ in range(60)]
    for index, one in enumerate(slow):
        if index % 3:
            one.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\n")
        if index % 3 == 2:
            one.sendall(b"Content-Length: 1000\r\n\r\nx")
    (found,) = httpx.post(f"{impatient.url}predict", content=picture.read_bytes(), timeout=20).json()
    assert found["top"]
    told = [one.recv(4096) for one in slow]
    assert [found[9:12] for found in told] == [b"", b"", b"408"] * 20
    assert time.monotonic() - start < 12
    for one in slow:
        one.close()
    time.sleep(0.5)
    assert impatient.files() <= before + 1


def test_a_kept_connection_that_begins_again_and_stops_is_closed_too(impatient: Child) -> None:
    head = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
    with socket.create_connection(impatient.address, timeout=20) as one:
        one.sendall(head + b"\r\n")
        answer = b""
        while b"ok" not in answer and (more := one.recv(4096)):
            answer += more
        assert b'"ok"' in answer
        one.sendall(head)
        assert one.recv(4096) == b""


def test_what_is_under_way_is_finished_when_it_is_stopped(impatient: Child, tmp_path: Path) -> None:
    """Exit code 0, the port free, and in its whole life no connection out, no program, no pickle, no file written."""
    content = photo(tmp_path / "large.jpg", size=(2000, 2000)).read_bytes()
    head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    asking = [socket.create_connection(impatient.address, timeout=60) for _ in range(2)]
    for one in asking:
        one.sendall(head + content)
    assert httpx.get(f"{impatient.url}health", timeout=60).status_code == 200  # so those before are taken
    start = time.monotonic()
    code, told = impatient.stop()
    assert time.monotonic() - start < 15  # nine seconds of grace
    assert (code, told) == (0, "")
    assert [one.recv(1 << 16)[9:12] for one in asking] == [b"200", b"200"]
    for one in asking:
        one.close()
    socket.create_server(impatient.address).close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(impatient.url, timeout=5)


def test_the_schema_names_every_way_to_fail(client: httpx.Client) -> None:
    schema = client.get("/openapi.json").json()
    assert schema["paths"].keys() == {"/predict", "/explain", "/health", "/about"}
    assert {"200", "400", "408", "413", "415", "422", "503"} <= schema["paths"]["/predict"]["post"]["responses"].keys()


@pytest.mark.slow
def test_the_page_shows_bars_and_takes_no_markup_from_names(service: Child, picture: Path, tmp_path: Path) -> None:
    """In a real browser; one of the classes is named like a script."""
    with page(tmp_path / "profile") as one:
        one.ask("Page.navigate", url=service.url)
        one.wait("document.getElementById('about')?.textContent.includes('5 classes')")
        one.choose("#file", picture)
        one.wait("document.querySelectorAll('#answer li').length === 5")
        names = one.value("[...document.querySelectorAll('#answer b')].map((name) => name.textContent)")
        assert set(names) == set(NAMES)
        assert one.value("document.querySelectorAll('#answer script').length") == 0
        widths = one.value("[...document.querySelectorAll('progress')].map((bar) => bar.value)")
        assert widths == sorted(widths, reverse=True)
        assert one.value("document.getElementById('status').textContent").startswith("Answered in ")
        one.wait("document.getElementById('map').naturalWidth > 40")
        assert one.value("document.querySelector('#answer b').textContent") in one.value("map.alt")
        assert json.dumps(one.complaints) == "[]"
        (tmp_path / "note.txt").write_text("words alone")
        one.choose("#file", tmp_path / "note.txt")
        one.wait("document.getElementById('status').textContent.includes('not an image')")
