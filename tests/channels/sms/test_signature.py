"""Twilio's signature: all known vectors, and everything that must be refused."""

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from channels.sms.parse import BadForm, read_form
from channels.sms.signature import is_signed
from tests.channels.sms.corpus import load

URL = "https://desk.example.com/hooks/twilio/k1/sms"
TOKEN = "secret-token"


def sign(url: str, form: list[tuple[str, str]], token: str = TOKEN) -> str:
    text = url + "".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def test_it_agrees_with_every_shared_vector() -> None:
    shared = load("sms/signatures.json")
    for vector in shared["vectors"]:
        body = vector["body"].encode() if "body" in vector else None
        form = list(shared["params"].items()) if vector.get("form") else []
        found = is_signed(vector["url"], form, vector["signature"], secrets=[shared["auth_token"]], body=body)
        assert found is vector["valid"], vector


@pytest.mark.parametrize("url", [URL, URL + "?a=1&b=", "http://h:8080/x", "https://h:8443/x?y=%20", URL + "?q=%C3%A9"])
def test_it_takes_what_twilio_signed_with_or_without_the_port(url: str) -> None:
    form = [("Body", "xin chào 👋"), ("NumMedia", ""), ("From", "+84903123456")]
    assert is_signed(url, form, sign(url, form), secrets=[TOKEN])
    bare = urlsplit(url)._replace(netloc=urlsplit(url).hostname or "").geturl()
    assert is_signed(url, form, sign(bare, form), secrets=[TOKEN])


def test_a_missing_or_empty_or_foreign_signature_is_refused_without_an_error() -> None:
    for signature in (None, "", "é", "x" * 28, sign(URL, [], "another")):
        assert not is_signed(URL, [], signature, secrets=[TOKEN])


def test_a_changed_value_an_added_field_and_another_address_are_refused() -> None:
    form = [("Body", "hi"), ("From", "+1")]
    good = sign(URL, form)
    assert is_signed(URL, form, good, secrets=[TOKEN])
    assert not is_signed(URL, [("Body", "ho"), ("From", "+1")], good, secrets=[TOKEN])
    assert not is_signed(URL, [*form, ("To", "+2")], good, secrets=[TOKEN])
    assert not is_signed(URL + "?x", form, good, secrets=[TOKEN])


def test_without_a_secret_nothing_is_signed() -> None:
    assert not is_signed(URL, [], sign(URL, [], ""), secrets=[])
    assert not is_signed(URL, [], sign(URL, [], ""), secrets=[""])


def test_while_a_token_is_rotated_both_are_good() -> None:
    assert is_signed(URL, [], sign(URL, [], "new"), secrets=["old", "new"])


def test_a_shared_key_signs_with_sha_256_and_an_unknown_algorithm_is_refused() -> None:
    form = [("Body", "hi")]
    signature = RequestValidator(TOKEN).compute_signature(URL, dict(form), "HMAC_SHA256")
    header = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
    assert is_signed(URL, form, signature, secrets=[TOKEN], settings_header=header)
    assert not is_signed(URL, form, signature, secrets=[TOKEN])
    assert not is_signed(URL, form, signature, secrets=[TOKEN], settings_header="algorithm=HMAC_MD5")


def test_json_needs_the_hash_of_its_body_in_the_signed_address() -> None:
    body = json.dumps({"event": "é"}).encode()
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    assert is_signed(url, [], sign(url, []), secrets=[TOKEN], body=body)
    assert not is_signed(url, [], sign(url, []), secrets=[TOKEN], body=body + b" ")
    assert not is_signed(URL, [], sign(URL, []), secrets=[TOKEN], body=body)
    assert not is_signed(url, [], sign(url, []), secrets=[TOKEN], body=b"\xff")


def test_repeated_names_are_signed_with_each_distinct_value() -> None:
    form = [("Body", "b"), ("Body", "a"), ("Body", "a")]
    assert is_signed(URL, form, sign(URL, form), secrets=[TOKEN])


@pytest.mark.parametrize("url", ["https://h:port/x", "https://[::1/x", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    assert not is_signed(url, [], "x" * 28, secrets=[TOKEN])


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=30), max_size=8))
def test_what_travels_as_a_form_verifies(fields: dict[str, str]) -> None:
    pairs = list(fields.items())
    wire = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    form = list(read_form(wire.encode("ascii")))
    assert form == pairs
    assert is_signed(URL, form, sign(URL, pairs), secrets=[TOKEN])


def test_a_body_that_is_no_form_says_so() -> None:
    for raw in (b"\xff\xfe", b"&".join(b"a%d=1" % n for n in range(400))):
        with pytest.raises(BadForm):
            read_form(raw)
    assert parse_qs("a=") == {}  # why the pairs are read with blank values kept
    assert read_form(b"a=&b=1") == [("a", ""), ("b", "1")]
