"""HTML of strangers: nothing runs, nothing is fetched, the words stay."""

import re

import pytest

from channels.email.sanitize import framed, remote_pictures, sanitised, with_pictures
from tests.channels.email.corpus import folder

ACTIVE = re.compile(
    r"<(?:script|iframe|object|embed|form|input|link|meta|base|style|svg|math)\b|\son\w+\s*=|javascript:|vbscript:",
    re.I,
)


def test_the_shared_payloads_do_nothing() -> None:
    files = sorted(path for path in (folder("").parent / "html").iterdir() if path.suffix != ".md")
    assert files
    for file in files:
        payload = file.read_text("utf-8").split("\n--\n")[0]
        markup = "".join(re.findall(r"<[^>]*>", sanitised(payload)))
        assert not ACTIVE.search(markup), (file.name, markup)


def test_remote_pictures_wait_until_somebody_asks() -> None:
    clean = sanitised('<img src="https://x.test/p.gif?a=1&b=2"><img src="http://y.test/q.gif"><img src="cid:a@b">')

    assert remote_pictures(clean) == ["https://x.test/p.gif?a=1&b=2", "http://y.test/q.gif"]
    assert ' src="http' not in clean
    shown = with_pictures(clean, inline={"a@b": "/files/1"}.get, remote=lambda url: f"/proxy?u={len(url)}")
    assert shown.count('src="/proxy?u=') == 2
    assert 'src="/files/1"' in shown


@pytest.mark.parametrize(
    "html",
    [
        '<div style="background:url(http://x)">a</div>',
        '<div style="background-image:url(//x)">a</div>',
        '<td background="http://x">a</td>',
        '<p style="position:fixed;top:0">a</p>',
        '<img srcset="http://x 2x">a',
        '<video poster="http://x">a</video>',
        '<a href="data:text/html,x">a</a>',
        '<p style="color:u\\72l(http://x)">a</p>',
    ],
)
def test_styles_and_attributes_fetch_nothing(html: str) -> None:
    clean = sanitised(html)

    assert "http" not in clean
    assert "//x" not in clean
    assert "fixed" not in clean
    assert "data:text" not in clean


def test_the_frame_forbids_what_the_list_missed() -> None:
    assert "default-src 'none'" in framed("<p>x</p>")
