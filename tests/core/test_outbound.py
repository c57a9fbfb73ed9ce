"""Fetching for strangers: only public hosts, whatever name, number or redirect leads elsewhere."""

from collections.abc import Callable, Sequence
from typing import Any

import httpx2
import pytest

from contact_center.core.outbound import (
    Answered,
    CannotFetch,
    Fetched,
    NeverLeft,
    Unanswered,
    exchange,
    fetch,
    is_public,
    resolved,
)

PUBLIC = "93.184.216.34"
NAMES = {
    "pictures.example": [PUBLIC],
    "v6.example": ["2606:2800:220:1::1"],
    "inside.example": ["10.0.0.7"],
    "mixed.example": [PUBLIC, "127.0.0.1"],
}


async def named(host: str, port: int) -> Sequence[str]:
    return NAMES.get(host, [])


def server(answer: Callable[[httpx2.Request], httpx2.Response]) -> tuple[httpx2.MockTransport, list[httpx2.Request]]:
    seen: list[httpx2.Request] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return answer(request)

    return httpx2.MockTransport(handle), seen


async def got(url: str, answer: Callable[[httpx2.Request], httpx2.Response], most_bytes: int = 100) -> Fetched:
    transport, _ = server(answer)
    return await fetch(url, most_bytes=most_bytes, resolve=named, transport=transport)


async def test_the_connection_goes_to_the_checked_address_and_tells_nothing_about_us() -> None:
    transport, seen = server(
        lambda _: httpx2.Response(200, stream=httpx2.ByteStream(b"png"), headers={"content-type": "image/png"})
    )
    found = await fetch("https://pictures.example/a.png", most_bytes=10, resolve=named, transport=transport)
    assert found == Fetched(b"png", "image/png")
    assert str(seen[0].url) == f"https://{PUBLIC}/a.png"
    assert seen[0].headers["host"] == "pictures.example"
    assert seen[0].extensions["sni_hostname"] == "pictures.example"
    assert {"referer", "cookie", "authorization", "origin"}.isdisjoint(seen[0].headers)


async def test_an_ipv6_host_is_asked_in_brackets() -> None:
    transport, seen = server(lambda _: httpx2.Response(200, stream=httpx2.ByteStream(b"x")))
    await fetch("http://v6.example/", most_bytes=10, resolve=named, transport=transport)
    assert str(seen[0].url) == "http://[2606:2800:220:1::1]/"


@pytest.mark.parametrize(
    "url",
    [
        "http://inside.example/",
        "http://mixed.example/",
        "http://nowhere.example/",
        "http://pictures.example:8080/",
        "http://user:secret@pictures.example/",
        "ftp://pictures.example/",
        "file:///etc/passwd",
        "//pictures.example/",
        "http://",
        "http://[::1",
    ],
)
async def test_what_is_no_plain_public_address_is_never_asked(url: str) -> None:
    transport, seen = server(lambda _: httpx2.Response(200, stream=httpx2.ByteStream(b"secret")))
    with pytest.raises(CannotFetch):
        await fetch(url, most_bytes=10, resolve=named, transport=transport)
    assert seen == []


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://localhost/", "http://2130706433/", "http://0x7f.1/"])
async def test_loopback_by_any_spelling_is_refused_by_the_systems_resolver_too(url: str) -> None:
    transport, seen = server(lambda _: httpx2.Response(200, stream=httpx2.ByteStream(b"secret")))
    with pytest.raises(CannotFetch):
        await fetch(url, most_bytes=10, resolve=resolved, transport=transport)
    assert seen == []


@pytest.mark.parametrize("target", ["http://inside.example/", "http://169.254.169.254/latest", "file:///etc/passwd"])
async def test_a_redirect_into_the_house_is_not_followed(target: str) -> None:
    async def literal(host: str, port: int) -> Sequence[str]:
        return NAMES.get(host, [host])

    transport, seen = server(lambda _: httpx2.Response(302, headers={"location": target}))
    with pytest.raises(CannotFetch):
        await fetch("http://pictures.example/", most_bytes=10, resolve=literal, transport=transport)
    assert len(seen) == 1


