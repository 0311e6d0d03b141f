"""The entry of the command line: from arguments to an exit code, and never a traceback for a user's mistake."""

import re
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Group

from triscale._version import __version__
from triscale.cli import home_paths
from triscale.cli.commands import (
    benchmark,
    calibrate,
    check,
    compare,
    completion,
    convert,
    cost,
    doctor,
    evaluate,
    explain,
    export,
    fit,
    lite,
    networks,
    predict,
    report,
    scale,
    search,
    serve,
    study,
    train,
)
from triscale.cli.early import INTERRUPTED
from triscale.cli.help.page import PARTS
from triscale.cli.help.page_writer import HELP_ALL, PageWriter, everything
from triscale.cli.help.pages import PAGES, page_of
from triscale.cli.show import output
from triscale.cli.signals import Interrupt, Stopped
from triscale.errors import OutOfMemoryError, StorageError, TriscaleError, UsageError
from triscale.isa import wanted_isa

_MOST_LINES = 3
_MISSING = re.compile(r'Command "([^"]+)" parameter (.+) requires an argument\.?')
_FORMER = {
    "--workers": "give --jobs for trainings at a time, --loader-workers for what makes batches",
    "--recompute": "give --gradient-checkpointing",
}

_EPILOGUE = """Examples:
  triscale cost efficientnet_b0
  triscale study --time 5m --plan"""

app = App(
    name="triscale",
    help="Fit a ConvNet to a compute budget: counted cost, compound scaling, and studies on your own images.",
    help_flags=("--help", "-h", HELP_ALL),
    help_formatter=PageWriter(),
    help_epilogue=_EPILOGUE,
    group_commands=Group("Options", sort_key=len(PARTS)),
    version=__version__,
    result_action="return_value",
    exit_on_error=False,
    print_error=False,
    help_format="plaintext",
)
_groups = {part: Group(title, sort_key=place) for place, (part, title) in enumerate(PARTS.items())}


def _dress(command: App, path: str) -> None:
    """Give a command, and those below it, its page of help."""
    page = page_of(path)
    command.help_formatter = PageWriter(page)
    command.help_epilogue = page.epilogue()
    command.sort_key = list(PAGES).index(path) if path in PAGES else len(PAGES)
    for name in command:
        if not name.startswith("-"):
            _dress(command[name], f"{path} {name}")


for _command in (
    networks.networks,
    cost.cost,
    benchmark.benchmark,
    calibrate.calibrate,
    compare.compare,
    compare.errata,
    scale.scale,
    check.check,
    fit.fit,
    study.study,
    search.search,
    train.train,
    predict.predict,
    evaluate.evaluate,
    explain.explain,
    convert.convert,
    export.export,
    lite.lite,
    serve.serve,
    report.report,
    doctor.doctor,
    completion.completion_of(app),
):
    _name = _command.name[0] if isinstance(_command, App) else _command.__name__
    app.command(_command)
    app[_name].group = _groups[page_of(_name).part]
    _dress(app[_name], _name)


app["--help"].help = "show the options that people use; --help-all shows all of them."
app["--version"].help = "show the version."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default the one of this process, and return its exit code.

    0; 64 usage; 65 wrong input; 69 a required part is missing or broken; 70 numbers went wrong; 71 out of memory; 73
    the output cannot be created; 74 input or output failed during work; 75 busy; 130 and 143 stopped by a signal; 141
    the reader of the output went away.
    """
    interrupt = Interrupt()
    with interrupt.heard(last=arguments is None):
        try:
            output.degrade()
            wanted_isa()  # a wrong one is an error in every command, and not only where kernels are compiled
            given = [home_paths.from_home(one) for one in (sys.argv[1:] if arguments is None else arguments)]
            with everything(HELP_ALL in given):
                app(given)
            sys.stdout.flush()  # now, while a failure can still be reported
        except (Exception, KeyboardInterrupt, Stopped) as error:
            code = INTERRUPTED if interrupt.came else _exit_code(error)
            if code is None:
                raise  # a fault of ours: its traceback is what we need
            return code
    return 0


def _exit_code(error: BaseException) -> int | None:
    """The exit code of an error that was foreseen, its message on stderr; None for any other."""
    if isinstance(error, BrokenPipeError):
        output.abandon()
        return 141
    if isinstance(error, KeyboardInterrupt | Stopped):
        return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 143
    known = _as_ours(error)
    if known is None:
        return None
    for line in str(known).splitlines()[:_MOST_LINES]:
        output.complain(line)
    return known.exit_code


def _as_ours(error: BaseException) -> TriscaleError | None:
    match error:
        case TriscaleError():
            return error
        case CycloptsError():
            command = " ".join(["triscale", *(error.command_chain or ())])
            return UsageError(f"{_plain(error)} See `{command} --help`.")
        case MemoryError():
            return OutOfMemoryError("not enough memory; use a smaller network, resolution or batch.")
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return StorageError(f"{where}{error.strerror or error}; free some space or use another place.")
    return None


def _plain(error: CycloptsError) -> str:
    """The library's message in one line."""
    text = " ".join(str(error).split())
    for former, now in _FORMER.items():
        if text.startswith((f"Unknown option: {former}.", f"Unknown option: {former}=")):
            return f"There is no option {former}; {now}."
    text = _MISSING.sub(r"triscale \1 requires \2.", text.partition(" Available commands: ")[0])
    return text if text.endswith((".", "?", "!")) else f"{text}."
