"""The built-in receiver with a certificate: STARTTLS, insisting on it, renewal without a restart, the size limit."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiosmtplib
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from channels.email.smtp_in import Certificate, MailReceiver
from contact_center.check import findings
from contact_center.core.settings import Settings
from tests.channels.desk import open_desk
from tests.channels.email.letters import SHOP, letter, mailbox
from tickets.models import JournalItem


def make_certificate(folder: Path, *, days: int = 90) -> Path:
    """A certificate for localhost with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "receiver.pem"
    plain = serialization.NoEncryption()
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    return path


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


async def test_mail_comes_over_tls_and_only_so_where_that_is_insisted_on(sqlite_url: str, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    settings = {"smtp_in_certificate": certificate, "smtp_in_require_tls": True, "max_body_mb": 1}
    async with open_desk(sqlite_url, tmp_path, **settings) as desk:
        await mailbox(desk)
        receiver = MailReceiver(desk.services)
        await receiver.start("127.0.0.1", 0)
        server = {"hostname": "localhost", "port": receiver.port}

        async with aiosmtplib.SMTP(**server, start_tls=True, tls_context=trusting(certificate)) as client:
            await client.sendmail("anna@example.test", [SHOP], letter("over TLS"))
            with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as stranger:
                await client.sendmail("anna@example.test", ["somebody@else.test"], letter("relay me"))
            with pytest.raises(aiosmtplib.SMTPResponseException) as large:
                await client.sendmail("anna@example.test", [SHOP], letter("x" * 1_500_000))
        async with aiosmtplib.SMTP(**server, start_tls=False) as client:
            with pytest.raises(aiosmtplib.SMTPResponseException) as plain:
                await client.sendmail("anna@example.test", [SHOP], letter("in the clear"))

        assert (stranger.value.recipients[0].code, large.value.code, plain.value.code) == (550, 552, 530)
        assert [row.summary for row in await desk.rows(JournalItem)] == ["My order"]
        await receiver.close()


async def test_a_renewed_certificate_is_used_without_a_restart_and_a_broken_one_is_not(tmp_path: Path) -> None:
    path = make_certificate(tmp_path)
    certificate = Certificate(path, None)
    first = certificate.context()
    assert certificate.context() is first

    path.write_text("half written")
    assert certificate.context() is first
    make_certificate(tmp_path)
    assert certificate.context() is not first


@pytest.mark.parametrize(
    ("days", "level", "says"), [(90, None, ""), (5, "warning", "ends on"), (0, "error", "cannot be used")]
)
def test_check_looks_at_the_certificate(tmp_path: Path, days: int, level: str | None, says: str) -> None:
    path = make_certificate(tmp_path, days=days or 90)
    if not days:
        path.write_text("nothing")
    settings = Settings(data_dir=tmp_path, smtp_in_port=2525, smtp_in_certificate=path)

    found = [(one.level, one.what()) for one in findings(settings, serving=True) if "certificate" in one.what()]

    assert [one[0] for one in found] == ([level] if level else [])
    assert all(says in sentence for _, sentence in found)
