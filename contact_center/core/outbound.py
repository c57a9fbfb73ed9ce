"""Asking at addresses that others chose: public hosts only, few bytes, little time, nothing about us told.

1. The host is resolved once, and every address it has must be a public one.
2. The connection goes to the address that was checked, so that a second answer of the name server changes nothing.
3. Each redirect is a new address and passes the same checks.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from socket import SOCK_STREAM

import httpx2

MOST_REDIRECTS = 3
CONNECT_SECONDS = 5.0  # less than the whole, so that a host that takes no connection is told from a silent one
PORTS = {"http": 80, "https": 443}
NAT64 = IPv6Network("64:ff9b::/96")

# host, port -> its addresses
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class CannotFetch(Exception):
    """There is nothing to have there, or we do not go there."""


class NeverLeft(Exception):
    """Not a byte of the request left us: the address is refused, unknown or answers no connection."""


class Unanswered(Exception):
    """The request left, and nobody knows what became of it."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address gave; `content_type` is only what its server claims."""

    data: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What a server said to a request; `location` where it wants to have it instead."""

    status: int
    body: bytes
    location: str = ""


# What fails before a byte of the request has left: the very same request may be made again.
_BEFORE = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


async def resolved(host: str, port: int) -> Sequence[str]:
    """All addresses of a host, as the system's resolver has them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


async def fetch(
    url: str,
    *,
    most_bytes: int,
    seconds: float = 10,
    resolve: Resolve = resolved,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> Fetched:
    """GET a public http(s) address, following a few redirects; raises CannotFetch."""
    try:
        async with asyncio.timeout(seconds), _client(seconds, transport) as client:
            return await _follow(client, url, most_bytes, resolve)
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError, UnicodeError) as error:
        raise CannotFetch(f"{type(error).__name__}: {error}") from error


async def exchange(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes = b"",
    most_bytes: int = 65_536,
    seconds: float = 15,
    private: Sequence[str] = (),
    resolve: Resolve = resolved,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> Answered:
    """One request to an address that an administrator entered, made once; raises NeverLeft or Unanswered.

    Redirects are not followed. `private` are the `host:port` of our own network that the operator lets us go to.
    An answer is cut after `most_bytes`.
    """
    left = False
    try:
        async with asyncio.timeout(seconds), _client(seconds, transport) as client:
            request = await _addressed(client, method, url, headers, content, private, resolve)
            left = True
            answer = await client.send(request, stream=True)
            try:
                body = await _head(answer, most_bytes)
            finally:
                await answer.aclose()
            return Answered(answer.status_code, body, answer.headers.get("location", ""))
    except (CannotFetch, *_BEFORE, httpx2.InvalidURL, UnicodeError) as error:
        raise NeverLeft(str(error) or type(error).__name__) from error
    except (httpx2.HTTPError, TimeoutError, OSError) as error:
        outcome = Unanswered if left else NeverLeft
        raise outcome(f"{type(error).__name__}: {error}") from error


def _client(seconds: float, transport: httpx2.AsyncBaseTransport | None) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=transport,
        verify=trust(),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
        # Unpacked bytes are not what the limit counts, so none are asked for.
        headers={"user-agent": "contact-center", "accept-encoding": "identity"},
    )


async def _addressed(
    client: httpx2.AsyncClient,
    method: str,
    url: str,
    headers: Mapping[str, str],
    content: bytes,
    private: Sequence[str],
    resolve: Resolve,
) -> httpx2.Request:
    """The request to the address that was checked, for the host that was meant."""
    asked = httpx2.URL(url)
    port = asked.port or PORTS.get(asked.scheme)
    if port is None or asked.userinfo or not asked.host:
        raise CannotFetch("it is no http or https address")
    addresses = await resolve(asked.raw_host.decode("ascii"), port)
    own = f"{asked.host}:{port}" in private
    if not addresses or not (own or all(is_public(address) for address in addresses)):
        raise CannotFetch(f"{asked.host} is not a public host")
    return client.build_request(
        method,
        asked.copy_with(host=addresses[0]),
        headers={**headers, "host": asked.netloc.decode("ascii")},
        content=content,
        extensions={"sni_hostname": asked.raw_host.decode("ascii")},
    )


async def _follow(client: httpx2.AsyncClient, url: str, most_bytes: int, resolve: Resolve) -> Fetched:
    for _ in range(MOST_REDIRECTS + 1):
        asked = httpx2.URL(url)
        request = client.build_request(
            "GET",
            asked.copy_with(host=await checked(asked, resolve)),
            headers={"host": asked.netloc.decode("ascii")},
            extensions={"sni_hostname": asked.raw_host.decode("ascii")},
        )
        answer = await client.send(request, stream=True)
        try:
            if answer.is_redirect:
                url = str(asked.join(answer.headers["location"]))
                continue
            return await _read(answer, most_bytes)
        finally:
            await answer.aclose()
    raise CannotFetch("it redirects in circles")


async def checked(url: httpx2.URL, resolve: Resolve) -> str:
    """The public address to connect to; CannotFetch for what is no plain public http(s) address."""
    port = PORTS.get(url.scheme)
    if port is None or url.userinfo or url.port not in (None, port) or not url.host:
        raise CannotFetch("only plain http and https addresses on their usual ports are fetched")
    addresses = await resolve(url.raw_host.decode("ascii"), port)
    if not addresses or not all(is_public(address) for address in addresses):
        raise CannotFetch(f"{url.host} is not a public host")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet, also when it is wrapped in another one."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        inner = ip.sixtofour or (IPv4Address(int(ip) & 0xFFFF_FFFF) if ip in NAT64 else None)
        if inner is not None and not is_public(str(inner)):
            return False
    return ip.is_global and not ip.is_multicast


async def _read(answer: httpx2.Response, most_bytes: int) -> Fetched:
    if answer.status_code != httpx2.codes.OK:
        raise CannotFetch(f"it answered {answer.status_code}")
    parts: list[bytes] = []
    size = 0
    async for part in answer.aiter_raw():
        size += len(part)
        if size > most_bytes:
            raise CannotFetch(f"it is larger than {most_bytes} bytes")
        parts.append(part)
    return Fetched(b"".join(parts), answer.headers.get("content-type", ""))


async def _head(answer: httpx2.Response, most_bytes: int) -> bytes:
    """The first bytes of an answer, whatever it says."""
    found = b""
    async for part in answer.aiter_raw():
        found += part
        if len(found) >= most_bytes:
            break
    return found[:most_bytes]


@cache
def trust() -> ssl.SSLContext:
    """The system's certificates, read once a process: a client without it reads them for itself, in 20 ms."""
    return ssl.create_default_context()
