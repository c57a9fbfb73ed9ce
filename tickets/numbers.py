"""The public number of a ticket: the only id that people see. Numbers start at 100."""

FIRST_NUMBER = 100


def number_of(ticket_id: int) -> int:
    """#100 is the first ticket."""
    return ticket_id + FIRST_NUMBER - 1


def id_of(number: int) -> int:
    """The row id behind a number; 0 or less where there can be none."""
    return number - FIRST_NUMBER + 1
