"""DKIM: what leaves is signed so that the library's own check believes it, and bad keys are named."""

from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from channels.base import SendFailed
from channels.email import dkim_keys
from channels.email.dkim_keys import Signer
from channels.email.send import MailSender
from contact_center import check
from contact_center.core.errors import Invalid
from contact_center.core.settings import Settings
from tests.channels.desk import Desk
from tests.channels.email.letters import mailbox
from tests.channels.email.servers import other_server
from tests.channels.email.test_smtp import outbound

PEM = dkim_keys.new_key()
SIGNER = Signer(
    "shop.test",
    "desk",
    dkim_keys.opened(PEM.encode()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ),
)


def dns(name: bytes, timeout: int = 5) -> bytes:
    """The DNS of a world in which one key is published."""
    return SIGNER.record.encode() if name.decode().rstrip(".") == SIGNER.name else b""


def believed(raw: bytes) -> bool:
    return bool(dkim.verify(raw, dnsfunc=dns))


async def sent(desk: Desk, **values: Any) -> bytes:
    async with other_server() as other:
        settings = {
            "smtp": {"host": "127.0.0.1", "port": other.port, "security": "none"},
            "dkim": {"domain": "shop.test", "selector": "desk", "signs": True},
        }
        account = await mailbox(desk, **{"settings": settings, "secrets": {"dkim": {"key": PEM}}, **values})
        await MailSender(desk.services.vault, desk.services.files).send(outbound(account, text="Chào bạn\n\n.\n--  \n"))
        return bytes(other.mails[0][2])


async def test_what_arrives_is_believed(sqlite_desk: Desk) -> None:
    raw = await sent(sqlite_desk)
    assert raw.startswith(b"DKIM-Signature: ")
    assert b"s=desk;" in raw
    assert believed(raw)


@pytest.mark.parametrize(
    "change",
    [
        (b"Subject: Re: My order", b"Subject: Re: Your money"),
        (b"\r\n\r\n", b"\r\n\r\nSend money. "),
        (b"DKIM-Signature:", b"Subject: Win!\r\nDKIM-Signature:"),
        (b"DKIM-Signature:", b"Cc: eve@evil.test\r\nDKIM-Signature:"),
    ],
)
async def test_nothing_can_be_changed_or_put_in_front(sqlite_desk: Desk, change: tuple[bytes, bytes]) -> None:
    raw = await sent(sqlite_desk)
    assert change[0] in raw
    assert not believed(raw.replace(*change, 1))


async def test_a_key_that_cannot_be_used_stops_the_mail(sqlite_desk: Desk) -> None:
    settings = {"dkim": {"domain": "shop.test", "selector": "desk", "signs": True}}
    account = await mailbox(sqlite_desk, settings=settings, secrets={"dkim": {"key": "nonsense"}})
    with pytest.raises(SendFailed) as failed:
        await MailSender(sqlite_desk.services.vault, sqlite_desk.services.files).send(outbound(account))
    assert (failed.value.code, failed.value.retryable) == ("dkim_key", False)


async def test_a_prepared_key_signs_nothing_yet(sqlite_desk: Desk) -> None:
    account = await mailbox(
        sqlite_desk, settings={"dkim": {"domain": "a.test", "selector": "s"}}, secrets={"dkim": {"key": PEM}}
    )
    assert dkim_keys.signer_of(account) is None
    assert (found := dkim_keys.prepared(account)) is not None
    assert found.name == "s._domainkey.a.test"
    assert found.record.startswith("v=DKIM1; k=rsa; p=MIIB")


async def test_a_mailbox_without_a_key_of_its_own_signs_with_the_installations(sqlite_desk: Desk) -> None:
    settings = {"dkim": {"domain": "shop.test", "selector": "desk", "signs": True}}
    other = dkim_keys.new_key()
    bare = await mailbox(sqlite_desk, settings=settings, secrets={"dkim": {}})
    own = await mailbox(sqlite_desk, address="b@shop.test", settings=settings, secrets={"dkim": {"key": other}})

    assert (found := dkim_keys.signer_of(bare, PEM)) is not None
    assert (found.record, found.key) == (SIGNER.record, SIGNER.key)
    assert (theirs := dkim_keys.signer_of(own, PEM)) is not None
    assert theirs.record != SIGNER.record
    with pytest.raises(Invalid):
        dkim_keys.signer_of(bare)
    async with other_server() as server:
        smtp = {"smtp": {"host": "127.0.0.1", "port": server.port, "security": "none"}}
        account = await mailbox(sqlite_desk, address="c@shop.test", settings={**settings, **smtp})
        sender = MailSender(sqlite_desk.services.vault, sqlite_desk.services.files, dkim_key=PEM)
        await sender.send(outbound(account))
        assert believed(bytes(server.mails[0][2]))


def test_the_installations_key_comes_from_a_file_and_the_check_names_a_bad_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "dkim.pem"
    monkeypatch.setenv("CONTACT_CENTER_DKIM_KEY_FILE", str(file))
    for content, wrong in ((PEM, 0), ("nonsense", 1)):
        file.write_text(content)
        settings = Settings(data_dir=tmp_path, port=1)
        assert settings.dkim_key == content.strip()
        said = [found.what() for found in check.findings(settings) if "signed" in found.what()]
        assert len(said) == wrong


def pem(key: Any, password: bytes | None = None) -> bytes:
    sealed = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    held: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed)
    return held


def test_a_bad_key_is_named() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    for bad, said in (
        (b"", "not a private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "not a private key"),
        (pem(short, b"secret"), "has a passphrase"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "Only RSA keys"),
    ):
        with pytest.raises(Invalid, match=said):
            dkim_keys.opened(bad)
    assert dkim_keys.opened(b"\n " + pem(short)).key_size == 1024


@pytest.mark.parametrize(("domain", "selector"), [("shop", "desk"), ("shop.test", "a b"), ("a.b;c", "x"), ("", "x")])
def test_names_are_those_of_the_dns(domain: str, selector: str) -> None:
    with pytest.raises(Invalid):
        dkim_keys.check_names(domain, selector)
    assert dkim_keys.check_names(" Shop.Test ", "Desk-1") == ("shop.test", "desk-1")
