"""Address fields into mailboxes: RFC 5322 lists, groups, comments, and the broken forms people send."""

import re

from channels.email.headers import decoded
from channels.email.parsed import Mailbox

_MAX_ADDRESSES = 500
# Bounded on both sides: an unbounded local part would take quadratic time on a long word without "@".
_ADDRESS = re.compile(
    r"[^\s<>()\[\],;:\"'@]{1,128}@[^\s<>()\[\],;:\"'@]{1,255}|\"[^\"\s]{1,64}\"@[^\s<>()\[\],;:\"'@]{1,255}"
)
_MAX_GROUP_NAME = 200
_MAILTO = re.compile(r"^mailto:", re.IGNORECASE)


def mailboxes(value: str) -> tuple[Mailbox, ...]:
    """Every mailbox of an undecoded address field, in order; entries without an address are kept by name."""
    boxes: list[Mailbox] = []
    for entry in _entries(value.replace("\r", " ").replace("\n", " ").replace("\t", " ")):
        box = _mailbox(entry)
        if box is not None:
            boxes.append(box)
        if len(boxes) >= _MAX_ADDRESSES:
            break
    return tuple(boxes)


def first_mailbox(value: str) -> Mailbox:
    """The first mailbox with an address, else the first name, else an empty one."""
    boxes = mailboxes(value)
    for position, box in enumerate(boxes):
        if box.address:
            before = boxes[position - 1].name if position and not boxes[position - 1].address else ""
            # "Miller, Anna <a@x>" without quotes is one person, not two.
            return Mailbox(f"{before}, {box.name}" if before and box.name else box.name or before, box.address)
    return boxes[0] if boxes else Mailbox("", "")


def addresses_in(text: str) -> list[str]:
    """Every address that stands in free text, in order, once each."""
    return list(dict.fromkeys(match.rstrip(".").strip("'`") for match in _ADDRESS.findall(text)))


def _entries(value: str) -> list[str]:
    """Cut at commas and semicolons outside quotes, comments and angle brackets."""
    entries: list[str] = []
    start = 0
    quoted = False
    angle = False
    comment = 0
    skip = False
    for position, char in enumerate(value):
        if skip:
            skip = False
        elif char == "\\" and (quoted or comment):
            skip = True
        elif char == '"' and not comment:
            quoted = not quoted
        elif quoted:
            continue
        elif char == "(":
            comment += 1
        elif char == ")":
            comment = max(0, comment - 1)
        elif comment:
            continue
        elif char == "<":
            angle = True
        elif char == ">":
            angle = False
        elif char in ",;" and not angle:
            entries.append(value[start:position])
            start = position + 1
        elif char == ":" and not angle and _is_group_name(value, start, position):
            start = position + 1
    entries.append(value[start:])
    if quoted and len(entries) == 1 and value.count('"') % 2:
        return _entries(value.replace('"', ""))
    return [entry.strip() for entry in entries if entry.strip()]


def _is_group_name(value: str, start: int, end: int) -> bool:
    """Whether what stands before a colon names a group; the scheme of "mailto:a@b" counts as one."""
    if end - start > _MAX_GROUP_NAME:
        return False
    name = value[start:end]
    return "=?" not in name and not _ADDRESS.search(name)


def _mailbox(entry: str) -> Mailbox | None:
    name, address = _angle(entry)
    if not address:
        name, address = _bare(entry)
    name = _display_name(name)
    if not address and "@" in name:
        inner = _ADDRESS.search(name)
        if inner:
            address, name = inner[0], ""
    if name == address or name == f"'{address}'":
        name = ""
    return Mailbox(name, address) if name or address else None


def _angle(entry: str) -> tuple[str, str]:
    """`phrase <address>`; the last pair that holds an address wins, names may contain brackets."""
    end = len(entry)
    while (start := entry.rfind("<", 0, end)) >= 0:
        inner = entry[start + 1 :].partition(">")[0]
        cleaned = _MAILTO.sub("", inner.strip().strip("'\" "))
        if "@" in cleaned:
            address = cleaned.replace(" ", "") if cleaned.count("@") == 1 else _first_address(cleaned)
            return entry[:start], decoded(address)
        end = start
    return "", ""


def _bare(entry: str) -> tuple[str, str]:
    comment = ""
    rest = entry
    opening = entry.find("(")
    closing = entry.rfind(")")
    if 0 <= opening < closing:
        comment = entry[opening + 1 : closing]
        rest = f"{entry[:opening]} {entry[closing + 1 :]}"
    match = _ADDRESS.search(rest)
    if match:
        return comment or rest[: match.start()], decoded(match[0].rstrip(">").strip("'"))
    match = _ADDRESS.search(decoded(entry))
    if match:
        return "", match[0]
    return rest.replace("<>", "").strip(' "') or comment, ""


def _first_address(text: str) -> str:
    match = _ADDRESS.search(text)
    return match[0] if match else ""


def _display_name(raw: str) -> str:
    name = raw.strip()
    if len(name) > 1 and name.startswith('"') and name.endswith('"'):
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    elif '"' in name:
        name = re.sub(r'(?<!\\)"', "", name).replace('\\"', '"')
    name = decoded(name).strip()
    while len(name) > 1 and name[0] == name[-1] and name[0] in "\"'":
        name = name[1:-1].strip()
    return name.strip()
