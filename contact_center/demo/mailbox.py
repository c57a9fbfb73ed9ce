"""The customers' mail server of the demo, and your mailbox in it: everything goes out and comes in by real SMTP."""

import email
import random
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage, Message
from email.policy import default
from email.utils import formataddr, make_msgid
from typing import Any

import aiosmtplib
import structlog
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.loops import Loop
from contact_center.core.services import Services, services
from contact_center.demo.cast import MAIL_ADDRESS, SHOP
from contact_center.demo.loopback import free_port
from contact_center.demo.photo import crushed_parcel
from contact_center.demo.scripts import Script
from contact_center.demo.shoppers import Shopper, yours
from contact_center.demo.talk import Talk
from tickets import channel_accounts
from tickets.states import Channel

YOU = "you@mailbox.example"
YOUR_NAME = "Robin"
# Whose mail comes into your mailbox: yours, and that of the customers whom you can be in the shop. Address -> name.
OWN = {YOU: YOUR_NAME} | {shopper.email: shopper.name for shopper in yours()}
KEPT = 200
STEP_SECONDS = 1.0
SMTP_SECONDS = 10.0
MOST_TRIES = 20
LONGEST_RETRY_SECONDS = 10

log = structlog.get_logger()


@dataclass(slots=True)
class Letter:
    """A mail in your mailbox, in or out. `delivered_at`: when the contact center's server has taken it."""

    number: int
    at: datetime
    outgoing: bool
    other: str
    subject: str
    text: str
    message_id: str
    # Your address on it: another one while you are signed in at the shop as one of its customers.
    own: str = YOU
    read: bool = False
    delivered_at: datetime | None = None


@dataclass(slots=True)
class Outgoing:
    """A mail on its way to the contact center: kept and tried again until its server takes it, as mail servers do."""

    mail: EmailMessage
    sender: str
    letter: Letter | None = None
    tries: int = 0
    due: datetime = field(default_factory=utcnow)


