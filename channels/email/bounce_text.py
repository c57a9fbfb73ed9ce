"""The free-form words of mail systems: is it a failure, about whom, and where the returned mail starts."""

import re

from channels.email.addresslist import addresses_in

_MAX_NOTICE = 40_000
SYSTEM_NAME = re.compile(
    r"mail delivery|mailer.?daemon|postmaster|system administrator|mail administrator|delivery (?:system|"
    r"subsystem|service)|mail system|"
    r"message router|microsoft (?:outlook|exchange)|mail\.?server|internet mail|mail gateway",
    re.IGNORECASE,
)
_FAILURE_SUBJECT = re.compile(
    r"undeliver|returned mail|return(?:ed|ing) (?:to sender|message)|mail delivery (?:fail|error|problem|"
    r"status|notif)|delivery (?:status )?notification|delivery (?:has )?fail|"
    r"delivery (?:error|problem|report|status|failure|incomplete|delay)|fail(?:ure|ed) (?:notice|delivery|"
    r"mail|to deliver)|(?:permanent|transient|temporary) (?:delivery )?(?:fail|error)|"
    r"mail system error|non.?deliver|could not (?:be )?(?:deliver|send)|not delivered|unable to deliver|"
    r"can.?t deliver|delivery has failed|mail could not|rejected mail|"
    r"message (?:delayed|status|bounced|undeliverable|you sent blocked)|bounce(?:d)? (?:mail|message)|"
    r"warning: (?:could not send|message)|delayed mail|automatically rejected|"
    r"user unknown|quota exceed|mail failure|processing error|mailbox (?:full|unavailable)|nondeliverable|"
    r"problem delivering|failed mail|auto: returned|mail not delivered|"
    r"unzustellbar|nicht zugestellt|zustell(?:ung|status|benachr)|übermittlung|échec|non remis|nondistribu|"
    r"n'a pas pu|no se pudo entregar|no entregado|devuelto|"
    r"não (?:entregue|foi possível)|mancata consegna|consegna (?:non|fallita)|onbestelbaar|niet bezorgd|"
    r"olevererbart|kunde inte|ikke leveret|niedostarcz|nie dostarcz|"
    r"не(?:доставлен| доставлен|возможно доставить)|недоставк|退信|退件|投递失败|无法投递|无法送达|"
    r"系统退信|配信(?:不能|できません|エラー)|送信できません|未送信|반송|전송 ?실패|"
    r"không (?:gửi|chuyển|thể gửi|thể chuyển|được gửi)|thư bị (?:trả lại|chậm|hoãn|trì hoãn)|gửi thất bại",
    re.IGNORECASE,
)
_FAILURE_WORDS = re.compile(
    r"(?:could ?n[o']t|can ?not|can.?t|unable to|was not|were not|not able to|wasn't able to|couldn't|"
    r"failed to|has not been|have not been|has failed to|could not)"
    r"[\w\s,]{0,30}(?:deliver|be sent|send|reach|be transmitted|be completed|accept)|undeliver|"
    r"delivery (?:to|of|for)[^\n]{0,120}(?:fail|delay|reject)|"
    r"(?:permanent|fatal|temporary|transient|following) (?:fatal )?(?:error|failure)|did not reach|"
    r"(?:returned|bounced) (?:to sender|mail|message|unopened)|"
    r"user unknown|unknown user|no such user|mailbox (?:is )?full|over quota|failure notice|"
    r"delivery (?:status )?(?:notification|report|failure|error|attempt)|"
    r"delivery[^\n]{0,30}(?:fail|delay|unsuccess)|(?:recipient|address|mailbox)[^\n]{0,60}(?:rejected|"
    r"unknown|invalid|not found|does not exist|unavailable|disabled)|"
    r"not delivered|rejected (?:by|your message|the following)|was (?:automatically )?(?:rejected|refused|"
    r"blocked)|(?:will be|being|has been|was) returned|non-?delivery|"
    r"smtp error|remote (?:host|server) said|(?:said|responded|response|error):? *\"?\(?[45]\d\d|(?:^|"
    r"\s)[45]\d\d[ -][45]\.\d\.\d|failed recipient|invalid final delivery|message (?:status|delayed|"
    r"bounced)|"
    r"nicht (?:zugestellt|übermittelt|erreich)|zustellung[^\n]{0,80}(?:fehl|nicht|vorüber|problem)|"
    r"fehlgeschlagen|konnte(?:n)? nicht|n'a (?:pas )?p[ua]s? (?:pu|etre|être)|non remis|échec|"
    r"no (?:se )?(?:ha )?(?:pudo|podido|puede)|não (?:foi|pôde|pode)|impossibile (?:recapitare|consegnare)|"
    r"niet (?:worden )?(?:bezorgd|afgeleverd)|nie (?:można|udało|został)|"
    r"не (?:удалось|может быть|было|был) ?[\w ]{0,20}достав|не доставлено|无法(?:投递|送达|发送)|退回|"
    r"投递失败|被退|配信(?:できません|不能|に失敗)|送信できません|届けられません|"
    r"반송|전송(?:하지|할 수|에 실패)|(?:không|chưa) (?:thể )?(?:được )?(?:gửi|chuyển|phân phối|giao)",
    re.IGNORECASE | re.MULTILINE,
)
_SERVER_REPLY = re.compile(
    r"(?:^|[\s:(<])[45]\d\d[ -]#?[45]\.\d{1,2}\.\d{1,3}|\bsmtp\b[^\n]{0,60}\b[45]\d\d\b|rcpt to:|"
    r"(?:said|replied|responded|response):? {0,3}\"?[45]\d\d\b|created automatically by (?:the )?mail|"
    r"mail delivery software",
    re.IGNORECASE | re.MULTILINE,
)
_YOUR_MESSAGE = re.compile(
    r"(?:your|the (?:following|original)|the) (?:message|e-?mail|mail)[^\n]{0,60}\s(?:could not|cannot|"
    r"was not|has not|not) "
    r"(?:be(?:en)? )?(?:deliver|sent)|"
    r"(?:unable|failed|could not|not able) (?:to )?deliver (?:your |the )?(?:message|e-?mail|mail)|"
    r"deliver[\w\s()]{0,40}(?:following|below)[\w\s()]{0,20}(?:recipient|user|address)|"
    r"votre message n|ihre (?:nachricht|e-?mail)[^\n]{0,60}nicht zugestellt",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"\s{0,20}(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|hallo|guten (?:tag|morgen|abend)|"
    r"sehr geehrte|moin|"
    r"bonjour|bonsoir|madame|hola|buenos d[ií]as|buenas tardes|buongiorno|olá|bom dia|hej|hei|ahoj|dobrý den|"
    r"dzień dobry|здравствуйте|добрый день|merhaba|(?:xin |em )?chào|kính (?:gửi|chào)|dạ)\b(?!\. this is)",
    re.IGNORECASE,
)
_DELAY = re.compile(
    r"\bdelay(?:ed)?\b|warning: (?:could not send|message)|will (?:be )?(?:keep|continue|retr)|"
    r"still being (?:retried|attempted)|not yet (?:been )?(?:deliver|sent)|"
    r"no action is required|transient (?:non-fatal|error)|this is a warning|will be retried|"
    r"you do not need to resend|verzögert|noch nicht zugestellt|retardé|pas encore (?:été )?(?:remis|livré)|"
    r"retras(?:ad|o)|ainda não (?:foi )?entregue|ritard(?:o|at)|vertraagd|opóźni|задерж|"
    r"chưa (?:được )?(?:gửi|chuyển)|tiếp tục (?:thử|gửi)|bị (?:chậm|trì hoãn)|延迟|延遅|"
    r"temporary (?:error|problem)[^\n]{0,60}retry",
    re.IGNORECASE,
)
_GIVEN_UP = re.compile(
    r"giving up|given up|gave up|not going to try again|no longer (?:be )?(?:tried|retried)|"
    r"permanent(?:ly)? fail|has been returned|"
    r"cannot be delivered|permanent error|will not be (?:retried|tried)|unable to deliver|has expired|"
    r"too long",
    re.IGNORECASE,
)
_ORIGINAL = re.compile(
    r"^[ \t>*]{0,6}(?:-{2,}[^\n]{0,10}(?:(?:this is a|below this line is (?:a|the)|the following is (?:a|"
    r"the)|here follows)?[^\n]{0,40}(?:copy of (?:the|your)|original)[^\n]{0,60}"
    r"|(?:unsent|returned|forwarded|undelivered|begin of) (?:message|mail)[^\n]{0,40}|message (?:header|"
    r"text|body)[^\n]{0,30})|original message (?:follows|headers?|details?)[^\n]{0,20}|"
    r"(?:the )?(?:header|headers) of (?:the|your) (?:original )?(?:message|mail)[^\n]{0,60}|(?:your|"
    r"the) (?:original )?message (?:follows|headers)[: ][^\n]{0,20}|"
    r"received: (?:from|by|\()[^\n]{1,200}|return-path:[^\n]{0,200}|\[?message (?:header|"
    r"text)[^\n]{0,40}follow[^\n]{0,30}|begin forwarded message[^\n]{0,20}|"
    r"the (?:first|following)[^\n]{0,30}(?:lines|part) of (?:the|your)[^\n]{0,60}|x-original-message|"
    r"-+ original [^\n]{0,40}|<original message[^\n]{0,20})",
    re.IGNORECASE | re.MULTILINE,
)
_STRONG_LINE = re.compile(
    r"user|unknown|recipient|mailbox|address|unreachable|reject|fail|deliver|quota|full|invalid|rcpt|not |"
    r"said|refused|error|"
    r"(?:^|\D)[45]\d\d(?:\D|$)|[45]\.\d{1,2}\.\d{1,3}",
    re.IGNORECASE,
)
_LEAD_IN = re.compile(
    r"(?:following|these|this|recipient|address|delivered to|delivery to|deliver[^\n]{0,30} to|"
    r"undeliverable|reach|failed)[^\n]{0,80}[:.]?\s*$|:\s*$",
    re.IGNORECASE,
)
_ALONE = re.compile(
    r"^[\s\-*•<>\"'(\[]{0,12}(?:(?:mailto|rfc822|smtp|to|recipient|failed recipient|name|address|userid|"
    r"e-?mail)\s?[:;=]\s{0,4})?<?[^\s<>]{1,128}@[^\s<>]{1,255}>?[\s:;.,)\]\"'…]{0,6}(?:\(.{0,80}\)?)?$",
    re.IGNORECASE,
)
_ANGLE_START = re.compile(r"^\s{0,8}<[^<>\s]{1,250}@[^<>\s]{1,250}>\s?(?::|\.\.\.|\(|,|$|;)")
_OWN_LINE = re.compile(r"^\s{0,8}<?[^\s<>@]{1,64}@[^\s<>@:]{1,255}>?(?:\s|:|,|$)")
_X400 = re.compile(r"\bsmtp\s?[=:]", re.IGNORECASE)
_NOISE = re.compile(
    r"message-id|^\s*from:|\bmail from|sender|postmaster|contact|support|abuse|helpdesk|reporting-mta|"
    r"queue id|http[s]?:|reply-to|return-path|forward this|arrived|send (?:mail|email) to",
    re.IGNORECASE,
)
_FULL_WIDTH = str.maketrans("（）：；，。＜＞【】", "():;,.<>[]")
# An address that stands alone on its line, or before a colon, below words that announce it.
_CLEAR = 4
_RCPT = re.compile(r"rcpt to\s?:\s?<?([^\s<>]{1,128}@[^\s<>]{1,255})", re.IGNORECASE)


