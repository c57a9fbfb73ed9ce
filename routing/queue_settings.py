"""The routing settings of a queue: what `queues.routing` holds, checked when written and forgiving when read."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from contact_center.core.errors import Invalid
from routing.facts import Acceptance, Ordering, Selection
from routing.pools import WEIGHTS, Medium, PoolName

MOST_STEPS = 6
Level = Annotated[int, Field(ge=1, le=5)]
Weight = Annotated[int, Field(ge=1, le=100)]


class StepSettings(BaseModel):
    """One ring: seconds (null for the last), the known agent only, lowest level in wished skills, extra skills."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: float | None = Field(default=None, gt=0, le=86_400)
    agent: bool = False
    level: int = Field(default=0, ge=0, le=5)
    needs: dict[int, Level] = {}


class OverflowSettings(BaseModel):
    """Another queue whose agents join after a delay."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    queue_id: int
    after: float = Field(ge=0, le=604_800)


class QueueSettings(BaseModel):
    """Everything that an administrator sets per queue; {} is the default of each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    selection: Selection = Selection.LONGEST_IDLE
    ordering: Ordering = Ordering.AGE
    credit: int = Field(default=0, ge=-86_400, le=86_400)
    strict: int = Field(default=0, ge=0, le=9)
    steps: tuple[StepSettings, ...] = (StepSettings(seconds=30, level=1), StepSettings())
    overflows: tuple[OverflowSettings, ...] = ()
    max_offers: int = Field(default=10, ge=1, le=100)
    live_acceptance: Acceptance = Acceptance.OFFER
    deferred_acceptance: Acceptance = Acceptance.AUTO
    timeouts: dict[Medium, int] = {Medium.CALL: 20, Medium.CHAT: 30}
    wrap_up: dict[Medium, int] = {Medium.CALL: 60, Medium.CHAT: 30}
    weights: dict[Medium, Weight] = {}
    # Agents may pick work of this queue themselves.
    pull: bool = True
    skills: dict[int, Level] = {}
    # A supervisor's emergency close, with the reason that customers and colleagues are told.
    closed: str | None = None

    @model_validator(mode="after")
    def check_steps(self) -> "QueueSettings":
        """Rings end with one that has no end, and there are not more than six."""
        if not 1 <= len(self.steps) <= MOST_STEPS:
            raise Invalid("A queue has one to {most} steps.", field="steps", most=MOST_STEPS)
        if any(step.seconds is None for step in self.steps[:-1]):
            raise Invalid("Only the last step has no duration.", field="steps")
        return self

    def weight(self, medium: Medium) -> int:
        """What work of this medium weighs in this queue."""
        return self.weights.get(medium, WEIGHTS[medium])

    def acceptance(self) -> Mapping[PoolName, Acceptance]:
        """By pool."""
        return {PoolName.LIVE: self.live_acceptance, PoolName.DEFERRED: self.deferred_acceptance}


DEFAULTS = QueueSettings()


def read(data: Mapping[str, Any]) -> QueueSettings:
    """The settings that are stored; what an older or newer version wrote and we cannot read falls back to defaults,
    because a queue with odd settings must still be served."""
    if not data:
        return DEFAULTS
    try:
        return QueueSettings.model_validate(dict(data))
    except (ValidationError, Invalid):
        return DEFAULTS


def write(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON to store; Invalid names the field that breaks a rule."""
    try:
        return QueueSettings.model_validate(dict(settings)).model_dump(mode="json", exclude_defaults=True)
    except ValidationError as error:
        setting = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise Invalid("{setting} has a value it cannot have.", field=setting, setting=setting) from error
