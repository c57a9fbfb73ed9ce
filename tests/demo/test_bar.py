"""The bar on pages: where it stands, where it does not, and how busy it makes the floor."""

from contact_center.demo import mark
from tests.demo.served import Served

STRIP = 'id="demo-bar"'


async def test_it_stands_on_pages_but_not_in_frames_and_programs_answers(demo: Served) -> None:
    page = await demo.http.get(**demo.at("", "/"))
    assert page.text.count(STRIP) == 1
    assert page.text.index("/demo/static/bar.css") < page.text.index("</head>")
    shop = await demo.http.get(**demo.at("shop", "/demo/shop"))
    assert (shop.text.count(STRIP), shop.headers["content-length"]) == (1, str(len(shop.content)))
    framed = demo.at("shop", "/demo/shop")
    framed["headers"]["sec-fetch-dest"] = "iframe"
    assert STRIP not in (await demo.http.get(**framed)).text
    assert STRIP not in (await demo.http.get(**demo.at("", "/version"))).text


async def test_an_error_page_has_it_too(demo: Served) -> None:
    answer = await demo.http.get(**demo.at("shop", "/nowhere"))
    assert (answer.status_code, STRIP in answer.text) == (404, True)


async def test_the_pace_is_stored_and_anything_else_is_not(demo: Served) -> None:
    for wanted, stored in (("busy", "busy"), ("pause", "pause"), ("frantic", "pause")):
        answer = await demo.http.post(**demo.at("", f"/demo/pace?is={wanted}"))
        assert answer.json()["pace"] == stored
    assert (await demo.services.db.read(mark.read) or {})["pace"] == "pause"


async def test_it_speaks_the_persons_language(demo: Served) -> None:
    request = demo.at("shop", "/demo/state")
    request["headers"]["accept-language"] = "vi"
    assert (await demo.http.post(**request)).json()["words"]["cut"] == "Ngắt mạng của tôi 20 giây"


async def test_what_a_page_tells_wrongly_is_nothing(demo: Served) -> None:
    for body in (b"", b"{", b"[]", b'{"outbox": [1], "panel": true}', b"x" * 70_000):
        answer = await demo.http.post(**demo.at("shop", "/demo/state"), content=body)
        assert answer.status_code == 200
        assert answer.json()["breaks"] == []


async def test_it_tells_how_far_the_month_is_written_until_it_is(demo: Served) -> None:
    await demo.services.db.write(mark.write, history={"written": 3, "of": 9, "done": False})
    assert "3 of 9" in (await demo.state("agent"))["history"]
    await demo.services.db.write(mark.write, history={"written": 9, "of": 9, "done": True})
    assert (await demo.state("agent"))["history"] == ""
