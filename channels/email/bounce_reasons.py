"""A refusal's words and code into hard or soft, and into a sentence for people.

Hard means that the address itself does not exist, moved or takes no mail at all: only then further sending
is pointless. A full mailbox, a policy, a block list or an over-long queue says nothing about the address.
"""

import re

from channels.email.parsed import BounceKind
from contact_center.core.i18n import mark

_STATUS = re.compile(r"(?<![\d.\[])([245])[.\-](\d{1,2})\.(\d{1,3})(?![\d.]*\d|\])")
_REPLY = re.compile(r"(?<![\d.\-#\[/])([45][0-5]\d)(?![\d.]*\d)[ \-:]")

_GONE = re.compile(
    r"user[\s_-]{0,3}(?:is )?(?:unknown|not[\s_]known|not[\s_]found|does ?n.t exist)|"
    r"unknown[\s_-]{0,2}(?:local[\s_-]?part|user|recipient|address|mailbox|account|to)|"
    r"no such (?:user|recipient|mailbox|account|address|person|local|email|domain user)|(?:recipient|"
    r"address|mailbox|user|account|alias|e-?mail)"
    r"[^.\n]{0,60}?(?:does not exist|doesn.t exist|do not exist|no longer (?:exists|valid|available|in use|"
    r"active|accept|on server)|not exist|unknown|not found|"
    r"isn.t found|is not a valid|not (?:a )?valid|was not found|could ?n[o']t be found|wasn.t found|"
    r"unavailable: unknown|is invalid|cannot be found|not listed|"
    r"not (?:a )?known|not recogni[sz]ed|not registered)|invalid (?:recipient|mailbox|address|user|e-?mail|"
    r"final delivery userid)|"
    r"not a valid (?:mailbox|recipient|user|address)|(?:bad|invalid) destination mailbox|"
    r"bad address syntax|no mailbox (?:here )?(?:by|with) that name|"
    r"(?:doesn.t|does not) have an? [\w.\- ]{1,40} account|not our customer|not a known user|"
    r"no account by that name|"
    r"recipient(?: address)? rejected: (?:user unknown|undeliverable|unknown|no such|not found|"
    r"access denied)|address rejected\.?\s*(?:\(in reply|$)|resolver\.adr\.(?:recip)?notfound|"
    r"recip(?:ient)?notfound|"
    r"unrouteable (?:mail )?(?:address|domain)|unroutable (?:mail )?(?:address|domain)|"
    r"mailbox (?:name )?not (?:allowed|exist)|no valid recipient|"
    r"(?:user|account|mailbox) (?:has been |was )?(?:deleted|removed|terminated|closed)|"
    r"has left the|\b550 requested (?:mail )?action not taken: mailbox unavailable\s*(?:$|\n)|"
    r"(?:user|recipient|account) (?:is )?no longer|unknown or illegal alias|"
    r"this user doesn.t have|address error|"
    r"no matches to nameserver query|not in (?:our )?(?:directory|database)|undeliverable address|"
    r"destination mailbox[\w ]{0,20}invalid|"
    r"l.adresse[^.\n]{0,30}introuvable|utilisateur inconnu|destinataire inconnu|benutzer (?:unbekannt|"
    r"existiert nicht)|empfänger (?:unbekannt|nicht gefunden)|"
    r"unbekannter (?:benutzer|empfänger)|usuario (?:desconocido|no existe)|destinatario (?:desconocido|"
    r"inesistente|sconosciuto)|пользовател[ья] не|не существует|"
    r"用户不存在|收件人(?:不存在|地址)|ユーザー(?:は|が)?(?:存在|見つか)|宛先不明|"
    r"người nhận không tồn tại|địa chỉ không tồn tại|không tìm thấy địa chỉ",
    re.IGNORECASE,
)
_NO_HOST = re.compile(
    r"(?:host|domain)(?! said)(?: name)?[ :]{1,3}(?:[\w.\-'\"<>]{1,80} )?(?:is |was )?(?:not found|unknown|"
    r"does not exist|doesn.t exist|name lookup failure|not exist|unrouteable|not valid|invalid)|"
    r"unknown (?:host|domain)|no such (?:host|domain)|name or service not known|nxdomain|"
    r"domain of recipient is wrong|illegal host|invalid domain|bad destination (?:system|host)|"
    r"recipient domain[^.\n]{0,30}not exist|couldn.t find any host (?:named|by that name)|"
    r"all relevant mx records|no (?:valid )?mx (?:record|host|found)|(?:name service|"
    r"dns) (?:lookup )?(?:error|failure)|find a mail exchanger|has no mail exchanger|"
    r"does not resolve|lookup of [^\n]{1,80} failed|dns\.(?:nx|no)|non-existent (?:domain|host)|"
    r"address couldn.t be found|typo in the recipient.s domain",
    re.IGNORECASE,
)
_TAKES_NO_MAIL = re.compile(
    r"nullmx|null mx|no smtp service|does(?: not|n.t) (?:accept|receive) (?:any )?(?:e?-?mail|message)|"
    r"domain (?:does not|doesn.t) accept|"
    r"host does not accept|no mail (?:is )?accepted|\b556\b|(?:mx|smtp) (?:servers? )?(?:is|are|"
    r"has) not accept|accepts no mail|not accepting (?:network|any)|5\.3\.2\b",
    re.IGNORECASE,
)
_MOVED = re.compile(
    r"(?:user|recipient|mailbox|address|account|has)[^.\n]{0,30}\bmoved\b|has been replaced by|"
    r"new (?:e-?mail )?address is|changed (?:his|her|their|my) (?:e-?mail )?address|5\.1\.6",
    re.IGNORECASE,
)
_NOT_THE_ADDRESS = re.compile(
    r"mailbox (?:is )?(?:full|over)|over (?:the )?quota|quota (?:is )?(?:full|exceeded)|exceed(?:s|ed|"
    r"ing)?[^.\n]{0,40}(?:quota|storage|limit|size)|not enough (?:storage|space|disk)|"
    r"insufficient (?:system )?(?:storage|disk)|(?:mailbox|storage|disk|inbox)[^.\n]{0,30}(?:full|exceed)|"
    r"out of (?:storage|disk)|has run out of space|"
    r"\bspam\b|\bspamm|\bblock(?:ed|list)|black ?list|blocklist|\brbl\b|dnsbl|spamhaus|barracuda|"
    r"reputation|unsolicited|\bdmarc\b|\bspf\b|\bdkim\b|virus|malware|phish|"
    r"polic(?:y|ies)|not (?:permitted|authori[sz]ed|allowed)|access denied|authenticat|greylist|"
    r"gr[ae]y-?list|try again|temporar|deferred|too many|rate limit|throttl|"
    r"relay(?:ing)? (?:access )?(?:denied|not|prohibited)|relaying|timed? ?out|"
    r"could not be delivered within|been in the queue|queue too long|retry time(?:out)?|expired|"
    r"connection (?:refused|timed|lost|reset)|loop|too large|too big|size (?:limit|exceeds)|suspend|"
    r"inactive|disabled|deactivat|not active|locked|"
    r"ptr\b|reverse (?:dns|lookup)|rejected for|content|sender|helo|tls\b|certificate|(?:suspicious|abuse)|"
    r"mailbox unavailable or access denied|only accepts?|restricted|member|undisclosed|"
    r"administrative prohibition|prohibited",
    re.IGNORECASE,
)
# Words that excuse the address even where a server adds "unknown" to them.
_FULL_OR_HELD = re.compile(
    r"mailbox (?:is )?full|over quota|quota exceeded|temporar(?:il)?y? (?:locked|disabled|suspended|"
    r"unavailable)|try again later|recipient preferences|only a temporary failure",
    re.IGNORECASE,
)
_AN_ADDRESS = re.compile(r"[^\s<>()\"',;:]{1,128}@[\w.-]{1,255}")
_HARD_STATUS = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.10"})

