"""A bridge from Telegram to a contact center's messaging account, both ways: uvicorn telegram_bridge:app

TELEGRAM_TOKEN     of the bot; its webhook is set to https://this-host/telegram with TELEGRAM_SECRET as secret_token
DESK_URL           the webhook address that the account's page shows
DESK_SECRET        the account's signing secret (whsec_…)
"""

import hmac
import json
import os
from datetime import UTC, datetime

import httpx2
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN, SECRET = os.environ["TELEGRAM_TOKEN"], os.environ["TELEGRAM_SECRET"]
DESK_URL, SIGNED = os.environ["DESK_URL"], Webhook(os.environ["DESK_SECRET"])
http = httpx2.AsyncClient(timeout=10)


async def from_telegram(request: Request) -> Response:
    """A message to the bot goes to the contact center; Telegram asks again until we answer 200."""
    given = request.headers.get("x-telegram-bot-api-secret-token", "")
    if not hmac.compare_digest(given, SECRET):
        return Response(status_code=403)
    update = await request.json()
    message = update.get("message") or {}
    if "text" not in message:
        return Response(status_code=200)
    told = {
        "type": "message",
        "id": str(update["update_id"]),
        "from": {"id": str(message["chat"]["id"]), "name": message["from"].get("first_name", "")},
        "text": message["text"],
    }
    body, now = json.dumps(told), datetime.now(UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": told["id"],
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": SIGNED.sign(told["id"], now, body),
    }
    answer = await http.post(DESK_URL, content=body, headers=headers)
    return Response(status_code=200 if answer.is_success else 502)


async def from_desk(request: Request) -> Response:
    """An agent's answer goes to Telegram."""
    try:
        told = SIGNED.verify(await request.body(), dict(request.headers))
    except (WebhookVerificationError, ValueError):
        return Response(status_code=403)
    texts = [told["text"], *(file["url"] for file in told["files"])]
    answer = await http.post(
        f"https://api.telegram.org/bot{TOKEN}/sendMessage",
        json={"chat_id": told["to"]["id"], "text": "\n".join(filter(None, texts))},
    )
    if not answer.is_success:
        return JSONResponse({"detail": answer.json().get("description", "")}, status_code=422)
    return JSONResponse({"id": f"{told['to']['id']}-{answer.json()['result']['message_id']}"})


app = Starlette(
    routes=[
        Route("/telegram", from_telegram, methods=["POST"]),
        Route("/desk", from_desk, methods=["POST"]),
    ]
)
