"""How a command ends that can't go on: one line, and an exit status."""

from vmcommit.base.text import printable


class Problem(Exception):
    """The text is the line, whatever the message quotes; `status` the exit status."""

    def __init__(self, message: str, status: int = 1):
        super().__init__(printable(message))
        self.status = status


class Usage(Problem):
    """Bad input: which argument, which value, what would be right."""

    def __init__(self, message: str):
        super().__init__(message, 2)
