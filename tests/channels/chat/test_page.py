"""The frame page, its policy, and the budget of what it loads."""

import gzip
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from channels.chat.asking import Hours
from channels.chat.assets import FOLDER, load_assets
from channels.chat.page import Widget, choose_locale, content_policy, frame_page, origin_allowed
from channels.chat.texts import widget_texts

WIDGET = Widget("shop", "Harbor </script> Supply", origins=("https://shop.example",))
BEFORE_OPEN = ("loader.js", "frame.css", "frame.js", "base.js", "invite.js", "invite.css")


def page(hours: Hours = Hours(True), theme: str = "", _: Callable[[str], str] = str) -> str:
    return frame_page(WIDGET, hours, locale="en", theme=theme, ticket="TICKET", assets="/widget/static/v/", _=_)


def config(html: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="config">(.*?)</script>', html, re.S)
    assert found
    return json.loads(found[1])  # type: ignore[no-any-return]


def packed(names: tuple[str, ...]) -> int:
    return sum(len(load_assets().files[name].packed) for name in names)


def test_a_name_cannot_leave_its_place_in_the_page() -> None:
    html = page()
    assert html.count("</script>") == 2
    assert config(html)["widget"]["name"] == "Harbor </script> Supply"  # type: ignore[index]


def test_there_is_nothing_inline_to_allow() -> None:
    html = page(theme="dark")
    assert not re.search(r"\sstyle=|\son\w+=|<style", html)
    assert [tag for tag in re.findall(r"<script[^>]*>", html) if "src=" not in tag] == [
        '<script type="application/json" id="config">'
    ]


def test_a_theme_is_one_of_two_or_the_systems() -> None:
    assert 'data-theme="dark"' in page(theme="dark")
    assert "data-theme" not in page(theme='"><script>')


def test_the_policy_names_our_host_and_the_pages_that_may_show_it() -> None:
    policy = content_policy(WIDGET, "https://desk.example")
    assert "unsafe" not in policy
    assert "connect-src 'self' wss://desk.example;" in policy
    assert policy.endswith("frame-ancestors 'self' https://shop.example")
    assert content_policy(Widget("a", "A", origins=("*",)), "https://d.example").endswith("frame-ancestors *")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://desk.example", True),
        ("https://shop.example", True),
        ("https://shop.example.evil.test", False),
        ("http://shop.example", False),
        ("null", False),
        (None, False),
    ],
)
def test_a_line_is_opened_from_allowed_origins_only(origin: str | None, allowed: bool) -> None:
    assert origin_allowed(origin, "https://desk.example", WIDGET) is allowed


@pytest.mark.parametrize(
    ("wanted", "locale"), [("vi-VN", "vi"), ("en-GB", "en"), ("fr", "en"), ("", "en"), ("VI", "vi")]
)
def test_the_language_follows_the_browser(wanted: str, locale: str) -> None:
    assert choose_locale(wanted) == locale


def test_closed_hours_are_told() -> None:
    opens = datetime(2026, 11, 3, 1, 0, tzinfo=UTC)
    status = config(page(Hours(False, opens)))["status"]
    assert status == {
        "open": False,
        "opens_at": "2026-11-03T01:00:00+00:00",
        "wait_s": None,
        "closed": {},
        "ticket": "TICKET",
    }


def test_every_text_the_scripts_use_exists_and_every_text_is_used() -> None:
    texts = {key.removesuffix(".one").removesuffix(".other") for key in widget_texts(str)}
    scripts = "".join(path.read_text() for path in Path(FOLDER).glob("*.js"))
    used = set(re.findall(r'"([a-z_]+)"', scripts))
    called = set(re.findall(r'\bt\("([a-z_]+)"', scripts))
    assert called <= texts
    assert texts <= used | {"tap_a_star"}


def test_it_keeps_to_its_budget() -> None:
    files = load_assets().files
    html = len(gzip.compress(page(Hours(True)).encode(), 9))
    assert len(files["loader.js"].packed) <= 3 * 1024
    assert packed(BEFORE_OPEN) + html <= 15 * 1024
    assert packed(tuple(files)) + html <= 45 * 1024


def test_the_version_follows_every_file(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1")
    (tmp_path / "b.css").write_text("2")
    before = load_assets(tmp_path).version
    assert load_assets(tmp_path).version == before
    (tmp_path / "b.css").write_text("3")
    assert load_assets(tmp_path).version != before


def test_a_shops_own_words_replace_ours_in_their_language_only() -> None:
    own = {"en": {"greeting": "Ahoy", "offline": "Back {when}"}, "vi": {"greeting": "Chào bạn", "offline": "Đã nghỉ"}}
    widget = Widget("shop", "Shop", texts=own)
    told = {"theme": "", "ticket": "", "assets": "/", "_": str}
    texts = [config(frame_page(widget, Hours(True), locale=one, **told))["texts"] for one in ("en", "vi")]  # type: ignore[arg-type]
    english, vietnamese = texts
    assert isinstance(english, dict)
    assert isinstance(vietnamese, dict)
    assert (english["greeting"], english["closed_until"]) == ("Ahoy", "Back {when}")
    assert english["closed_more"] == widget_texts(str)["closed_more"]
    assert (vietnamese["closed_until"], vietnamese["closed_more"]) == ("Đã nghỉ", "Đã nghỉ")
    assert "consent" not in english
