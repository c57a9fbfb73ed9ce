"""Two scorecards to begin with; they are data that each floor changes to its own words."""

from typing import Any

from tickets.quality.scorecards import Definition

_YES_NO = [{"key": "yes", "label": "Yes", "score": 1}, {"key": "no", "label": "No", "score": 0}]
_PARTLY = [_YES_NO[0], {"key": "partly", "label": "Partly", "score": "0.5"}, _YES_NO[1]]
_MUST = [_YES_NO[0], {"key": "no", "label": "No: fails the evaluation", "score": 0, "auto_fail": True}]


def _question(
    key: str, text: str, options: list[Any], *, weight: int = 1, help: str = "", allow_na: bool = True
) -> dict[str, Any]:
    return {"key": key, "text": text, "options": options, "weight": weight, "help": help, "allow_na": allow_na}


CONVERSATION = Definition.model_validate(
    {
        "pass_mark": 80,
        "sections": [
            {
                "key": "opening",
                "title": "Opening",
                "weight": 20,
                "questions": [
                    _question("greeting", "Greeted the customer by name", _YES_NO),
                    _question("understood", "Showed that the question was understood", _PARTLY, weight=2),
                ],
            },
            {
                "key": "solution",
                "title": "Solution",
                "weight": 50,
                "questions": [
                    _question("correct", "The answer was correct", _PARTLY, weight=3, allow_na=False),
                    _question("complete", "The answer was complete: no second contact needed", _PARTLY, weight=2),
                    _question("knowledge", "Used or improved the knowledge base", _YES_NO),
                    _question(
                        "identity",
                        "Checked the identity before touching an account",
                        _MUST,
                        help="Not applicable when nothing personal was shown or changed.",
                    ),
                ],
            },
            {
                "key": "manner",
                "title": "Manner",
                "weight": 30,
                "questions": [
                    _question("tone", "Friendly and clear, in the customer's words", _PARTLY),
                    _question("promises", "Every promise has a date and was kept", _YES_NO),
                    _question("respect", "Respectful throughout", _MUST, allow_na=False),
                ],
            },
        ],
    }
)

COMPLAINT = Definition.model_validate(
    {
        "pass_mark": 85,
        "sections": [
            {
                "key": "receipt",
                "title": "Receipt",
                "weight": 20,
                "questions": [
                    _question("acknowledged", "Acknowledged within two days", _YES_NO, weight=2),
                    _question("recognised", "Recognised as a complaint at once", _YES_NO),
                ],
            },
            {
                "key": "investigation",
                "title": "Investigation",
                "weight": 40,
                "questions": [
                    _question("facts", "Looked at the facts of both sides", _PARTLY, weight=2, allow_na=False),
                    _question("cause", "Found the root cause", _PARTLY, weight=2),
                    _question("independent", "Decided by somebody who was not involved", _MUST, allow_na=False),
                ],
            },
            {
                "key": "outcome",
                "title": "Outcome",
                "weight": 40,
                "questions": [
                    _question("reasons", "Gave the reasons in plain words", _PARTLY, weight=2),
                    _question("remedy", "The remedy fits the harm", _PARTLY, weight=2),
                    _question("on_time", "Decided within the promised time", _YES_NO),
                ],
            },
        ],
    }
)
