"""The command line: thin commands, each of which calls one public function."""

from triscale.cli.early import AtOnce

with AtOnce():
    from triscale.cli.app import main

__all__ = ["main"]
