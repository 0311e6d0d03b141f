"""What torch says lives at a time, on tensors without data: no kernel runs, so that no scratch disturbs the oracle."""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class _Live(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sums the storages that ops return, for as long as somebody holds them."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live: int = 0
        self.peak: int = 0
        self._known: dict[int, Any] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = func(*args, **(kwargs or {}))
        for one in tree_leaves(given):
            if isinstance(one, torch.Tensor):
                self._see(one.untyped_storage())
        return given

    def _see(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return

        def gone(_: Any) -> None:
            del self._known[key]
            self.live -= size

        self._known[key] = weakref.ref(storage, gone)
        self.live += size
        self.peak = max(self.peak, self.live)


def live_peak(work: Callable[[], object]) -> int:
    """The most bytes of tensors that live at once while `work` runs on tensors without data."""
    with FakeTensorMode(allow_non_fake_inputs=True), _Live() as live:
        work()
    return int(live.peak)
