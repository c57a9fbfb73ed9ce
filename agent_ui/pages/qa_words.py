"""The words of quality: stages, severities, decisions, causes, verdicts, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from contact_center.core.i18n import gettext, mark
from tickets.customers.names import display_name
from tickets.quality.complaints import ROOT_CAUSES
from tickets.states import ContactKind

STAGES = {
    "received": mark("Received"),
    "acknowledged": mark("Acknowledged"),
    "assessed": mark("Assessed"),
    "investigating": mark("Investigating"),
    "response_proposed": mark("Response proposed"),
    "decision_communicated": mark("Decision communicated"),
    "closed": mark("Closed"),
}
SEVERITIES = {
    "low": mark("Low"),
    "medium": mark("Medium"),
    "high": mark("High"),
    "critical": mark("Critical"),
}
DECISIONS = {
    "upheld": mark("Upheld"),
    "partly_upheld": mark("Partly upheld"),
    "not_upheld": mark("Not upheld"),
}
OPENERS = {"agent": mark("by an agent"), "customer": mark("by the customer"), "rule": mark("by a rule")}
VERDICTS = {
    "passed": mark("Passed"),
    "failed": mark("Not passed"),
    "auto_failed": mark("Failed automatically"),
    "nothing_scored": mark("Nothing scored"),
}
FIELDS = {
    "summary": mark("What the customer complains about"),
    "severity": mark("Severity"),
    "owner_id": mark("Owner"),
    "subject_agent_id": mark("About this person"),
    "acknowledgement": mark("How we acknowledged it"),
    "findings": mark("Findings"),
    "decision": mark("Decision"),
    "reasons": mark("Reasons, for the customer"),
    "remedy": mark("Remedy"),
    "root_cause": mark("Root cause"),
    "communicated": mark("How we told the customer"),
}

Words = Mapping[str, Mapping[str, str]]


def words_of(locale: str) -> Words:
    """table → code → word."""
    tables = {
        "stage": STAGES,
        "severity": SEVERITIES,
        "decision": DECISIONS,
        "opener": OPENERS,
        "verdict": VERDICTS,
        "field": FIELDS,
        "root_cause": ROOT_CAUSES,
    }
    return {name: {code: gettext(locale, word) for code, word in table.items()} for name, table in tables.items()}


def customer_name(row: Any) -> str:
    """What to call the customer of a complaint: their name, else their address."""
    if row.customer or row.contact is None:
        return str(row.customer)
    return display_name("", ContactKind(row.contact_kind), row.contact)
