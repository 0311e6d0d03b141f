"""Which nodes take part: each is probed once, before anything runs there, and rejected by name where it is not fit."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from triscale.errors import InputError
from triscale.trials.executor.ray_connect import pinned, ray_module
from triscale.trials.executor.ray_nodes import PACKAGES, Node, alive, difference, expected
from triscale.trials.executor.ray_ship import pieces, unpack

ANSWER = 60.0
"""Seconds in which a node must answer."""


class Team:
    """The nodes that are fit for a work.

    Attributes:
        rejected: why others are not, by their name.

    Raises:
        InputError: none of those that are there is.
    """

    def __init__(
        self,
        address: str,
        paths: Sequence[Path],
        *,
        ship: bool,
        notice: Callable[[str], None],
    ) -> None:
        self._paths, self._ship, self._notice = [str(path.resolve()) for path in paths], ship, notice
        self._here, self._shipped = expected(), dict[str, list[Any]]()
        self._fit, self._folders = set[str](), list[str]()
        self.rejected: dict[str, str] = {}
        if not self.accepted():
            reasons = "; ".join(f"{name} {reason}" for name, reason in list(self.rejected.items())[:3])
            raise InputError(
                f"no node of the Ray cluster at {address} can do this work: {reasons or 'it has no node'}.\n"
                "Install the driver's versions on every node, and put the data at the same path (or use --ship-data)."
            )

    def shares(self, folder: Path) -> bool:
        """Whether all nodes see a folder: a file that is made in it. Nodes that come later must have the folder."""
        ray, mark = ray_module(), folder.resolve() / f".driver-{os.getpid()}"
        mark.touch()
        try:
            facts = ray.get([_on(node, probe()).remote((), [str(mark)]) for node in self.accepted()], timeout=ANSWER)
        except ray.exceptions.RayError:
            return False
        finally:
            mark.unlink()
        shared = not any(one["missing"] for one in facts)
        if shared:
            self._folders.append(str(folder.resolve()))
        return shared

    def accepted(self) -> list[Node]:
        """The nodes that are alive now and fit; those that are new are checked first."""
        ray = ray_module()
        nodes = alive(ray.nodes())
        new = [node for node in nodes if node.id not in self._fit and node.name not in self.rejected]
        asked = [(node, _on(node, probe()).remote(PACKAGES, [*self._paths, *self._folders])) for node in new]
        ray.wait([ref for _, ref in asked], num_returns=len(asked), timeout=ANSWER) if asked else None
        for node, ref in asked:
            reason = self._unfit(node, ref)
            if reason is None:
                self._fit.add(node.id)
            else:
                self.rejected[node.name] = reason
                self._notice(f"{node.name} {reason}; it is left out.")
        return [node for node in nodes if node.id in self._fit]

    def _unfit(self, node: Node, ref: Any) -> str | None:
        """Why a node cannot take part."""
        ray = ray_module()
        try:
            facts = ray.get(ref, timeout=0.1)
            reason = difference(self._here, facts["versions"])
            for path in () if reason else facts["missing"]:
                carried = self._ship and path in self._paths
                reason = reason or (self._carry(node, path) if carried else f"has no {path}")
        except ray.exceptions.GetTimeoutError:
            return f"did not answer in {ANSWER:g} s"
        except ray.exceptions.RayError as error:
            return f"answered with an error: {str(error).strip().splitlines()[-1][:150]}"
        return reason

    def _carry(self, node: Node, path: str) -> str | None:
        ray = ray_module()
        if path not in self._shipped:
            self._shipped[path] = [ray.put(chunk) for chunk in pieces(Path(path))]
        answer: str | None = ray.get(_on(node, unpack).remote(self._shipped[path], path))
        return answer


def _on(node: Node, function: Callable[..., Any]) -> Any:
    return ray_module().remote(num_cpus=0, max_retries=0, scheduling_strategy=pinned(node.id))(function)


def probe() -> Callable[[Sequence[str], Sequence[str]], dict[str, Any]]:
    """The function that a node answers. It travels by value and imports on its own, since triscale may be missing."""

    def facts(packages: Sequence[str], paths: Sequence[str]) -> dict[str, Any]:
        import os  # noqa: PLC0415
        import platform  # noqa: PLC0415
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

        def known(name: str) -> str:
            try:
                return version(name)
            except PackageNotFoundError:
                return "none"

        found = {"Python": ".".join(platform.python_version_tuple()[:2]), "triscale": "none"}
        found["sources of triscale"] = "none"
        try:
            from triscale._version import __version__  # noqa: PLC0415
            from triscale.trials.executor.ray_nodes import sources  # noqa: PLC0415

            found.update({"triscale": __version__, "sources of triscale": sources()})
        except ImportError:
            pass
        found.update({name: known(name) for name in packages})
        return {"versions": found, "missing": [path for path in paths if not os.path.exists(path)]}  # noqa: PTH110

    return facts
