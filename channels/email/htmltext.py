"""HTML bodies as lines of text that know what the mail program said about them: quote, attribution, signature."""

import re
from dataclasses import dataclass
from enum import StrEnum

from selectolax.lexbor import LexborHTMLParser, LexborNode

from channels.email.charsets import without_controls

MAX_HTML = 2_000_000
_MAX_NODES = 200_000
_SPACES = re.compile(r"[ \t\r\n\f]+")
_SKIPPED = frozenset({"head", "style", "script", "title", "template", "noscript", "object", "svg", "math", "meta"})
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
        "blockquote",
        "body",
        "html",
    ]
)
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre"})
_QUOTED_CLASSES = frozenset(
    [
        "yahoo_quoted",
        "tutanota_quote",
        "gmail_quote_body",
        "zmail_extra",
        "moz-forward-container",
        "wm-reply",
        "quoted-mail",
        "ms-outlook-mobile-reference-message",
        "x_yahoo_quoted",
        "ydpyahoo_quoted",
        "freebirdquote",
        "ntes-mailmaster-quote",
    ]
)
_QUOTED_IDS = frozenset(
    {"mail-editor-reference-message-container", "yahoo_quoted", "isforwardcontent", "olk_src_body_section"}
)
# Yahoo writes a random word before its class in each mail.
_YAHOO = re.compile(r"ydp\w{1,20}yahoo_quoted")
_ATTRIBUTION_CLASSES = frozenset(
    {"gmail_attr", "moz-cite-prefix", "reply-intro", "x_gmail_attr", "protonmail_quote_header"}
)
_CUT_IDS = frozenset(
    {"divrplyfwdmsg", "appendonsend", "x_divrplyfwdmsg", "x_appendonsend", "reply_header", "stopspelling", "zwchr"}
)
_CUT_CLASSES = frozenset({"outlookmessageheader"})
_SIGNATURE_CLASSES = frozenset(
    (
        *("gmail_signature", "moz-signature", "x_gmail_signature", "protonmail_signature_block", "signature-mail"),
        "k9mail-signature",
        # Our own, as they come back below an answer, or with the prefix that Outlook puts before them.
        *("cc-signature", "cc-footer", "x_cc-signature", "x_cc-footer"),
    )
)
_SIGNATURE_IDS = frozenset({"signature", "x_signature", "ms-outlook-mobile-signature", "applemailsignature"})
# Word's separator above the header block of the answered mail.
_WORD_RULE = re.compile(
    r"border:\s*none;\s*border-top:\s*solid\s+(?:#e1e1e1|#b5c4df|windowtext)\s+1\.0pt", re.IGNORECASE
)
_INDENT = re.compile(r"margin:\s*0(?:px)?\s+0(?:px)?\s+0(?:px)?\s+40px;.*border:\s*none", re.IGNORECASE)


_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,10})")
# Void elements, and those that the next one of their kind closes.
_FLAT = frozenset(
    (
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track"),
        *("wbr", "p", "li", "dt", "dd", "option", "tr", "td", "th", "tbody", "thead"),
    )
)
_MAX_DEPTH = 600


class Mark(StrEnum):
    """What the mail program said a line is."""

    NONE = ""
    QUOTE = "quote"
    # A cited block that no mail program signed: the author indents with it too.
    INDENT = "indent"
    ATTRIBUTION = "attribution"
    CUT = "cut"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a body; quoted lines carry their `> ` already."""

    text: str
    mark: Mark = Mark.NONE


class _Writer:
    """Collects words into lines while the tree is walked."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.depth = 0
        self.loose = False
        self.preformatted = 0
        self.marks: list[Mark] = []
        self._words: list[str] = []
        self._gap = False

    def text(self, text: str) -> None:
        if self.preformatted:
            first, *rest = text.split("\n")
            self._words.append(first)
            for line in rest:
                self.end_line(keep_empty=True)
                self._words.append(line)
            return
        flat = _SPACES.sub(" ", text)
        if flat == " " and not self._words:
            return
        self._words.append(flat)

    def end_line(self, keep_empty: bool = False) -> None:
        words = "".join(self._words)
        self._words.clear()
        content = words if self.preformatted else _SPACES.sub(" ", words).strip(" ")
        content = content.replace("\xa0", " ").rstrip()
        if not content and not keep_empty:
            return
        if self._gap and self.lines and self.lines[-1].text.strip("> "):
            last = self.lines[-1].mark
            inside = self.depth and last in (Mark.QUOTE, Mark.INDENT)
            self.lines.append(Line(">" * min(self.depth, 20), last) if inside else Line(""))
        self._gap = False
        self._push(content)

    def gap(self) -> None:
        """Ask for one empty line before the next content."""
        self._gap = True

    def cut(self) -> None:
        self.end_line()
        self.lines.append(Line("", Mark.CUT))

    def _push(self, content: str) -> None:
        mark = self.marks[-1] if self.marks else Mark.NONE
        if self.depth:
            prefix = ">" * min(self.depth, 20)
            self.lines.append(Line(f"{prefix} {content}".rstrip(), Mark.INDENT if self.loose else Mark.QUOTE))
        else:
            self.lines.append(Line(content, mark if content else Mark.NONE))


