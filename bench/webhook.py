"""G2: a signed Twilio webhook, through uvicorn as production runs it, to a durable row and its 200."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from bench import intake, postgres
from bench.http import Http, request
from bench.processes import Server
from bench.stage import Bar, Scale, Slice, Stage, for_seconds, per_second

PATH = f"/hooks/twilio/{intake.KEY}/sms"


class Carrier:
    """Signs messages as Twilio does, and posts them over kept connections."""

    def __init__(self, server: Server, connections: list[Http]) -> None:
        self.server = server
        self.connections = connections
        self.validator = RequestValidator(intake.AUTH_TOKEN)
        self.refused = 0

    async def post(self) -> None:
        """The next message on a free connection; anything but 200 is counted."""
        connection = self.connections.pop()
        status, _ = await connection.raw(self.signed())
        self.refused += status != 200
        self.connections.append(connection)

    def signed(self) -> bytes:
        n, sender = intake.next_sender()
        form = {
            "MessageSid": f"SM{n:032d}",
            "SmsSid": f"SM{n:032d}",
            "AccountSid": "AC00000000000000000000000000000000",
            "From": sender,
            "To": "+15550000000",
            "Body": "Where is my order?",
            "NumSegments": "1",
            "NumMedia": "0",
            "FromCountry": "US",
            "ToCountry": "US",
            "SmsStatus": "received",
            "ApiVersion": "2010-04-01",
        }
        signature = self.validator.compute_signature(self.server.url + PATH, form)
        return request("POST", PATH, self.server.port, {"X-Twilio-Signature": signature}, urlencode(form).encode())


@asynccontextmanager
async def g2(scale: Scale) -> AsyncIterator[Stage]:
    """Webhook to durable to 200, 8 connections, against pgbench with the same statements as G1."""
    async with intake.filled(intake.CLIENTS) as (found, _), found.web() as server:
        carrier = Carrier(server, [await Http.open(server.port) for _ in range(intake.CLIENTS)])

        async def subject(seconds: float) -> Slice:
            before, cpu = await postgres.count(found.name, "messages"), server.cpu()
            took = await for_seconds(seconds, intake.CLIENTS, carrier.post)
            cpu = server.cpu() - cpu
            if carrier.refused:
                raise SystemExit(f"bench: {carrier.refused} webhooks were refused:\n{server.last_words()}")
            return Slice(await postgres.count(found.name, "messages") - before, took, cpu)

        async def limit(seconds: float) -> Slice:
            return await postgres.pgbench(
                found.name, postgres.INTAKE_SCRIPT, clients=intake.CLIENTS, seconds=seconds, contacts=intake.CONTACTS
            )

        bar = Bar("signed webhook to durable row to 200, 8 connections", per_second, first=0.25, goal=0.45, unit="/s")
        yield Stage("G2", limit, subject, [bar])


STAGES = {"G2": g2}
