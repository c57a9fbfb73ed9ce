"""The demo's shop: whoever signs in there is handed to the widget by the contract that every website follows."""

import re

import httpx2
from sqlalchemy import Connection, update

from contact_center.core.clock import utcnow
from contact_center.demo import shop_login
from contact_center.demo.checklist import SIMULATED
from contact_center.demo.shoppers import others, yours
from tests.demo.served import Served
from tickets.customers import contacts
from tickets.inbound import Address
from tickets.models import ContactPoint, Customer
from tickets.states import ContactKind

TOKEN = re.compile(r' data-token="([^"]+)"')
BROWSER_ID = "a-browser-of-its-own"


def with_cookie(demo: Served, path: str, cookie: str) -> dict[str, dict[str, str]]:
    request = demo.at("shop", path)
    return {**request, "headers": {**request["headers"], "cookie": cookie}}


async def post(demo: Served, path: str, **form: str) -> tuple[str, httpx2.Response]:
    """Press a button of the shop; the cookie that it leaves, and the answer."""
    answer = await demo.http.post(**demo.at("shop", path), data=form)
    return answer.headers.get("set-cookie", "").partition(";")[0], answer


async def test_who_signs_in_is_given_to_the_widget_by_a_token_that_it_believes_once(demo: Served) -> None:
    who = yours()[0]
    page = await demo.http.get(**demo.at("shop", "/demo/shop"))
    assert TOKEN.search(page.text) is None
    assert all(shopper.name in page.text for shopper in yours())
    cookie, answer = await post(demo, "/demo/shop/sign-in", who=shop_login.id_of(who), lang="vi")
    assert (answer.status_code, answer.headers["location"]) == (303, "/demo/shop?lang=vi")
    page = await demo.http.get(**with_cookie(demo, "/demo/shop", cookie))
    assert (page.headers["cache-control"], who.name in page.text) == ("no-store", True)
    token = TOKEN.search(page.text)
    assert token is not None

    traded = await demo.http.post(
        **demo.at("shop", "/widget/shop/identity"), json={"token": token[1], "client_id": BROWSER_ID}
    )
    assert (traded.json()["subject"], traded.json()["email"]) == (shop_login.id_of(who), who.email)
    [customer] = await demo.rows(Customer)
    assert (customer.external_id, customer.name) == (shop_login.id_of(who), who.name)
    assert [point.verified_at is not None for point in await demo.rows(ContactPoint)] == [True]
    again = await demo.http.get(**with_cookie(demo, "/demo/shop", cookie))
    other = TOKEN.search(again.text)
    assert other is not None
    assert other[1] != token[1]


async def test_who_signs_out_is_forgotten_by_the_chat_once(demo: Served) -> None:
    cookie, _ = await post(demo, "/demo/shop/sign-out", lang="en")
    first = await demo.http.get(**with_cookie(demo, "/demo/shop", cookie))
    assert ("shop-left.js" in first.text, TOKEN.search(first.text)) == (True, None)
    assert 'shop_customer=""' in first.headers["set-cookie"]
    later = await demo.http.get(**demo.at("shop", "/demo/shop"))
    assert "shop-left.js" not in later.text


async def test_nobody_signs_in_as_somebody_who_is_not_offered_or_from_elsewhere(demo: Served) -> None:
    cookie, answer = await post(demo, "/demo/shop/sign-in", who="shopper9")
    assert (answer.status_code, cookie) == (404, "")
    request = demo.at("agent", "/demo/shop/sign-in")
    request["headers"]["origin"] = "https://evil.example"
    assert (await demo.http.post(**request, data={"who": shop_login.id_of(yours()[0])})).status_code == 403


async def test_the_floor_does_not_play_whom_a_person_plays(demo: Served) -> None:
    who = yours()[1]

    def known(tx: Connection) -> None:
        contacts.find_or_create(tx, Address(ContactKind.EMAIL, who.email, who.name, verified=True), now=utcnow())
        tx.execute(update(Customer).values(attributes={SIMULATED: True, "size": "M"}))

    await demo.services.db.write(known)
    await post(demo, "/demo/shop/sign-in", who=shop_login.id_of(who))
    [customer] = await demo.rows(Customer)
    assert customer.attributes == {"size": "M"}
    assert not {one.email for one in others()} & {one.email for one in yours()}
