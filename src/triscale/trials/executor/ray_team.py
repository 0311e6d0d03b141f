"""Which nodes take part: each is asked once, before anything runs there, and rejected by name where it is not fit."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from triscale.errors import InputError
from triscale.trials.executor.ray_connect import pinned, ray_module
from triscale.trials.executor.ray_nodes import PACKAGES, Node, alive, difference, expected, probe
from triscale.trials.executor.ray_ship import pieces, unpack

ANSWER = 60.0
"""Seconds in which a node must answer."""


class Team:
    """The nodes that are fit for a work.

    Attributes:
        rejected: why others are not, by their name.
        shared: whether all of them see `folder`, where the driver writes.

    Raises:
        InputError: none of those that are there is.
    """

    def __init__(
        self,
        address: str,
        paths: Sequence[Path],
        folder: Path | None,
        *,
        ship: bool,
        notice: Callable[[str], None],
    ) -> None:
        self._paths, self._ship, self._notice = [str(path.resolve()) for path in paths], ship, notice
        self._here, self._shipped = expected(), dict[str, list[Any]]()
        self._fit: set[str] = set()
        self.rejected: dict[str, str] = {}
        self._mark = None if folder is None else _marked(folder)
        self.shared = self._mark is not None
        self._asked_all = False
        found = self.accepted()
        self._asked_all = True
        if not found:
            self.close()
            reasons = "; ".join(f"{name} {reason}" for name, reason in list(self.rejected.items())[:3])
            raise InputError(
                f"no node of the Ray cluster at {address} can do this work: {reasons or 'it has no node'}.\n"
                "Install the driver's versions on every node, and put the data at the same path (or use --ship-data)."
            )

    def close(self) -> None:
        """Remove the file by which nodes show that they see the folder."""
        if self._mark is not None:
            self._mark.unlink(missing_ok=True)

    def accepted(self) -> list[Node]:
        """The nodes that are alive now and fit; those that are new are asked first."""
        ray = ray_module()
        nodes = alive(ray.nodes())
        new = [node for node in nodes if node.id not in self._fit and node.name not in self.rejected]
        asked = [(node, _on(node, probe()).remote(PACKAGES, self._needed())) for node in new]
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
                reason = reason or self._lacks(node, path)
        except ray.exceptions.GetTimeoutError:
            return f"did not answer in {ANSWER:g} s"
        except ray.exceptions.RayError as error:
            return f"answered with an error: {str(error).strip().splitlines()[-1][:150]}"
        return reason

    def _needed(self) -> list[str]:
        return [*self._paths, *([str(self._mark)] if self._mark else [])]

    def _lacks(self, node: Node, path: str) -> str | None:
        """What follows from a path that a node does not have."""
        if path != str(self._mark):
            return self._carry(node, path) if self._ship else f"has no {path}"
        if self._asked_all and self.shared:
            return f"does not see {Path(path).parent}, as all others do"
        self.shared = False
        return None

    def _carry(self, node: Node, path: str) -> str | None:
        ray = ray_module()
        if path not in self._shipped:
            self._shipped[path] = [ray.put(chunk) for chunk in pieces(Path(path))]
        answer: str | None = ray.get(_on(node, unpack).remote(self._shipped[path], path))
        return answer


def _marked(folder: Path) -> Path:
    """A new file in a folder, for others to see."""
    mark = folder.resolve() / f".driver-{os.getpid()}"
    mark.touch()
    return mark


def _on(node: Node, function: Callable[..., Any]) -> Any:
    return ray_module().remote(num_cpus=0, max_retries=0, scheduling_strategy=pinned(node.id))(function)
