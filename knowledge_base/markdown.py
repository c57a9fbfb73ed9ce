"""Markdown to safe HTML, and to the plain text that is searched."""

import re
from html import unescape

import nh3
from markdown_it import MarkdownIt

# Raw HTML in an article stays text; nh3 then guards what the renderer made.
_RENDERER = MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": False}).enable(
    ["table", "strikethrough"]
)
_TAGS = {
    *("p", "br", "hr", "h2", "h3", "h4", "h5", "ul", "ol", "li", "strong", "em", "s", "code", "pre", "blockquote"),
    *("a", "img", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
_TAG = re.compile(r"<[^>]*>")


def to_html(markdown: str) -> str:
    """Safe HTML; the text's own top heading becomes a second one, because the page's title is the first."""
    html = _RENDERER.render(markdown).replace("<h1>", "<h2>").replace("</h1>", "</h2>")
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer",
    )


def plain_text(markdown: str) -> str:
    """The words of a text without its marks, lines kept apart."""
    html = _RENDERER.render(markdown)
    return unescape(_TAG.sub(" ", html)).strip()


def excerpt(markdown: str, length: int = 180) -> str:
    """The beginning of a text on one line, cut at a word."""
    line = " ".join(plain_text(markdown).split())
    if len(line) <= length:
        return line
    return line[: length - 1].rsplit(" ", 1)[0].rstrip(",;:.- ") + "…"