def cut(text: str) -> tuple[str, str]:
    """A report in two: the words of the mail system, and the returned mail under them."""
    text = text[:_MAX_NOTICE]
    match = _ORIGINAL.search(text)
    while match is not None and not text[: match.start()].strip():
        match = _ORIGINAL.search(text, match.end())
    return (text[: match.start()], text[match.start() :]) if match else (text, "")


def is_failure_subject(subject: str) -> bool:
    return _FAILURE_SUBJECT.search(subject[:300]) is not None


def is_failure_notice(notice: str) -> bool:
    return _FAILURE_WORDS.search(notice[:8_000]) is not None


def is_technical(notice: str) -> bool:
    """Whether a text talks as only mail systems do: server replies, or "your message" and the address alone."""
    head = notice[:4_000]
    if _SERVER_REPLY.search(head):
        return True
    return _YOUR_MESSAGE.search(head) is not None and any(
        _ALONE.match(line) for line in head.split("\n") if "@" in line
    )


def is_letter(text: str) -> bool:
    """Whether somebody greets before telling what came back: people who ask about a bounce are no bounce."""
    return _GREETING.match(text) is not None


def is_delay(subject: str, notice: str) -> bool:
    """Whether a report only says that it takes longer."""
    return bool(_DELAY.search(f"{subject}\n{notice[:4_000]}")) and not _GIVEN_UP.search(notice[:4_000])


