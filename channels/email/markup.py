"""Plain words as HTML: escaped, with their line breaks and indents, addresses made clickable."""

import html
import re

_LINK = re.compile(
    r"(?P<web>(?:https?://|\bwww\.)[^\s<>\"']{1,1000})|(?P<mail>\b[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}\b)",
    re.IGNORECASE,
)
# What ends a sentence or a bracket around an address, and no address.
_AFTER = ".,;:!?…'\"”’»*_"
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_RUN = re.compile(r" {2,}")


def paragraphs(text: str) -> str:
    """Text as `<p>`, one for each block between empty lines."""
    blocks = re.split(r"\n[ \t]*\n\s*?(?=\S| )", text.replace("\r\n", "\n").strip("\n").rstrip())
    return "".join(f"<p>{lines(block)}</p>" for block in blocks)


def lines(text: str) -> str:
    """Text with `<br>`, indents that mail programs keep, and links."""
    out: list[str] = []
    end = 0
    for match in _LINK.finditer(text):
        address = _address(match[0]) if match["web"] else match[0]
        out += [html.escape(text[end : match.start()]), _link(address)]
        end = match.start() + len(address)
    out.append(html.escape(text[end:]))
    return _spaced("".join(out)).replace("\n", "<br>\n")


def link(target: str, label: str) -> str:
    """A link; both are escaped here."""
    return f'<a href="{html.escape(target)}">{html.escape(label)}</a>'


def _link(address: str) -> str:
    if "@" in address and "/" not in address:
        return link(f"mailto:{address}", address)
    return link(address if address.lower().startswith("http") else f"https://{address}", address)


def _address(found: str) -> str:
    """A web address without the end of the sentence around it; brackets of its own stay."""
    while found:
        last = found[-1]
        if last not in _AFTER and not (last in _BRACKETS and found.count(_BRACKETS[last]) < found.count(last)):
            break
        found = found[:-1]
    return found


def _spaced(text: str) -> str:
    """Indents and runs of spaces as hard ones; a tag of ours has single spaces only."""
    return _RUN.sub(lambda run: "&nbsp;" * len(run[0]), text.replace("\t", "    "))