async def test_a_redirect_to_another_public_place_is_followed_but_not_for_ever() -> None:
    def once(request: httpx2.Request) -> httpx2.Response:
        moved = request.url.path == "/old"
        return (
            httpx2.Response(302, headers={"location": "/new"})
            if moved
            else httpx2.Response(200, stream=httpx2.ByteStream(b"here"))
        )

    assert (await got("http://pictures.example/old", once)).data == b"here"
    with pytest.raises(CannotFetch, match="circles"):
        await got("http://pictures.example/", lambda _: httpx2.Response(302, headers={"location": "/"}))


async def test_too_much_is_left_and_an_error_is_no_picture() -> None:
    with pytest.raises(CannotFetch, match="larger"):
        await got(
            "http://pictures.example/",
            lambda _: httpx2.Response(200, stream=httpx2.ByteStream(b"x" * 11)),
            most_bytes=10,
        )
    with pytest.raises(CannotFetch, match="404"):
        await got("http://pictures.example/", lambda _: httpx2.Response(404))


async def test_a_broken_line_is_an_answer_too() -> None:
    def broken(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no route")

    with pytest.raises(CannotFetch, match="no route"):
        await got("http://pictures.example/", broken)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        (PUBLIC, True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
        ("ff02::1", False),
    ],
)
def test_public_means_the_open_internet(address: str, public: bool) -> None:
    assert is_public(address) is public


EMPTY = httpx2.ByteStream(b"")
ELSEWHERE = {"location": "http://inside.example/"}


async def asked(url: str, answer: Callable[[httpx2.Request], httpx2.Response], **more: Any) -> Answered:
    transport, _ = server(answer)
    return await exchange("POST", url, headers={"x": "1"}, content=b"hi", resolve=named, transport=transport, **more)


async def test_a_request_goes_to_the_checked_address_once_and_follows_nothing() -> None:
    transport, seen = server(lambda _: httpx2.Response(302, headers=ELSEWHERE, stream=EMPTY))
    url = "https://pictures.example:8443/send?a=1"
    answer = await exchange("POST", url, headers={"x": "1"}, content=b"hi", resolve=named, transport=transport)
    assert answer == Answered(302, b"", "http://inside.example/")
    [request] = seen
    assert str(request.url) == f"https://{PUBLIC}:8443/send?a=1"
    assert (request.headers["host"], request.headers["x"], request.content) == ("pictures.example:8443", "1", b"hi")


@pytest.mark.parametrize(
    "url", ["http://inside.example/", "http://mixed.example/", "http://nowhere.example/", "ftp://pictures.example/"]
)
async def test_what_is_refused_never_left(url: str) -> None:
    with pytest.raises(NeverLeft):
        await asked(url, lambda _: httpx2.Response(200, stream=EMPTY))


async def test_the_operator_may_name_hosts_of_our_own_network_with_their_port() -> None:
    found = await asked(
        "http://inside.example:8080/", lambda _: httpx2.Response(200, stream=EMPTY), private=["inside.example:8080"]
    )
    assert found.status == 200
    with pytest.raises(NeverLeft):
        await asked(
            "http://inside.example:22/", lambda _: httpx2.Response(200, stream=EMPTY), private=["inside.example:8080"]
        )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx2.ConnectError("refused"), NeverLeft),
        (httpx2.ConnectTimeout("slow"), NeverLeft),
        (httpx2.ReadTimeout("silent"), Unanswered),
        (httpx2.RemoteProtocolError("cut"), Unanswered),
    ],
)
async def test_what_never_left_is_told_from_what_nobody_answered(error: Exception, expected: type[Exception]) -> None:
    def fail(_: httpx2.Request) -> httpx2.Response:
        raise error

    with pytest.raises(expected):
        await asked("http://pictures.example/", fail)


async def test_a_long_answer_is_cut() -> None:
    long = httpx2.ByteStream(b"x" * 1_000)
    found = await asked("http://pictures.example/", lambda _: httpx2.Response(200, stream=long), most_bytes=10)
    assert found.body == b"x" * 10
