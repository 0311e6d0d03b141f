"""The mailbox that carries what workers tell, without Ray."""

import asyncio

from triscale.trials.executor import Told
from triscale.trials.executor.ray_worker import Mailbox


def test_a_mailbox_hands_over_what_has_come_without_waiting_and_waits_for_the_first() -> None:
    """A take of no seconds has all letters that arrived before it: what a work told comes before its result."""

    async def course() -> list[list[Told]]:
        box, letters = Mailbox(), [Told("a", 1, n) for n in range(3)]
        await box.put(letters[0])
        await box.put(letters[1])
        first, second = await box.take(0), await box.take(0)
        waiting = asyncio.create_task(box.take(30.0))
        await asyncio.sleep(0)
        await box.put(letters[2])
        return [first, second, await waiting]

    assert asyncio.run(course()) == [[Told("a", 1, 0), Told("a", 1, 1)], [], [Told("a", 1, 2)]]
