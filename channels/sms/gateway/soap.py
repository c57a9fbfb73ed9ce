"""XML for gateways that speak SOAP: bodies that no value breaks out of, and answers as a tree (pure)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

CONTENT_TYPE = "text/xml; charset=utf-8"
PLACE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
# What XML 1.0 cannot carry in any spelling.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OTHER_ENCODING = re.compile(r"<\?xml[^>]*encoding\s*=\s*[\"'](?!utf-8[\"'])", re.IGNORECASE)
_ESCAPES = {
    ord(char): f"&{name};"
    for char, name in {
        "&": "amp",
        "<": "lt",
        ">": "gt",
        '"': "quot",
        "'": "apos",
        # As they are, a parser would make blanks of them in an attribute.
        "\n": "#10",
        "\r": "#13",
        "\t": "#9",
    }.items()
}


def fill(template: str, filled: Mapping[str, str]) -> bytes:
    """A template with its places filled in, as UTF-8; ValueError for one that is no XML or has a place elsewhere.

    Places may stand in text and in attributes' values: not in names, comments or CDATA, where escaping means nothing.
    """
    text = template.strip()
    for forbidden in ("<!DOCTYPE", "<![CDATA["):
        if forbidden in text:
            raise ValueError(forbidden)
    if _OTHER_ENCODING.search(text):
        raise ValueError("encoding: UTF-8")
    names = PLACE.findall(text)
    unknown = next((name for name in names if name not in filled), None)
    if unknown is not None:
        raise ValueError(unknown)
    marks = iter(range(len(names)))
    marked = PLACE.sub(lambda _: f"\ue000{next(marks)}\ue001", text)
    try:
        root = ElementTree.fromstring(marked.encode())
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from error
    if "".join(_values(root)).count("\ue000") != len(names):
        raise ValueError('{{…}}: <a>{{text}}</a>, <a b="{{to}}">')
    return PLACE.sub(lambda place: escaped(filled[place[1]]), text).encode()


def escaped(value: str) -> str:
    """A value as it may stand in text and in an attribute."""
    return _ILLEGAL.sub("", value).translate(_ESCAPES)


def _values(root: Element) -> Iterator[str]:
    for element in root.iter():
        yield from (element.text or "", element.tail or "", *element.attrib.values())


def read(body: bytes) -> dict[str, Any] | None:
    """An answer as a tree of names without their namespaces; None for what is no XML.

    {"Envelope": {"Body": {"sendResponse": {"return": "0|42", "@status": "ok"}}}}; what comes several times is a list.
    """
    if not body.lstrip().startswith(b"<") or b"<!DOCTYPE" in body:
        return None
    try:
        root = ElementTree.fromstring(body)
        return {_local(root.tag): _tree(root)}
    except (ElementTree.ParseError, LookupError, ValueError, RecursionError):
        return None


def _tree(element: Element) -> Any:
    found: dict[str, Any] = {f"@{_local(name)}": value for name, value in element.attrib.items()}
    for child in element:
        name, value = _local(child.tag), _tree(child)
        held = found.get(name)
        if name not in found:
            found[name] = value
        elif isinstance(held, list):
            held.append(value)
        else:
            found[name] = [held, value]
    text = (element.text or "").strip()
    if not found:
        return text
    return {**found, "#text": text} if text else found


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def fault(tree: Any) -> tuple[str, str] | None:
    """(code, words) of a SOAP fault that blames the request, so that it was not carried out; else None."""
    body = tree.get("Envelope", {}) if isinstance(tree, dict) else {}
    told = body.get("Body") if isinstance(body, dict) else None
    found = told.get("Fault") if isinstance(told, dict) else None
    if not isinstance(found, dict):
        return None
    code = found.get("faultcode") or (found.get("Code") or {}).get("Value")
    words = found.get("faultstring") or (found.get("Reason") or {}).get("Text")
    if isinstance(words, dict):
        words = words.get("#text")
    kind = str(code).rpartition(":")[2]
    return (kind, str(words or kind)) if kind in ("Client", "Sender") else None
