import pytest

from contact_center.core.errors import Invalid
from routing import queue_settings
from routing.facts import Acceptance, Selection
from routing.pools import Medium


def test_an_empty_queue_has_the_defaults():
    settings = queue_settings.read({})
    assert (settings.live_acceptance, settings.deferred_acceptance) == (Acceptance.OFFER, Acceptance.AUTO)
    assert settings.weight(Medium.CALL) == 100


def test_what_is_written_can_be_read_and_only_differences_are_stored():
    stored = queue_settings.write(
        {"selection": "most_spare", "steps": [{"seconds": 20, "agent": True}, {}], "credit": 0}
    )
    assert set(stored) == {"selection", "steps"}
    settings = queue_settings.read(stored)
    assert (settings.selection, settings.steps[0].agent) == (Selection.MOST_SPARE, True)


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ({"credit": "much"}, "credit"),
        ({"steps": []}, "steps"),
        ({"steps": [{}, {}]}, "steps"),
        ({"steps": [{"seconds": 1}] * 7}, "steps"),
        ({"steps": [{"level": 9}]}, "steps.0.level"),
        ({"color": "red"}, "color"),
    ],
)
def test_a_broken_rule_names_its_field(broken: dict, field: str):
    with pytest.raises(Invalid) as caught:
        queue_settings.write(broken)
    assert caught.value.field == field


def test_a_queue_with_settings_nobody_can_read_is_still_served():
    assert queue_settings.read({"steps": []}) == queue_settings.DEFAULTS
    assert queue_settings.read({"from": "the future"}) == queue_settings.DEFAULTS