class MailServer:
    """Takes what the contact center sends, keeps your mail, and lets simulated customers answer theirs."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.letters: deque[Letter] = deque(maxlen=KEPT)
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self._talks: dict[str, tuple[Talk, int]] = {}
        self._answers: list[tuple[datetime, str, Message]] = []
        self._outgoing: list[Outgoing] = []
        self._number = 0
        self._services: Services | None = None

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """One mail of ours, to a customer or to the shop itself (in the server's own thread: only appends)."""
        assert isinstance(envelope.content, bytes)
        mail = email.message_from_bytes(envelope.content, policy=default)
        for recipient in envelope.rcpt_tos:
            if recipient.lower() == MAIL_ADDRESS:
                assert isinstance(mail, EmailMessage)
                self._outgoing.append(Outgoing(mail, envelope.mail_from or ""))
            elif recipient.lower() in OWN:
                self._keep(mail, outgoing=False, own=recipient.lower())
            else:
                wait = timedelta(seconds=self.rng.uniform(20, 90))
                self._answers.append((utcnow() + wait, recipient.lower(), mail))
        return "250 OK"

    def _keep(self, mail: Message, *, outgoing: bool, own: str) -> Letter:
        body = mail.get_body(("plain",)) if isinstance(mail, EmailMessage) else None
        self._number += 1
        letter = Letter(
            number=self._number,
            at=utcnow(),
            outgoing=outgoing,
            other=str(mail["To"] if outgoing else mail["From"]),
            subject=str(mail["Subject"] or ""),
            text=body.get_content() if body is not None else "",
            message_id=str(mail["Message-ID"] or ""),
            own=own,
            read=outgoing,
        )
        self.letters.append(letter)
        return letter

    def loop(self, held: Services) -> Loop:
        """The loop that opens the server, tells the mail account its port, and lets customers answer."""
        self._services = held
        return Loop("demo-mailbox", self.step, STEP_SECONDS, close=self.close)

    async def step(self) -> bool:
        """Open once; then send what is due."""
        assert self._services is not None
        if self.controller.server is None:
            self.controller.start()
            await self._services.db.write(_point_account, self._services, self.controller.port, utcnow())
        due = [answer for answer in self._answers if answer[0] <= utcnow()]
        for answer in due:
            self._answers.remove(answer)
            await self._go_on(answer[1], answer[2])
        for outgoing in [one for one in self._outgoing if one.due <= utcnow()]:
            await self._try(outgoing)
        return False

    async def close(self) -> None:
        """Stop listening."""
        if self.controller.server is not None:
            self.controller.stop()

    async def begin(self, shopper: Shopper, script: Script, talk: Talk) -> None:
        """A simulated customer writes their first mail, with a photo where the matter has one."""
        first = talk.line(0)
        assert first is not None
        subject = script.words[shopper.locale].subject.format(order=shopper.order, item=shopper.item, name="")
        mail = _mail(f"{shopper.name} <{shopper.email}>", subject, first)
        if script.photo:
            mail.add_attachment(
                crushed_parcel(self.rng.randrange(10**6)), maintype="image", subtype="png", filename="photo.png"
            )
        self._talks[shopper.email] = (talk, 1)
        await self._hand_in(mail, shopper.email)

    async def _go_on(self, address: str, received: Message) -> None:
        talk, said = self._talks.get(address, (None, 0))
        line = talk.line(said) if talk is not None else None
        if talk is None or line is None or received["Auto-Submitted"] not in (None, "no"):
            return
        self._talks[address] = (talk, said + 1)
        await self._hand_in(_reply(address, received, line), address)

    async def _hand_in(self, mail: EmailMessage, sender: str, letter: Letter | None = None) -> None:
        """Take a mail and bring it at once; what its receiver does not take now is tried again."""
        outgoing = Outgoing(mail, sender, letter)
        self._outgoing.append(outgoing)
        await self._try(outgoing)

    async def _try(self, outgoing: Outgoing) -> None:
        assert self._services is not None
        settings = self._services.settings
        outgoing.tries += 1
        outgoing.due = utcnow() + timedelta(seconds=min(2**outgoing.tries, LONGEST_RETRY_SECONDS))
        try:
            await aiosmtplib.send(
                outgoing.mail,
                sender=outgoing.sender,
                recipients=[str(outgoing.mail["To"].addresses[0].addr_spec)],
                hostname=settings.smtp_in_host,
                port=settings.smtp_in_port,
                start_tls=False,
                timeout=SMTP_SECONDS,
            )
        except (OSError, aiosmtplib.SMTPException) as error:
            log.info("demo.mail_waits", tries=outgoing.tries, error=type(error).__name__)
            if outgoing.tries < MOST_TRIES:
                return
        else:
            if outgoing.letter is not None:
                outgoing.letter.delivered_at = utcnow()
        self._outgoing.remove(outgoing)

    def routes(self) -> list[Route]:
        """Your mailbox."""
        return [
            Route("/demo/mailbox", self.show),
            Route("/demo/mailbox/state", self.state),
            Route("/demo/mailbox", self.write, methods=["POST"]),
        ]

    async def state(self, request: Request) -> Response:
        """What changes when a letter comes in or goes out; the page looks again when it does."""
        shown = [f"{one.number}:{one.delivered_at is not None}:{one.read}" for one in self.letters]
        return JSONResponse({"state": " ".join(shown)})

    async def show(self, request: Request) -> Response:
        """All your letters, the newest first; one of them is open."""
        wanted = request.query_params.get("letter", "")
        letters = list(reversed(self.letters))
        open_letter = next((one for one in letters if str(one.number) == wanted), letters[0] if letters else None)
        # A page that only looks again has opened nothing.
        if open_letter is not None and "again" not in request.query_params:
            open_letter.read = True
        html = services(request).templates.render(
            await locale_of(request),
            "demo/mailbox.html",
            shop=SHOP,
            you=YOU,
            address=MAIL_ADDRESS,
            letters=letters,
            open=open_letter,
            writing="write" in request.query_params,
            shell=None,
        )
        return HTMLResponse(html)

    async def write(self, request: Request) -> Response:
        """Send a new mail, or an answer to letter `to`."""
        form = await request.form()
        text, subject, to = (str(form.get(name, "")).strip() for name in ("text", "subject", "to"))
        if text:
            own = self._letter(to).own if to else YOU
            mail = self._answer_to(to, text) if to else _mail(_sender(own), subject or text[:60], text)
            letter = self._keep(mail, outgoing=True, own=own)
            await self._hand_in(mail, own, letter)
        return RedirectResponse("/demo/mailbox", 303)

    def _letter(self, number: str) -> Letter:
        letter = next((one for one in self.letters if str(one.number) == number), None)
        if letter is None:
            raise NotFound("There is no such page.")
        return letter

    def _answer_to(self, number: str, text: str) -> EmailMessage:
        letter = self._letter(number)
        mail = _mail(_sender(letter.own), _re(letter.subject), f"{text}\n\n{_quoted(letter.text)}", to=letter.other)
        mail["In-Reply-To"] = mail["References"] = letter.message_id
        return mail


def _sender(own: str) -> str:
    """You, as a mail's From says it."""
    return formataddr((OWN[own], own))


def _mail(sender: str, subject: str, text: str, *, to: str = MAIL_ADDRESS) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"], mail["Message-ID"] = utcnow(), make_msgid(domain="mailbox.example")
    mail.set_content(text)
    return mail


def _reply(address: str, received: Message, text: str) -> EmailMessage:
    mail = _mail(address, _re(str(received["Subject"])), text, to=str(received["Reply-To"] or received["From"]))
    mail["In-Reply-To"] = mail["References"] = str(received["Message-ID"])
    return mail


def _re(subject: str) -> str:
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def _point_account(tx: Any, held: Services, port: int, now: datetime) -> None:
    """Let the shop's mail account send through this server."""
    account = channel_accounts.by_name(tx, held.vault, "Shop mail", Channel.EMAIL)
    smtp = {"host": "127.0.0.1", "port": port, "security": "none"}
    channel_accounts.change(
        tx, held.vault, account.id, now=now, values={"settings": {**account.settings, "smtp": smtp}}
    )
