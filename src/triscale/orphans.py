"""Worker processes that end with the process they work for, however it ends."""

import os
import threading
import time


def end_with(parent: int) -> None:
    """End this process within about a second once its parent is gone, at once if it is gone already.

    Args:
        parent: the id of the process that started it, as the parent knows it: one that is killed early has been
            replaced as the parent before its child can ask for it.
    """
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
