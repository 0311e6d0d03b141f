"""TIFFs by hand, of kinds that Pillow reads but does not write."""

import struct


def tiff(
    data: bytes,
    size: tuple[int, int],
    bits: int,
    photometric: int,
    order: str,
    *,
    kind: int = 1,
    compression: int = 1,
    predictor: int = 1,
    alpha: bool = False,
) -> bytes:
    """A TIFF of one strip (TIFF 6.0).

    Args:
        data: the strip.
        size: height and width.
        bits: of a sample.
        photometric: 0: zero is white; 1: zero is black.
        order: of bytes, `<` or `>`.
        kind: 1 whole numbers, 2 signed ones, 3 floats.
        compression: 1 none, 8 deflate.
        predictor: 2: of each row the differences are stored.
        alpha: whether each pixel has a second sample.
    """
    samples = 1 + alpha
    tags = [(256, [size[1]]), (257, [size[0]]), (258, [bits] * samples), (259, [compression]), (262, [photometric])]
    tags += [(273, [8]), (277, [samples]), (278, [size[0]]), (279, [len(data)]), (317, [predictor])]
    tags += [(338, [2])] * alpha + [(339, [kind] * samples)]
    data += b"\0" * (len(data) % 2)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + len(data))
    entries = b""
    for tag, values in tags:
        if tag in {256, 257, 273, 278, 279}:
            entries += struct.pack(f"{order}HHII", tag, 4, 1, values[0])
        else:  # at most two numbers of 16 bits, which the entry itself holds
            entries += struct.pack(f"{order}HHI", tag, 3, len(values)) + struct.pack(
                f"{order}{len(values)}H", *values
            ).ljust(4, b"\0")
    return head + data + struct.pack(f"{order}H", len(tags)) + entries + bytes(4)
