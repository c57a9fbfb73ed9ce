"""The one page that shows what reacts to what: routes, handlers, senders, loops, renderers.

Nothing registers itself. A module that wants to be called is named here.
"""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute

from agent_ui import assets, fragments, live_ticket, own
from agent_ui import routes as console
from agent_ui.pages import contact, kb, qa, survey, unsubscribing
from agent_ui.pages.board_live import BoardPulse, BoardRenderer
from channels import health
from channels.base import Sender
from channels.chat import ending as chat_ending
from channels.chat import lines as chat_lines
from channels.chat import routes as chat_routes
from channels.chat.upkeep import Upkeep
from channels.cleaning import FileCleaning
from channels.delivery import DeliveryLoop
from channels.email import acknowledge
from channels.email.grants import AccessTokens
from channels.email.imap import Mailboxes
from channels.email.intake_loop import MailIntake
from channels.email.reconcile import TOPIC as MAILBOX_REPORTS
from channels.email.reconciler import Reconciler
from channels.email.send import MailSender
from channels.email.smtp_in import MailReceiver
from channels.messaging import again as messaging_again
from channels.messaging import hooks as messaging_hooks
from channels.messaging.send import MessagingSender
from channels.phone import (
    accepting,
    callbacks,
    calls,
    conference,
    conference_hooks,
    consent,
    handing_over,
    holding,
    placing,
)
from channels.phone import hooks as phone_hooks
from channels.phone import reports as phone_reports
from channels.phone.commands import TOPIC as CALL_COMMANDS
from channels.phone.flow import agents as call_agents
from channels.phone.flow import callers, retention
from channels.phone.flow import hooks as flow_hooks
from channels.phone.switchboard import Switchboard
from channels.scanning import FileScans
from channels.sms import again as sms_again
from channels.sms import consent as sms_consent
from channels.sms import hooks as sms_hooks
from channels.sms.finding import Finder
from channels.sms.gateway import hooks as gateway_hooks
from channels.sms.gateway.send import GatewaySender
from channels.sms.media import MediaLoop
from channels.sms.providers import SmsSender
from channels.sms.send import TwilioSender
from channels.sms.template_loop import TemplateLoop
from contact_center.api import customer_events
from contact_center.automations import running as rules
from contact_center.check import findings
from contact_center.core.clock import utcnow
from contact_center.core.events import OUTBOX_TOPIC, Handlers
from contact_center.core.hub import Renderer
from contact_center.core.loops import Loop
from contact_center.core.relay import GATHER_SECONDS, Relay
from contact_center.core.services import Services
from contact_center.core.templates import Templates
from contact_center.running import export as export_stuck
from knowledge_base import articles, harvest, help_center, topic_lessons
from routing import placement, profiles
from routing.connections import RENEW_SECONDS
from routing.engine import Engine
from routing.invariants import export as export_invariants
from routing.timers import timer_loop
from tickets import counters, inbox, notifications, scheduled, search, sla_clocks, timers
from tickets.acknowledge import on_ticket_created as acknowledge_text
from tickets.customers import last_contact
from tickets.quality import complaints, surveys
from tickets.sensitive import masking

ROOT = Path(__file__).parent.parent