# A node, the depth and looseness around it, and whether it pushed a mark.
_Closing = tuple[LexborNode, int, bool, bool]


def too_deep(html: str) -> bool:
    """Whether elements nest so deep that parsing takes quadratic time; no mail program writes such HTML."""
    depth = deepest = 0
    for closing, name in _TAG.findall(html[:MAX_HTML]):
        if name.lower() not in _FLAT:
            depth += -1 if closing else 1
            deepest = max(deepest, depth)
    return deepest > _MAX_DEPTH


def html_lines(html: str) -> list[Line]:
    """The lines that a reader of `html` sees, in order, each with its mark."""
    tree = LexborHTMLParser(html[:MAX_HTML])
    root = tree.body or tree.root
    writer = _Writer()
    if root is not None:
        _walk(root, writer)
    writer.end_line()
    return writer.lines


def joined(lines: list[Line]) -> str:
    """Lines as one text without leading, trailing or doubled empty lines."""
    text = "\n".join(line.text for line in lines if line.mark is not Mark.CUT)
    return without_controls(re.sub(r"\n{3,}", "\n\n", text)).strip("\n")


def has_marks(lines: list[Line]) -> bool:
    """Whether the mail program marked an answered mail in this HTML."""
    return any(line.mark in (Mark.QUOTE, Mark.INDENT, Mark.ATTRIBUTION, Mark.CUT) for line in lines)


def _walk(root: LexborNode, writer: _Writer) -> None:
    """Depth first without recursion: mail HTML nests thousands of levels deep."""
    node: LexborNode | None = root
    closings: list[_Closing] = []
    visited = 0
    while node is not None and visited < _MAX_NODES:
        visited += 1
        child = _enter(node, writer, closings)
        if child is not None:
            node = child
            continue
        node = _leave(node, root, writer, closings)


def _leave(node: LexborNode, root: LexborNode, writer: _Writer, closings: list[_Closing]) -> LexborNode | None:
    while True:
        if closings and closings[-1][0].mem_id == node.mem_id:
            _close(node.tag or "", writer, closings.pop())
        if node.mem_id == root.mem_id:
            return None
        if node.next is not None:
            return node.next
        if node.parent is None:
            return None
        node = node.parent


def _enter(node: LexborNode, writer: _Writer, closings: list[_Closing]) -> LexborNode | None:
    tag = node.tag
    if tag == "-text":
        writer.text(node.text_content or "")
        return None
    if tag is None or tag in _SKIPPED or tag.startswith(("-", "!")):
        return None
    if tag == "br":
        writer.end_line(keep_empty=True)
        return None
    if tag == "td" or tag == "th":
        writer.text(" ")
    elif tag in _BLOCKS:
        writer.end_line()
    before, loose = writer.depth, writer.loose
    marked = _apply_marks(node, tag, writer)
    if tag in _SPACED and "MsoNormal" not in (_attribute(node, "class") if tag == "p" else ""):
        writer.gap()
    if tag == "pre":
        writer.preformatted += 1
    elif tag == "li":
        writer.text("- ")
    child = node.child
    if tag in _BLOCKS or marked or writer.depth != before:
        closings.append((node, before, loose, marked))
        if child is None:
            _close(tag, writer, closings.pop())
    return child


def _close(tag: str, writer: _Writer, closing: _Closing) -> None:
    _, depth, loose, marked = closing
    if tag in _BLOCKS or marked:
        writer.end_line()
    if tag in _SPACED:
        writer.gap()
    if tag == "pre":
        writer.preformatted -= 1
    writer.depth, writer.loose = depth, loose
    if marked:
        writer.marks.pop()


def _apply_marks(node: LexborNode, tag: str, writer: _Writer) -> bool:
    """Change the writer for a node that a mail program marked; True when a mark was pushed."""
    if tag not in ("div", "blockquote", "span", "p", "section", "hr", "pre", "table"):
        return False
    attributes = node.attributes
    if not attributes:
        if tag == "blockquote":
            writer.loose = writer.loose or not writer.depth
            writer.depth += 1
        return False
    classes = frozenset((attributes.get("class") or "").lower().split())
    identity = (attributes.get("id") or "").lower()
    style = attributes.get("style") or ""
    if tag == "blockquote":
        if _INDENT.search(style[:500]) and "type" not in attributes:
            return False
        signed = bool(classes or identity or "type" in attributes or "cite" in attributes)
        writer.loose = not signed and (writer.loose or not writer.depth)
        writer.depth += 1
        return False
    if classes & _QUOTED_CLASSES or identity in _QUOTED_IDS or any(map(_YAHOO.fullmatch, classes)):
        writer.loose = False
        writer.depth += 1
        return False
    if identity in _CUT_IDS or classes & _CUT_CLASSES or (style and _WORD_RULE.search(style[:500])):
        writer.cut()
        return False
    mark = Mark.NONE
    if classes & _ATTRIBUTION_CLASSES or identity == "reply-intro":
        mark = Mark.ATTRIBUTION
    elif classes & _SIGNATURE_CLASSES or identity in _SIGNATURE_IDS:
        mark = Mark.SIGNATURE
    if mark is Mark.NONE:
        return False
    writer.end_line()
    writer.marks.append(mark)
    return True


def _attribute(node: LexborNode, name: str) -> str:
    return node.attributes.get(name) or ""
