"""`triscale completion`: the Tab key of a shell completes commands, options and their choices."""

from collections.abc import Callable
from typing import Annotated, Literal

from cyclopts import App, Parameter

from triscale.cli.show.output import Flag, print_text
from triscale.errors import OutputError

Shell = Literal["bash", "zsh", "fish"]
_NEXT: dict[Shell, str] = {
    "bash": "Open a new shell, or run: source ~/.bashrc",
    "zsh": "Open a new shell; ~/.zshrc must run compinit (autoload -Uz compinit && compinit).",
    "fish": "Open a new shell.",
}


def completion_of(app: App) -> Callable[..., None]:
    """The command that completes the commands of `app`."""

    def completion(shell: Annotated[Shell, Parameter(name="SHELL")], /, *, install: Flag = False) -> None:
        """Print or install what lets the Tab key complete triscale.

        Without --install nothing is changed: the script goes to standard output.

        Args:
            shell: bash, zsh or fish.
            install: write the script where the shell looks for it, and load it in ~/.bashrc or ~/.zshrc.
        """
        if not install:
            print_text(app.generate_completion(shell=shell))
            return
        try:
            path = app.install_completion(shell=shell)
        except OSError as error:
            raise OutputError(f"cannot write {error.filename}: {error.strerror}.") from None
        print_text(f"wrote {path}", _NEXT[shell])

    return completion
