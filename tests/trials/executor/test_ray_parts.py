"""What surrounds Ray and needs no cluster: addresses, versions of nodes, places, and files cut into pieces."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale.errors import InputError
from triscale.trials.executor import ray_connect, ray_ship
from triscale.trials.executor.ray_nodes import Node, alive, difference, expected, sources
from triscale.trials.executor.ray_team import probe


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def _no_cluster(address: str, reason: str) -> None:
    with pytest.raises(InputError, match=f"(?s)no Ray cluster to work on at {address}: .*{reason}") as caught:
        ray_connect.connect(address)
    assert len(str(caught.value).splitlines()) <= 3
    assert InputError.exit_code == 65


@pytest.mark.parametrize(
    ("address", "reason"), [("127.0.0.1:1", "Connection refused"), ("no-such-host.invalid:6379", "known")]
)
def test_an_address_that_nobody_answers_is_an_error_with_its_name(address: str, reason: str) -> None:
    """Ray alone would wait for ever for a closed port and for a host that is not there."""
    _no_cluster(address, reason)


def test_a_server_that_says_nothing_is_an_error_with_its_name(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray alone would wait for ever."""
    pytest.importorskip("ray")
    monkeypatch.setattr(ray_connect, "ANSWER", 3.0)
    _no_cluster(silent, "no answer in 3 s")


@pytest.mark.parametrize("address", ["head", "ray://head:10001", "head:port", ":6379", "http://head:6379"])
def test_an_address_of_another_form_is_an_error_that_shows_the_form(address: str) -> None:
    """Ray's clients cannot see their nodes."""
    with pytest.raises(InputError, match="is not HOST:PORT"):
        ray_connect.connect(address)


def test_a_token_that_is_wrong_and_versions_that_differ_are_told_apart() -> None:
    """The words are those of Ray 2.60."""
    token = ray_connect._refused("head:6379", "ray.exceptions.AuthenticationError: RPC error: InvalidAuthToken: ...")
    assert "RAY_AUTH_TOKEN_PATH" in str(token)
    other = ray_connect._refused(
        "head:6379", "Version mismatch: The cluster was started with:\n  Ray: 2.55\nThis process"
    )
    assert "Version mismatch" in str(other)


def test_a_node_answers_with_the_versions_of_this_process() -> None:
    """Asked here, nothing differs; each difference is named, and other sources only where the version is the same."""
    here = expected()
    there = probe()(("torch",), [__file__, "/not/there"])
    assert there == {"versions": here, "missing": ["/not/there"]}
    assert difference(here, there["versions"]) is None
    assert difference(here, {**here, "torch": "0.1"}) == f"has torch 0.1 where the driver has {here['torch']}"
    assert difference(here, {**here, "sources of triscale": "0"}) == "has other sources of the same version of triscale"
    missing = {**here, "triscale": "none", "sources of triscale": "none"}
    assert difference(here, missing) == f"has triscale none where the driver has {here['triscale']}"


def test_the_digest_of_sources_sees_every_file(tmp_path: Path) -> None:
    """A name and a byte count."""
    (tmp_path / "a.py").write_text("1")
    first = sources(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    second = sources(tmp_path)
    (tmp_path / "b.py").write_text("2")
    assert len({first, second, sources(tmp_path)}) == 3


def test_a_node_has_as_many_places_as_cores_and_gpus_allow() -> None:
    """A head without cores has none; half a GPU makes two."""
    node = Node(id="a", name="a", cores=16, gpus=4)
    assert [node.rooms(1, 0), node.rooms(4, 1), node.rooms(8, 1), node.rooms(1, 0.5), node.rooms(1, 8)] == [
        16,
        4,
        2,
        8,
        0,
    ]
    assert Node(id="a", name="a", cores=0, gpus=0).rooms(1, 0) == 0
    dead = {"NodeID": "b", "NodeManagerHostname": "h", "NodeManagerAddress": "1.2.3.4", "Resources": {}, "Alive": False}
    assert alive([dead, {**dead, "Alive": True}]) == [Node(id="b", name="h (1.2.3.4)", cores=0, gpus=0)]


@given(
    contents=st.dictionaries(st.sampled_from(["a", "b/c", "b/d e", "ü"]), st.binary(max_size=200)),
    chunk=st.integers(1, 70),
)
def test_files_come_out_of_pieces_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, contents: dict[str, bytes], chunk: int
) -> None:
    """Empty ones, those larger than a chunk, and those that end with one."""
    root = tmp_path_factory.mktemp("data")
    (root / "from").mkdir()
    for name, content in contents.items():
        (root / "from" / name).parent.mkdir(exist_ok=True)
        (root / "from" / name).write_bytes(content)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ray_ship, "CHUNK", chunk)
        for pieces in ray_ship.pieces(root / "from"):
            assert sum(len(data) for _, _, data in pieces) <= chunk
            ray_ship._write(pieces, root / "to")
    assert {name: (root / "to" / name).read_bytes() for name in contents} == contents
