"""Searches: for alpha, beta and gamma with the study around it, and for networks by samplers that propose choices.

Names stay in their modules, so that asking a question (`question`) loads no torch; `sampler` alone is shown here, and
imported when it is first used.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from triscale.search.samplers import sampler
else:

    def __getattr__(name):
        if name in __all__:
            from triscale.search import samplers  # noqa: PLC0415  at the first use

            return getattr(samplers, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["sampler"]
