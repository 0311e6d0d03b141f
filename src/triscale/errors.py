"""The errors a user can meet, each with its exit code; a message is at most three lines and says what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


class TriscaleError(Exception):
    """Base of every error that triscale raises on purpose. `exit_code` is what the command line ends with."""

    exit_code = 70


class UsageError(TriscaleError):
    """An unknown command, option or network name, or a number out of range (negative, zero, NaN)."""

    exit_code = 64


class InputError(TriscaleError):
    """A missing, broken or wrong file, spec or data set; an unreachable budget; a network that is too large."""

    exit_code = 65


class InstallationError(TriscaleError):
    """A part of the installation that all work needs is missing or broken."""

    exit_code = 69


class NumericError(TriscaleError):
    """The numbers went wrong: a loss or a weight that is not finite."""

    exit_code = 70


class OutOfMemoryError(TriscaleError):
    """The memory of the machine or the device did not suffice."""

    exit_code = 71


class OutputError(TriscaleError):
    """The output cannot be created; tested before any work is done."""

    exit_code = 73


class StorageError(TriscaleError):
    """Reading or writing failed during work."""

    exit_code = 74


class BusyError(TriscaleError):
    """Another process holds the run folder."""

    exit_code = 75


def first_line(error: BaseException) -> str:
    """The first line of a message that has any text, without its full stop; of an empty message the error's type."""
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__).rstrip(".")


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The end of a sentence about an unknown word: `did you mean macs?`; empty where no known word is near."""
    words = list(known)
    near = get_close_matches(word, words, 1, cutoff) or get_close_matches(word.lower(), words, 1, cutoff)
    return f"did you mean {near[0]}?" if near else ""


def unknown_word(what: str, word: str, known: Iterable[str], meant: str | None = None) -> str:
    """A message about an unknown word, with the nearest and all known ones.

    Args:
        what: it should be, in the singular.
        word: as it was typed.
        known: words.
        meant: what stands for the word where people call it otherwise.
    """
    words = list(known)
    near = did_you_mean(meant or word, words)
    return f"unknown {what} {word!r}; {f'{near} The' if near else 'the'} {what}s are {', '.join(words)}."


def sentence(text: str) -> str:
    """The text with a capital letter in front."""
    return f"{text[:1].upper()}{text[1:]}"
