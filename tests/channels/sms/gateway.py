"""A gateway on loopback, over real HTTP: eSMS's published protocol, signed messages and reports back to us."""

import asyncio
import base64
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx2

from channels.sms.gateway.presets import PRESETS
from tests.channels.desk import Desk

API_KEY, SECRET_KEY, PRIVATE_KEY = "api-key", "secret-key", "17417a0d20114d36a902e49cad0e97f3"
CPID = "cp-7"


@dataclass
class Gateway:
    """The gateway's state; `fault` is what goes wrong with the next request of ours."""

    requests: list[Mapping[str, Any]] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)
    fault: str = ""
    port: int = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def settings(self, **more: Any) -> dict[str, Any]:
        """An account's settings for it."""
        values = {**PRESETS["esms"].values, "url": f"http://{self.host}/MainService.svc/json/Send/"}
        return {"provider": "gateway", "region": "VN", "zone": "Asia/Ho_Chi_Minh", "gateway": {**values, **more}}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer, as HTTP/1.1."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split("\r\n")[0] or 0)
        status, body = self._take(json.loads(await reader.readexactly(length)))
        if status:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: {len(content)}\r\n\r\n".encode() + content)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
        writer.close()

    def _take(self, form: Mapping[str, Any]) -> tuple[int, Any]:
        self.requests.append(form)
        fault, self.fault = self.fault, ""
        if fault == "busy":
            return 429, {}
        if (form["ApiKey"], form["SecretKey"]) != (API_KEY, SECRET_KEY):
            return 200, {"CodeResult": "101", "ErrorMessage": "Authorize Failed"}
        if form["RequestId"] in self.taken:
            return 200, {"CodeResult": "124", "ErrorMessage": "Duplicate RequestId"}
        sms_id = f"{len(self.taken) + 1:032x}"
        self.taken[form["RequestId"]] = sms_id
        match fault:
            case "answer lost":
                return 0, None
            case "gateway":
                return 502, b"<html>bad gateway</html>"
            case "garbled":
                return 200, b"<html>ok</html>"
        return 200, {"CodeResult": "100", "CountRegenerate": 0, "SMSID": sms_id}

    async def text(self, desk: Desk, key: str, body: str, **more: str) -> httpx2.Response:
        """A customer's SMS to the short code, signed as the gateway signs it."""
        sms_id = more.pop("smsid", None) or f"mo-{len(body)}-{abs(hash(body))}"
        fields = {"sender": "84903123456", "content": body, "serviceNumber": "8079", "keyword": body.split()[0]}
        fields |= {"cpid": CPID, "smsid": sms_id, "receiverTime": "20261122170000", **more}
        text = CPID + sms_id + fields["content"] + fields["receiverTime"] + PRIVATE_KEY
        digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
        fields.setdefault("sign", base64.b64encode(digest).decode())
        return await desk.http.get(f"/hooks/sms/{key}/in?{urlencode(fields)}")

    async def report(self, desk: Desk, request: Mapping[str, Any], *, delivered: bool) -> httpx2.Response:
        """What became of a message, to the address that we gave with it."""
        fields = {"SMSID": self.taken[request["RequestId"]], "SendStatus": "5", "RequestId": request["RequestId"]}
        fields |= {"SendSuccess": "1" if delivered else "0", "SendFailed": "0" if delivered else "1", "TypeId": "2"}
        return await desk.http.get(f"{request['CallbackUrl']}?{urlencode(fields)}")


@contextlib.asynccontextmanager
async def open_gateway() -> AsyncIterator[Gateway]:
    """A running gateway on a port of its own."""
    gateway = Gateway()
    server = await asyncio.start_server(gateway.answer, "127.0.0.1", 0)
    gateway.port = server.sockets[0].getsockname()[1]
    async with server:
        yield gateway
