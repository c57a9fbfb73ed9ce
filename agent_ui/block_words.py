"""What can be blocked and for how long, in words."""

from contact_center.core.i18n import mark
from tickets.blocks import Scope

SCOPES = {
    Scope.EMAIL.value: mark("E-mail address"),
    Scope.DOMAIN.value: mark("Mail domain"),
    Scope.PHONE.value: mark("Phone number"),
    Scope.HANDLE.value: mark("Account in a messaging app"),
    Scope.VISITOR.value: mark("Visitor of the website (this browser)"),
    Scope.IP.value: mark("Internet address (kept as a hash, at most 30 days)"),
}
# What people may type themselves; the others are blocked from a conversation.
TYPED = (Scope.EMAIL, Scope.DOMAIN, Scope.PHONE)
# Days -> words; "" is for good.
TERMS = {
    "": mark("Until lifted"),
    "1": mark("1 day"),
    "7": mark("7 days"),
    "30": mark("30 days"),
    "365": mark("1 year"),
}
