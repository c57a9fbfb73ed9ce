"""The few errors that the domain raises; the edges translate each of them once."""


class DomainError(Exception):
    """Something a person or a program asked for cannot be done; `detail` says why and what to do.

    `code` is a stable word for programs, `status` the HTTP status that the edges answer with.
    """

    code = "error"
    status = 400

    def __init__(self, detail: str, **params: object) -> None:
        super().__init__(detail.format(**params) if params else detail)
        self.message = detail
        self.params = params

    @property
    def detail(self) -> str:
        return str(self)


class NotFound(DomainError):
    """There is no such thing, or this person may not know that there is."""

    code = "not_found"
    status = 404


class Forbidden(DomainError):
    """The person's role does not allow it."""

    code = "forbidden"
    status = 403


class Conflict(DomainError):
    """It was possible a moment ago, but somebody or something else was first."""

    code = "conflict"
    status = 409


class Invalid(DomainError):
    """The input breaks a rule; `field` names the part that does."""

    code = "invalid"
    status = 422

    def __init__(self, detail: str, *, field: str = "", **params: object) -> None:
        super().__init__(detail, **params)
        self.field = field


class TooMany(DomainError):
    """A limit was reached; `retry_after` is in seconds."""

    code = "too_many_requests"
    status = 429

    def __init__(self, detail: str, *, retry_after: int, **params: object) -> None:
        super().__init__(detail, **params)
        self.retry_after = retry_after