NO_ADDRESS = mark("The address does not exist.")
PUT_OFF = mark("The other side's mail server put it off.")
REFUSED = mark("The other side's mail server refused it.")
_SENTENCES = (
    (_GONE, NO_ADDRESS),
    (_NO_HOST, mark("The part after the @ is not a mail domain.")),
    (_TAKES_NO_MAIL, mark("That mail server takes no mail.")),
    (_MOVED, mark("The person has moved to another address.")),
    (re.compile(r"quota|full|storage|space|disk", re.IGNORECASE), mark("The mailbox is full.")),
    (re.compile(r"too (?:large|big)|size", re.IGNORECASE), mark("The message was too large for that mailbox.")),
    (
        re.compile(r"spam|block|black ?list|rbl|reputation|unsolicited|spamhaus|dmarc|spf|dkim", re.IGNORECASE),
        mark("The other side took our mail for spam or blocks our server."),
    ),
    (re.compile(r"virus|malware|content", re.IGNORECASE), mark("The other side refused the content.")),
    (re.compile(r"disabled|suspend|inactive|locked", re.IGNORECASE), mark("The mailbox is disabled at the moment.")),
    (re.compile(r"relay", re.IGNORECASE), mark("That server does not take mail for this address.")),
    (
        re.compile(r"timed? ?out|queue|retry|expired|connect|delay|within", re.IGNORECASE),
        mark("The other side's mail server could not be reached in time."),
    ),
    (
        re.compile(r"polic|permit|authori|allowed|denied|prohibited|rejected", re.IGNORECASE),
        mark("A rule of the other side refused it."),
    ),
)


def status_in(text: str) -> str:
    """The first RFC 3463 status in the words of a server ("5.1.1"), or one made from its SMTP code, or empty."""
    found = _STATUS.search(text)
    if found:
        return f"{found[1]}.{int(found[2])}.{int(found[3])}"
    reply = _REPLY.search(f"{text} ")
    return f"{reply[1][0]}.0.0" if reply else ""


def kind_of(status: str, words: str) -> BounceKind:
    """Hard or soft by what the other side said; its words weigh more than its code."""
    if status.startswith(("2.", "4.")):
        return BounceKind.SOFT
    # The dots of an address are no ends of sentences, and its words say nothing.
    words = _AN_ADDRESS.sub("@", words)
    if status.endswith((".2.2", ".1.7", ".1.8")) or _FULL_OR_HELD.search(words):
        return BounceKind.SOFT
    if _TAKES_NO_MAIL.search(words) or _MOVED.search(words):
        return BounceKind.HARD
    if _GONE.search(words) or _NO_HOST.search(words):
        return BounceKind.HARD
    if status != "5.1.1" and _NOT_THE_ADDRESS.search(words):
        return BounceKind.SOFT
    return BounceKind.HARD if status in _HARD_STATUS else BounceKind.SOFT


def sentence_for(status: str, words: str) -> str:
    """Why a mail did not arrive, for people."""
    for pattern, sentence in _SENTENCES:
        if pattern.search(words):
            return sentence
    if status.startswith("4."):
        return PUT_OFF
    return NO_ADDRESS if status in _HARD_STATUS else REFUSED
