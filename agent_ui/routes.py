"""Every address of the console."""

from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from agent_ui.assets import STATIC
from agent_ui.pages import (
    admin,
    admin_audit,
    admin_channels,
    admin_failures,
    admin_hours,
    admin_journal,
    admin_profiles,
    admin_queues,
    admin_service_levels,
    admin_skills,
    admin_system,
    admin_teams,
    admin_topics,
    admin_users,
    board,
    calls,
    commands,
    compose,
    context,
    customers,
    desk,
    files,
    inbox,
    login,
    matters,
    merging,
    search,
    settings,
    ticket,
    writing,
)
from agent_ui.socket import console
from contact_center.accounts.permissions import Permission
from contact_center.accounts.web import signed_in

TICKET = "/tickets/{number:int}"
# Pages that name their own addresses.
AREAS = (
    board,
    customers,
    admin,
    admin_users,
    admin_teams,
    admin_queues,
    admin_hours,
    admin_service_levels,
    admin_skills,
    admin_profiles,
    admin_topics,
    admin_channels,
    admin_journal,
    admin_failures,
    admin_audit,
    admin_system,
)


def routes() -> list[BaseRoute]:
    """Pages, commands and the socket, each behind the permission it needs."""
    return [
        Route("/", login.home),
        Route("/login", login.login_page, methods=["GET"]),
        Route("/login", login.login, methods=["POST"]),
        Route("/logout", login.logout, methods=["POST"]),
        *(_get(path, endpoint) for path, endpoint in SEEN),
        *(_post(path, endpoint) for path, endpoint in DONE),
        Route("/settings", signed_in(settings.show), methods=["GET"]),
        Route("/settings", signed_in(settings.save), methods=["POST"]),
        Route("/settings/sessions/{session_id:int}/end", signed_in(settings.end_session), methods=["POST"]),
        *(route for area in AREAS for route in area.routes()),
        WebSocketRoute("/ws", console),
        Mount("/static", STATIC),
    ]


# What whoever may see tickets may look at.
SEEN = (
    ("/inbox", inbox.inbox),
    ("/inbox/rows", inbox.more_rows),
    ("/tickets/new", compose.show),
    (TICKET, ticket.ticket_page),
    (f"{TICKET}/context/articles", context.articles),
    (f"{TICKET}/context/similar", context.similar),
    (f"{TICKET}/context/orders", context.orders),
    (f"{TICKET}/context/calls", calls.panel),
    (f"{TICKET}/context/duplicates", context.duplicates),
    (f"{TICKET}/context/matters", matters.panel),
    ("/search", search.show),
    (f"{TICKET}/timeline", ticket.older),
    (f"{TICKET}/topics", ticket.topic_menu),
    (f"{TICKET}/snoozes", commands.snooze_menu),
    (f"{TICKET}/assignees", desk.assignees),
    (f"{TICKET}/targets", desk.targets),
    ("/files/{file_id:int}", files.attachment),
    ("/messages/{message_id:int}/original", files.original),
)
# What only those who handle work may do.
DONE = (
    ("/tickets", compose.create),
    (f"{TICKET}/messages", writing.write),
    (f"{TICKET}/draft", writing.save_draft),
    (f"{TICKET}/read", writing.mark_read),
    (f"{TICKET}/status", commands.set_status),
    (f"{TICKET}/priority", commands.set_priority),
    (f"{TICKET}/topic", commands.set_topic),
    (f"{TICKET}/tags", commands.set_tags),
    (f"{TICKET}/snooze", commands.snooze),
    (f"{TICKET}/merge", merging.merge),
    (f"{TICKET}/matters/merge", matters.merge),
    (f"{TICKET}/matters/unmerge", matters.unmerge),
    (f"{TICKET}/matters/link", matters.link),
    (f"{TICKET}/matters/unlink", matters.unlink),
    (f"{TICKET}/matters/move", matters.move),
    (f"{TICKET}/matters/follow-up", matters.follow_up),
    (f"{TICKET}/complaint", merging.complain),
    (f"{TICKET}/calls", calls.log),
    (f"{TICKET}/callbacks", calls.plan),
    (f"{TICKET}/callbacks/{{reminder_id:int}}/done", calls.done),
    ("/sms/measure", calls.measure_sms),
    (f"{TICKET}/take", desk.take),
    (f"{TICKET}/assign", desk.assign),
    (f"{TICKET}/transfer", desk.transfer),
    (f"{TICKET}/end", desk.end),
    (f"{TICKET}/finish", desk.finish),
    (f"{TICKET}/extend", desk.extend),
    ("/offers/{offer_id:int}/accept", desk.accept),
    ("/offers/{offer_id:int}/decline", desk.decline),
    ("/me/presence", desk.set_presence),
)


def _get(path: str, endpoint: object) -> Route:
    return Route(path, signed_in(endpoint, Permission.VIEW_TICKETS), methods=["GET"])  # type: ignore[arg-type]


def _post(path: str, endpoint: object) -> Route:
    return Route(path, signed_in(endpoint, Permission.HANDLE), methods=["POST"])  # type: ignore[arg-type]
