"""How a command ends that can't go on: one line, and an exit status."""


class Problem(Exception):
    """The text is the line; `status` the exit status."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


class Usage(Problem):
    """Bad input: which argument, which value, what would be right."""

    def __init__(self, message):
        super().__init__(message, 2)
