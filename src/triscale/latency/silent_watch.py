"""Keeps the notices of a measurement that nobody watches."""


class SilentWatch:
    """Keeps the notices of a measurement and says nothing.

    Attributes:
        lines: what was left out, and why.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []

    def opening(self, subject: object, done: int, whole: int) -> None:
        """Nothing."""

    def round(self, done: int, group: int, groups: int) -> None:
        """Nothing."""

    def notice(self, text: str) -> None:
        """Keep it."""
        self.lines.append(text)
