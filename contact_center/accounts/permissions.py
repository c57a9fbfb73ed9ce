"""Roles and what they may do: one table, asked by every edge."""

from enum import StrEnum

from contact_center.core.errors import Forbidden


class Role(StrEnum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    QA = "qa"
    ADMIN = "admin"


class Permission(StrEnum):
    HANDLE = "handle"  # take offers, reply, resolve
    VIEW_TICKETS = "view_tickets"
    ASSIGN_OTHERS = "assign_others"  # assign, requeue and set the status of other people
    VIEW_BOARD = "view_board"
    EVALUATE = "evaluate"  # score assignments, edit scorecards
    MANAGE_COMPLAINTS = "manage_complaints"  # own and decide complaints
    WRITE_ARTICLES = "write_articles"  # write and suggest
    PUBLISH_ARTICLES = "publish_articles"
    SHARE_MACROS = "share_macros"  # write the macros of teams and of everybody; one's own need only HANDLE
    REVEAL_SENSITIVE = "reveal_sensitive"  # see card numbers, ids and codes that were masked; every look is audited
    LISTEN_RECORDINGS = "listen_recordings"  # hear calls of others; every listen is audited
    MANAGE_BLOCKS = "manage_blocks"  # see who is blocked, block and lift; every change is audited
    ADMINISTER = "administer"  # channels, users, queues, journal, settings


TABLE: dict[Role, frozenset[Permission]] = {
    Role.AGENT: frozenset({Permission.HANDLE, Permission.VIEW_TICKETS, Permission.WRITE_ARTICLES}),
    Role.SUPERVISOR: frozenset(
        {
            Permission.HANDLE,
            Permission.VIEW_TICKETS,
            Permission.ASSIGN_OTHERS,
            Permission.VIEW_BOARD,
            Permission.MANAGE_COMPLAINTS,
            Permission.WRITE_ARTICLES,
            Permission.PUBLISH_ARTICLES,
            Permission.SHARE_MACROS,
            Permission.REVEAL_SENSITIVE,
            Permission.LISTEN_RECORDINGS,
            Permission.MANAGE_BLOCKS,
        }
    ),
    Role.QA: frozenset(
        {
            Permission.VIEW_TICKETS,
            Permission.VIEW_BOARD,
            Permission.EVALUATE,
            Permission.LISTEN_RECORDINGS,
            Permission.MANAGE_COMPLAINTS,
            Permission.WRITE_ARTICLES,
            Permission.PUBLISH_ARTICLES,
        }
    ),
    Role.ADMIN: frozenset(Permission) - {Permission.HANDLE},
}


def may(role: Role, permission: Permission) -> bool:
    """Whether the role has the permission."""
    return permission in TABLE[role]


def require(role: Role, permission: Permission) -> None:
    """Raise Forbidden unless the role has the permission."""
    if not may(role, permission):
        raise Forbidden("Your role ({role}) does not allow this. Ask an administrator.", role=role.value)