def failed_addresses(notice: str, own: frozenset[str] | set[str]) -> list[str]:
    """The addresses that the report is about, best evidence first; none of `own`."""
    # Chinese mail systems write brackets and colons of full width around the address.
    notice = notice.translate(_FULL_WIDTH)
    scores: dict[str, int] = {}
    spelling: dict[str, str] = {}
    lines = notice.split("\n")[:400]
    for position, line in enumerate(lines):
        if "@" not in line:
            continue
        found = [address for address in addresses_in(_X400.sub(" ", line)) if _plausible(address, own)]
        score = _line_score(lines, position) if found else 0
        rcpt = _RCPT.search(line)
        for address in found:
            key = address.lower()
            spelling.setdefault(key, address)
            best = score + (4 if rcpt and rcpt[1].lower().startswith(key) else 0)
            scores[key] = max(scores.get(key, -9), best)
    if not scores:
        return []
    top = max(scores.values())
    least = _CLEAR if top >= _CLEAR else max(top - 1, 1)
    return [spelling[key] for key, score in scores.items() if score >= least]


def words_about(address: str, notice: str) -> str:
    """What the report says near an address: the lines after it, or the whole notice in short."""
    lines = notice.split("\n")[:400]
    for position, line in enumerate(lines):
        if address and address.lower() in line.lower():
            near = " ".join(_paragraph(lines, position, address))
            if _STRONG_LINE.search(near.lower().replace(address.lower(), "")):
                return _short(near)
    return _short(" ".join(part.strip() for part in lines if part.strip()))


