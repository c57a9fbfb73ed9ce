"""Addresses in what people write."""

import pytest
from jinja2 import Environment
from jinja2.nodes import EvalContext

from agent_ui import filters


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("1 < 2 & more.", "1 &lt; 2 &amp; more."),
        ("see www.shop.test now", 'see <a href="https://www.shop.test" rel="noopener">www.shop.test</a> now'),
        ("https://shop.test/a?b=1", '<a href="https://shop.test/a?b=1" rel="noopener">https://shop.test/a?b=1</a>'),
        ("shop.com", '<a href="https://shop.com" rel="noopener">shop.com</a>'),
        ("ann@shop.test", '<a href="mailto:ann@shop.test">ann@shop.test</a>'),
    ],
)
def test_addresses_in_a_text_become_links_and_the_rest_is_escaped(text: str, html: str) -> None:
    context = EvalContext(Environment(autoescape=True))
    assert filters.links(context, text, rel="noopener") == html
