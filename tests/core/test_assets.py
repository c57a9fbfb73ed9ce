"""Static files: a style sheet in parts is one file for those who load it."""

from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from contact_center.core.assets import Assets


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    (tmp_path / "plain.css").write_text("p {}")
    (tmp_path / "whole.css").mkdir()
    (tmp_path / "whole.css" / "2-after.css").write_text("b {}")
    (tmp_path / "whole.css" / "1-first.css").write_text("a {}\n")
    return Assets(tmp_path, "/static")


def browser(assets: Assets) -> httpx2.AsyncClient:
    app = Starlette(routes=[Mount("/static", assets)])
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test")


async def test_parts_are_joined_in_the_order_of_their_names(assets: Assets) -> None:
    async with browser(assets) as http:
        answer = await http.get(assets.url("whole.css"))
        assert answer.text == "a {}\nb {}"
        assert answer.headers["content-type"].startswith("text/css")
        assert "immutable" in answer.headers["cache-control"]
        again = await http.get("/static/whole.css", headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert "cache-control" not in again.headers


async def test_parts_are_joined_in_subfolders_too(tmp_path: Path) -> None:
    (tmp_path / "css" / "deep.css").mkdir(parents=True)
    (tmp_path / "css" / "deep.css" / "1.css").write_text("a {}")
    async with browser(Assets(tmp_path, "/static")) as http:
        assert (await http.get("/static/css/deep.css")).text == "a {}"


async def test_plain_files_are_served_as_they_are_and_nothing_else_is(assets: Assets) -> None:
    async with browser(assets) as http:
        assert (await http.get(assets.url("plain.css"))).text == "p {}"
        assert (await http.get("/static/other.css")).status_code == 404
        assert (await http.get("/static/../whole.css")).status_code == 404


def test_another_part_is_another_address(assets: Assets, tmp_path: Path) -> None:
    before = assets.url("whole.css")
    (tmp_path / "whole.css" / "3-more.css").write_text("c {}")
    assert Assets(tmp_path, "/static").url("whole.css") != before
