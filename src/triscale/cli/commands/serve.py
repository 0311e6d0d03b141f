"""`triscale serve`."""

import sys
from typing import Annotated

from cyclopts import Parameter

from triscale.cli.options.compute import HERE, Compute
from triscale.cli.options.weights import OWN, Weights, show_overrides
from triscale.cli.show.output import Flag, Whole, print_json, print_text
from triscale.cli.signals import terminable
from triscale.errors import UsageError
from triscale.spec import value_text


def serve(
    run: Annotated[str | None, Parameter(name="RUN")] = None,
    /,
    *,
    weights: Weights = OWN,
    host: str = "127.0.0.1",
    port: Whole = 8000,
    compute: Compute = HERE,
    json: Flag = False,
) -> None:
    """Serve predictions over HTTP, with a page for the browser.

    POST an image to /predict, or open the page. By default only this machine can connect. With another --host anybody
    who reaches it can: there are no passwords and no encryption. Ctrl-C or SIGTERM stops it after the requests under
    way, with exit code 0.

    Args:
        run: the folder of a finished run or study, a checkpoint, or an exported file; not with --weights.
        weights: see `Weights`.
        host: the name or address to listen at; 0.0.0.0 for all addresses of this machine.
        port: the port to listen at; 0 takes any free one.
        compute: see `Compute`.
        json: print one JSON document, once it listens, instead of text.
    """
    if run is None and not weights.named:
        raise UsageError("no weights are named: triscale serve RUN, or --weights FILE, or --network NAME.")
    with terminable():
        from triscale.deploy import listen, url  # noqa: PLC0415  torch is loaded only here
        from triscale.deploy import serve as served  # noqa: PLC0415

        with listen(host, port) as listening:
            classifier = weights.answering(run, compute)
            network, size = classifier.network.name, value_text(classifier.resolution)
            where = url(listening)

            def ready() -> None:
                if json:
                    print_json({"url": where, "network": network, "resolution": list(classifier.resolution)})
                else:
                    show_overrides(classifier.overrides_document())
                    print_text(f"{where} answers: {network}, {size} px. Ctrl-C ends it.")
                sys.stdout.flush()  # who waits for it may read a pipe

            served(classifier, listening, host, ready=ready)