def _paragraph(lines: list[str], start: int, address: str) -> list[str]:
    """The lines from one address to the next one that gets its own words."""
    near = [lines[start].strip()]
    for line in lines[start + 1 : start + 9]:
        if "@" in line and address.lower() not in line.lower() and (_ANGLE_START.match(line) or _OWN_LINE.match(line)):
            break
        if line.strip():
            near.append(line.strip())
    return near


def _short(text: str) -> str:
    return re.sub(r"\s{2,}", " ", text)[:600].strip()


def _plausible(address: str, own: frozenset[str] | set[str]) -> bool:
    lowered = address.lower()
    local, _, domain = lowered.rpartition("@")
    return bool(
        lowered not in own
        and domain
        and not local.startswith(("postmaster", "mailer-daemon", "abuse"))
        and not (len(local) > 60 and any(char.isdigit() for char in local))
    )


def _line_score(lines: list[str], position: int) -> int:
    line = lines[position]
    score = 1
    if _ANGLE_START.match(line):
        score += 4
    elif _ALONE.match(line):
        score += 3
    if _NOISE.search(line):
        score -= 4
    after = " ".join(lines[position : position + 3])
    if _STRONG_LINE.search(re.sub(r"\S{1,128}@\S{1,255}", "", after)):
        score += 2
    before = next((text for text in reversed(lines[max(0, position - 4) : position]) if text.strip()), "")
    if _LEAD_IN.search(before):
        score += 2
    return score
