"""HTML of strangers made safe to show: nh3 with a narrow list, remote pictures held back, our frame around it.

Stored HTML is sanitised already. A remote picture keeps its address in `data-remote-src`; `with_pictures`
puts addresses of our own in its place when somebody asks for it.
"""

import re
from collections.abc import Callable
from html import escape, unescape
from urllib.parse import unquote

import nh3

MAX_HTML = 2_000_000
_HELD = "x-remote:"
_TAGS = {
    "a", "abbr", "address", "article", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center",
    "cite", "code", "col", "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption",
    "figure", "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins",
    "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "section", "small", "span", "strike", "strong",
    "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul",
    "var", "wbr",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"style", "dir", "lang", "title", "align", "valign"},
    "a": {"href", "name"},
    "img": {"src", "alt", "width", "height", "border"},
    "table": {"width", "height", "border", "cellpadding", "cellspacing", "bgcolor"},
    "td": {"width", "height", "colspan", "rowspan", "bgcolor", "nowrap"},
    "th": {"width", "height", "colspan", "rowspan", "bgcolor", "nowrap", "scope"},
    "tr": {"bgcolor", "height"},
    "col": {"width", "span"},
    "colgroup": {"width", "span"},
    "font": {"color", "face", "size"},
    "ol": {"start", "type", "reversed"},
    "ul": {"type"},
    "li": {"value"},
    "blockquote": {"type", "cite"},
    "time": {"datetime"},
    "hr": {"width", "size", "color"},
}
# Nothing that can load an address, leave its box or cover other content.
_STYLES = {
    "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left", "border-radius",
    "border-right", "border-spacing", "border-style", "border-top", "border-width", "color", "direction", "display",
    "font", "font-family", "font-size", "font-style", "font-variant", "font-weight", "height", "letter-spacing",
    "line-height", "list-style-type", "margin", "margin-bottom", "margin-left", "margin-right", "margin-top",
    "max-height", "max-width", "min-width", "padding", "padding-bottom", "padding-left", "padding-right",
    "padding-top", "text-align", "text-decoration", "text-indent", "text-transform", "vertical-align", "white-space",
    "width", "word-break", "word-wrap", "overflow-wrap",
}  # fmt: skip
_INLINE_DATA = re.compile(r"^data:image/(?:png|gif|jpe?g|webp);base64,[A-Za-z0-9+/=\s]{0,200000}$")
_REMOTE = re.compile(r'data-remote-src="([^"]*)"')
_CID = re.compile(r'src="cid:([^"]*)"')
_LOADS = re.compile(r"url\s*\(|image\s*\(|expression|@import|\\", re.IGNORECASE)


def _filter(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "style" and _LOADS.search(value):
        return ";".join(part for part in value.split(";") if not _LOADS.search(part)) or None
    if tag == "img" and attribute == "src":
        lowered = value.strip().lower()
        if lowered.startswith("cid:"):
            return f"cid:{value.strip()[4:].strip('<>')}"
        if lowered.startswith(("http://", "https://")):
            return _HELD + value.strip()
        return value if _INLINE_DATA.match(value.strip()) else None
    if attribute == "href" and value.strip().lower().startswith(("data:", "cid:", _HELD)):
        return None
    return value


_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags={"script", "style", "title", "template", "noscript", "svg", "math", "iframe", "object"},
    attributes=_ATTRIBUTES,
    attribute_filter=_filter,
    filter_style_properties=_STYLES,
    url_schemes={"http", "https", "mailto", "tel", "cid", "data", "x-remote"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    strip_comments=True,
)


def sanitised(html: str) -> str:
    """`html` without anything active; remote pictures are held back, those of the mail itself stay as `cid:`."""
    if not html.strip():
        return ""
    clean = _CLEANER.clean(html[:MAX_HTML].replace("\0", ""))
    # The held scheme loads nothing by itself, so a miss of this replacement shows no picture.
    return clean.replace(f'src="{_HELD}', 'data-remote-src="').strip()


def remote_pictures(html: str) -> list[str]:
    """The addresses of the pictures that are held back in sanitised HTML."""
    return [unescape(found) for found in _REMOTE.findall(html)]


def with_pictures(html: str, *, inline: Callable[[str], str | None], remote: Callable[[str], str] | None = None) -> str:
    """Sanitised HTML with `cid:` pictures at the addresses that `inline` gives, remote ones through `remote`."""

    def own(match: re.Match[str]) -> str:
        # RFC 2392: the id stands percent-encoded in the address.
        address = inline(unquote(unescape(match[1])))
        return f'src="{escape(address)}"' if address else 'alt=""'

    def fetched(match: re.Match[str]) -> str:
        assert remote is not None
        return f'src="{escape(remote(unescape(match[1])))}" referrerpolicy="no-referrer"'

    html = _CID.sub(own, html)
    return _REMOTE.sub(fetched, html) if remote is not None else html


def framed(html: str) -> str:
    """A whole document for a sandboxed frame: no scripts, no network but pictures of ours."""
    return (
        '<!doctype html><html><head><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src 'self' data:; "
        "style-src 'unsafe-inline'\"><style>body{font:14px/1.5 system-ui,sans-serif;margin:0;overflow-wrap:anywhere}"
        "img{max-width:100%;height:auto}blockquote{margin:0 0 0 8px;padding-left:8px;border-left:2px solid #ccc}"
        "table{max-width:100%}</style></head>"
        f"<body>{html}</body></html>"
    )
