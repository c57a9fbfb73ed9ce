"""What the audit log's actions are called, and what their targets are."""

from contact_center.core.i18n import gettext, mark

ACTIONS = {
    "agent.absence": mark("Absence set"),
    "away_reason.changed": mark("Away reason changed"),
    "away_reason.created": mark("Away reason added"),
    "away_reason.moved": mark("Away reason moved"),
    "channel_account.identity": mark("Chat widget got a secret for signed-in customers"),
    "channel_account.identity_shown": mark("Somebody looked at a chat widget's secret"),
    "block.added": mark("Sender blocked"),
    "block.lifted": mark("Block lifted"),
    "channel_account.address": mark("Channel account got another address"),
    "channel_account.changed": mark("Channel account changed"),
    "channel_account.connected": mark("Mailbox connected with its provider"),
    "channel_account.created": mark("Channel account added"),
    "channel_account.disabled": mark("Channel account switched off"),
    "channel_account.enabled": mark("Channel account switched on"),
    "channel_account.invitations": mark("Invitations of a chat widget changed"),
    "channel_account.extensions": mark("Extensions changed"),
    "channel_account.missing_taken": mark("Missing mails of a mailbox taken"),
    "channel_account.plan": mark("Call plan of a line changed"),
    "channel_account.sending": mark("What a mailbox sends changed"),
    "channel_account.tested": mark("Test message sent"),
    "contact_point.subscribed": mark("Customer is asked by surveys again"),
    "contact_point.flagged": mark("Phone number flagged"),
    "contact_point.unflagged": mark("Flag of a phone number lifted"),
    "contact_point.lifted": mark("Address unblocked"),
    "handler_failure.retried": mark("Failed handler tried again"),
    "hours.changed": mark("Business hours changed"),
    "caller.known": mark("A caller's number was given to a customer"),
    "caller.unknown": mark("A caller is nobody of those suggested"),
    "identity.code_sent": mark("Code sent to confirm a customer's identity"),
    "customer.address_confirmed": mark("Address of a customer confirmed"),
    "identity.confirmed": mark("Identity of a customer confirmed"),
    "identity.withdrawn": mark("Confirmed identity withdrawn"),
    "journal.downloaded": mark("Journal item downloaded"),
    "journal.released": mark("Blocked item let through"),
    "journal.retried": mark("Journal item tried again"),
    "login": mark("Signed in"),
    "login.failed": mark("Sign-in failed"),
    "macro.changed": mark("Macro changed"),
    "macro.created": mark("Macro added"),
    "macro.removed": mark("Macro deleted"),
    "message.said_sent": mark("Somebody said that a message of unknown fate was sent"),
    "message.said_not_sent": mark("Somebody said that a message of unknown fate was not sent"),
    "presence.set": mark("Status set for a colleague"),
    "profile.changed": mark("Routing profile changed"),
    "queue.agents_changed": mark("Agents of a queue changed"),
    "queue.changed": mark("Queue changed"),
    "queue.created": mark("Queue added"),
    "queue.rules_changed": mark("Rings, skills or weights changed"),
    "recording.deleted": mark("Recording deleted: its line keeps them no longer"),
    "recording.deleted_at_carrier": mark("Recording deleted at the carrier"),
    "recording.listened": mark("Somebody listened to a recorded call"),
    "sensitive.rules_changed": mark("Rules for sensitive data changed"),
    "sensitive.shown": mark("Hidden data was looked at"),
    "service_level.changed": mark("Service level changed"),
    "session.revoked": mark("Login ended"),
    "skill.changed": mark("Skill changed"),
    "skill.created": mark("Skill added"),
    "skill.removed": mark("Skill removed"),
    "team.changed": mark("Team changed"),
    "team.created": mark("Team added"),
    "team.members_changed": mark("Members of a team changed"),
    "team.removed": mark("Team removed"),
    "ticket.marked_spam": mark("Conversation marked as spam"),
    "ticket.unmarked_spam": mark("Conversation is no spam after all"),
    "topic.activated": mark("Topic offered again"),
    "topic.created": mark("Topic added"),
    "topic.hidden": mark("Topic hidden"),
    "topic.renamed": mark("Topic renamed"),
    "user.changed": mark("User changed"),
    "user.created": mark("User added"),
    "user.password_changed": mark("Password changed"),
    "user.teams_changed": mark("Teams of a user changed"),
}
# The first word of a target -> the page of it, if it has one.
PAGES = {
    "calendar": "/admin/hours",
    "channel_account": "/admin/channels",
    "journal": "/admin/journal",
    "macro": "/admin/macros",
    "policy": "/admin/service-levels",
    "queue": "/admin/queues",
    "sensitive": "/admin/sensitive",
    "skill": "/admin/skills",
    "team": "/admin/teams",
    "user": "/admin/users",
}


def action_of(locale: str, action: str) -> str:
    """An action in words; the code of one that nobody has words for."""
    return gettext(locale, ACTIONS[action]) if action in ACTIONS else action


def page_of(target: str) -> str:
    """The address of what an entry is about, such as /admin/queues/3; "" if it has no page."""
    kind, _, row = target.partition(":")
    return f"{PAGES[kind]}/{row}" if kind in PAGES and row.isdecimal() else ""
