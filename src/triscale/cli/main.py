"""The entry of the command line: from arguments to an exit code, and never a traceback for a user's mistake."""

import os
import sys
from collections.abc import Callable, Sequence

from cyclopts import App, CycloptsError

from triscale._version import __version__
from triscale.cli import cost, networks, output, predict, report, scale, study
from triscale.cli.signals import Stopped
from triscale.errors import OutOfMemoryError, StorageError, TriscaleError, UsageError

_INTERRUPTED, _TERMINATED, _BROKEN_PIPE = 130, 143, 141
_MOST_LINES = 3

app = App(
    name="triscale",
    help="Fit a ConvNet to a compute budget: counted cost, compound scaling, and studies on your own pictures.",
    version=__version__,
    result_action="return_value",
    exit_on_error=False,
    print_error=False,
    help_format="plaintext",
)
for _command in (networks.networks, cost.cost, scale.scale, study.study, predict.predict, report.report):
    app.command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (by default the one of this process) and return its exit code.

    0; 64 usage; 65 wrong input; 70 numbers went wrong; 71 out of memory; 73 output cannot be created; 74 input or output
    failed during work; 75 busy; 130 and 143 stopped by a signal; 141 the reader of a pipe went away.
    """
    try:
        app(list(sys.argv[1:] if arguments is None else arguments))
        _flush()
    except CycloptsError as error:
        return _fail(UsageError(f"{_plain(error)} See `triscale --help`."))
    except TriscaleError as error:
        return _fail(error)
    except MemoryError:
        return _fail(OutOfMemoryError("not enough memory; use a smaller network, resolution or batch."))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Stopped:
        return _TERMINATED
    except BrokenPipeError:
        # What is still buffered would raise once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    return 0


def _flush(flush: Callable[[], None] | None = None) -> None:
    """Write what is buffered now, while a failure can still be told."""
    try:
        (flush or sys.stdout.flush)()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StorageError(f"the output cannot be written: {error.strerror or error}.") from None


def _fail(error: TriscaleError) -> int:
    for line in str(error).splitlines()[:_MOST_LINES]:
        output.complain(line)
    return error.exit_code


def _plain(error: CycloptsError) -> str:
    """The library's message in one line."""
    text = " ".join(str(error).split())
    return text if text.endswith((".", "?", "!")) else f"{text}."