# event -> functions(tx, event, now), in this order, in the relay's transaction.
HANDLERS: Handlers = {
    "survey.answered": [harvest.on_survey_answered],
    "ticket.created": [
        sla_clocks.on_ticket_created,
        placement.on_ticket_created,
        acknowledge.on_ticket_created,
        acknowledge_text,
        search.on_ticket_created,
    ],
    "message.created": [
        sla_clocks.on_message,
        counters.on_message,
        placement.on_message_created,
        complaints.on_message_created,
        scheduled.on_message_created,
        notifications.on_message_created,
        last_contact.on_message_created,
    ],
    "message.moved": [sla_clocks.on_message_moved],
    "service_level.changed": [sla_clocks.on_service_level_changed],
    "message.updated": [sla_clocks.on_message_updated, sms_consent.on_message_updated],
    "reply.schedule_changed": [notifications.on_schedule_changed],
    "call_leg.changed": [
        conference.on_leg_changed,
        placing.on_leg_changed,
        call_agents.on_leg_changed,
        handing_over.on_leg_changed,
    ],
    "reminder.due": [callbacks.on_reminder_due],
    "offer.missed": [notifications.on_offer_missed],
    "ticket.assigned": [
        calls.on_ticket_assigned,
        call_agents.on_ticket_assigned,
        handing_over.on_ticket_assigned,
        chat_ending.on_assignment_changed,
        notifications.on_ticket_assigned,
    ],
    "ticket.unassigned": [
        call_agents.on_ticket_unassigned,
        chat_ending.on_assignment_changed,
        notifications.on_ticket_unassigned,
    ],
    "ticket.resolved": [
        placement.on_status_changed,
        surveys.on_ticket_resolved,
        chat_ending.on_ticket_resolved,
        harvest.on_ticket_resolved,
    ],
    "ticket.closed": [placement.on_status_changed, chat_ending.on_ticket_resolved],
    "ticket.reopened": [placement.on_status_changed, chat_ending.on_ticket_reopened],
    "ticket.status_changed": [placement.on_status_changed],
    "ticket.marked_spam": [placement.on_marked_spam, chat_ending.on_ticket_resolved, last_contact.on_set_apart],
    "ticket.unmarked_spam": [placement.on_unmarked_spam, chat_ending.on_ticket_reopened, last_contact.on_set_apart],
    "ticket.queue_changed": [placement.on_queue_changed],
    "ticket.updated": [
        placement.on_ticket_updated,
        search.on_ticket_updated,
        topic_lessons.on_ticket_updated,
    ],
    "channel_account.health_changed": [health.on_health_changed],
    "user.changed": [profiles.on_user_changed],
    "work_item.changed": [chat_ending.on_work_item_changed],
}

# Only while a rule waits for the event, and before the handlers above: without any, nothing here costs a statement.
RULE_HANDLERS: Handlers = {
    "ticket.created": [rules.on_event],
    "message.created": [rules.on_messages],
    "ticket.status_changed": [rules.on_event],
    "ticket.reopened": [rules.on_event],
    "ticket.resolved": [rules.on_event],
    "sla.warning": [rules.on_event],
    "sla.breached": [rules.on_event],
}

# What `--loops` may name; those that belong to a web process run in every one of them and are not chosen.
LOOPS = (
    "routing",
    "routing_timers",
    "relay",
    "delivery",
    "timers",
    "surveys",
    "articles",
    "purge",
    "recount",
    "notifications",
    "channel-health",
    "chat",
    "mail-intake",
    "mailboxes",
    "mailbox-reports",
    "mail-receiver",
    "virus-scan",
    "files",
    "sms-media",
    "sms-again",
    "sms-lookup",
    "whatsapp-templates",
    "phone-again",
    "switchboard",
    "callers",
    "recordings",
    "messaging-again",
)

TABLES: Mapping[str, Any] = {"handlers": HANDLERS, "findings": partial(findings, serving=True)}


def senders(services: Services) -> Mapping[str, Sender]:
    """channel -> its sending side."""
    settings = services.settings
    twilio = TwilioSender(services.vault, public_url=settings.base_url, api_url=settings.twilio_api_url)
    return {
        "email": MailSender(
            services.vault,
            services.files,
            AccessTokens(services),
            public_url=settings.base_url,
            dkim_key=settings.dkim_key,
        ),
        "sms": SmsSender(
            twilio=twilio,
            gateway=GatewaySender(services.vault, public_url=settings.base_url, private=settings.own_network),
        ),
        "whatsapp": twilio,
        "messaging": MessagingSender(services),
    }


def renderers(services: Services) -> Mapping[str, Renderer]:
    """topic kind (before the colon) -> what makes frames of it."""
    return {
        **fragments.renderers(services),
        **live_ticket.renderers(services),
        **chat_lines.renderers(services),
        "board": BoardRenderer(services),
    }


@cache
def routes() -> Sequence[BaseRoute]:
    """All pages, hooks and sockets; they are tried in this order, so what programs call stands first."""
    return (
        *sms_hooks.routes(),
        *gateway_hooks.routes(),
        *phone_hooks.routes(),
        *conference_hooks.routes(),
        *flow_hooks.routes(),
        *consent.routes(),
        *holding.routes(),
        *accepting.routes(),
        *messaging_hooks.routes(),
        *chat_routes.routes(),
        *help_center.routes(),
        *contact.routes(),
        *survey.routes(),
        *unsubscribing.routes(),
        *kb.routes(),
        *qa.routes(),
        *customer_events.routes(),
        *console.routes(),
    )


@cache
def templates(more: tuple[Path, ...] = ()) -> Templates:
    """The template folders of all areas; all apps of a process share what was loaded."""
    return Templates(
        [assets.TEMPLATES, help_center.TEMPLATES, *more], functions=assets.FUNCTIONS, filters=assets.FILTERS
    )


