"""The carrier's refusals as reasons that people read and programs act on."""

import pytest

from channels.sms.errors import ADVICE, ERRORS, from_response, lookup, page_of


def test_an_opted_out_number_is_told_apart() -> None:
    assert lookup(21610).opted_out
    assert not lookup(21610).retryable
    assert [error.code for error in ERRORS.values() if error.opted_out] == ["21610"]


def test_every_text_is_a_sentence_for_people() -> None:
    for error in ERRORS.values():
        assert error.text[0].isupper(), error.code
        assert error.text.endswith((".", ")", ".)")), error.code
        assert not (error.retryable and error.suppress), error.code


def test_an_unlisted_code_keeps_the_carriers_words() -> None:
    assert lookup("63999", "Template paused").text == "Template paused"
    assert lookup("63999").code == "63999"
    assert lookup(None).code == lookup(0).code == lookup("").code == "rejected"


@pytest.mark.parametrize(
    ("status", "code", "found", "retryable"),
    [
        (400, 21614, "21614", False),
        (429, 20429, "20429", True),
        (429, None, "20429", True),
        (401, None, "20003", False),
    ],
)
def test_a_refusal_is_read_from_code_and_status(status: int, code: int | None, found: str, retryable: bool) -> None:
    error = from_response(status, code)
    assert error is not None
    assert (error.code, error.retryable) == (found, retryable)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_carrier_leaves_the_outcome_unknown(status: int) -> None:
    assert from_response(status, 20500) is None


def test_advice_is_given_for_codes_of_the_table_only() -> None:
    assert set(ADVICE) <= set(ERRORS)


@pytest.mark.parametrize("code", ["30007", "63999"])
def test_twilio_explains_its_codes_on_a_page(code: str) -> None:
    assert page_of(code) == f"https://www.twilio.com/docs/api/errors/{code}"


@pytest.mark.parametrize("code", [None, "", "suppressed", "no_connection", "429", "30007/..", "３０００７"])
def test_what_is_no_code_of_twilios_has_no_page(code: str | None) -> None:
    assert page_of(code) == ""