def _chores(services: Services, relay: Relay) -> list[Loop]:
    """What falls due by the clock alone, and what is put away."""
    db = services.db

    async def recount() -> bool:
        await db.write(counters.recount)
        return False

    async def forget() -> bool:
        await db.write(notifications.purge, utcnow())
        await db.write(inbox.purge, utcnow())
        await db.write(masking.purge, utcnow())
        await db.write(rules.forget, utcnow())
        return False

    async def run_timers() -> bool:
        sent = await db.write(scheduled.send_next, utcnow())
        return await db.write(timers.run_due, utcnow()) > 0 or sent

    async def send_surveys() -> bool:
        return await db.write(surveys.send_due, utcnow(), base_url=services.settings.base_url) > 0

    async def publish_articles() -> bool:
        return await db.write(articles.publish_due, utcnow()) > 0

    async def look_after_channels() -> bool:
        await db.write(health.watch, utcnow())
        return False

    return [
        Loop("timers", run_timers, 5.0),
        Loop("surveys", send_surveys, 5.0),
        Loop("articles", publish_articles, 15.0),
        Loop("purge", relay.purge_once, 3600.0),
        Loop("recount", recount, 86400.0),
        Loop("notifications", forget, 86400.0),
        Loop("channel-health", look_after_channels, 60.0),
    ]


def loops(services: Services, *, only: Sequence[str] | None, web: bool) -> list[Loop]:
    """All loops of this process: `only` by name; those that belong to a web process run in every one of them."""
    db = services.db
    relay = Relay(db, HANDLERS, rules.Watch(db, HANDLERS, RULE_HANDLERS).look)
    delivery = DeliveryLoop(services, senders(services))
    chat = Upkeep(services)
    mail = MailIntake(services)
    mailboxes = Mailboxes(services)
    receiver = MailReceiver(services)

    async def lost_callers() -> bool:
        return await db.write(callers.sweep, utcnow())

    engine = Engine(db)
    if only is None or engine.loop.name in only:
        services.bus.listen(engine.on_pokes, engine.resync)

    worker = [
        engine.loop,
        timer_loop(db),
        Loop("relay", relay.run_once, 1.0, frozenset({OUTBOX_TOPIC}), rest=GATHER_SECONDS),
        Loop("delivery", delivery.run_once, 1.0, frozenset({"message"})),
        *_chores(services, relay),
        Loop("chat", chat.sweep, 5.0),
        Loop("mail-intake", mail.run_once, 1.0, frozenset({"journal"}), mail.close),
        Loop("mailboxes", mailboxes.run_once, 15.0, frozenset({"channel_accounts"}), mailboxes.close),
        Loop("mailbox-reports", Reconciler(services).run_once, 10.0, frozenset({MAILBOX_REPORTS})),
        Loop("mail-receiver", receiver.run_once, 60.0, close=receiver.close),
        Loop("virus-scan", FileScans(services).run_once, 5.0, frozenset({"message", "lists"})),
        Loop("files", FileCleaning(services).run_once, 86400.0),
        Loop("sms-media", MediaLoop(services).run_once, 2.0),
        Loop("sms-again", partial(sms_again.run_once, services), 10.0, frozenset({"journal"})),
        Loop("sms-lookup", Finder(services).run_once, 10.0),
        Loop("whatsapp-templates", TemplateLoop(services).run_once, 3600.0),
        Loop("phone-again", partial(phone_reports.run_once, services), 10.0, frozenset({"journal"})),
        Loop("switchboard", Switchboard(services).run_once, 2.0, frozenset({CALL_COMMANDS})),
        Loop("callers", lost_callers, 60.0),
        Loop("recordings", retention.Retention(services).run_once, 1800.0),
        Loop("messaging-again", partial(messaging_again.run_once, services), 10.0, frozenset({"journal"})),
    ]
    browser = [
        fragments.list_loop(services),
        Loop("board", BoardPulse(services).step, 5.0, frozenset({"floor", "queue", "lists"})),
        Loop("chat-leases", chat.renew, 7.0),
        Loop("lease", partial(own.renew_lease, services), RENEW_SECONDS),
        Loop("chat-places", chat.places, 3.0),
    ]
    return [*(loop for loop in worker if only is None or loop.name in only), *(browser if web else [])]


async def refresh_metrics(services: Services) -> None:
    """Gauges that are read from the database when somebody asks."""
    await services.db.read(export_invariants, utcnow())
    await services.db.read(export_stuck, utcnow())
