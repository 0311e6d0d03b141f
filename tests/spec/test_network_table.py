"""A network prints as the paper prints it."""

from triscale.families import network

# EfficientNet (arXiv 1905.11946v5), Table 1: stage, operator, resolution, channels, layers.
TABLE_1 = """\
1  Conv3x3                 224x224    32  1
2  MBConv1, k3x3           112x112    16  1
3  MBConv6, k3x3           112x112    24  2
4  MBConv6, k5x5           56x56      40  2
5  MBConv6, k3x3           28x28      80  3
6  MBConv6, k5x5           14x14     112  3
7  MBConv6, k5x5           14x14     192  4
8  MBConv6, k3x3           7x7       320  1
9  Conv1x1 & Pooling & FC  7x7      1280  1"""

PRINTED = """\
efficientnet_b0 (224x224 px, 1000 classes)
Stage  Operator                   Resolution  Channels  Layers
1      Conv3x3, s2                224x224     32        1
2      MBConv1, k3x3, se0.25      112x112     16        1
3      MBConv6, k3x3, s2, se0.25  112x112     24        2
4      MBConv6, k5x5, s2, se0.25  56x56       40        2
5      MBConv6, k3x3, s2, se0.25  28x28       80        3
6      MBConv6, k5x5, se0.25      14x14       112       3
7      MBConv6, k5x5, s2, se0.25  14x14       192       4
8      MBConv6, k3x3, se0.25      7x7         320       1
9      Conv1x1 & Pooling & FC     7x7         1280      1"""


def cells(line: str) -> list[str]:
    """The cells of a printed row without stride and squeeze-excite, which the paper's table leaves out."""
    stage, operator, *rest = (cell.strip() for cell in line.split("  ") if cell.strip())
    return [stage, ", ".join(part for part in operator.split(", ") if not part.startswith(("s2", "se"))), *rest]


def test_b0_prints_the_rows_of_table_1_of_the_paper() -> None:
    rows = str(network("efficientnet_b0")).splitlines()[2:]
    assert [cells(line) for line in TABLE_1.splitlines()] == [cells(line) for line in rows]


def test_b0_prints_exactly_so() -> None:
    assert PRINTED.splitlines() == str(network("efficientnet_b0")).splitlines()


def test_a_pooling_stem_and_a_head_without_convolution_are_printed() -> None:
    rows = str(network("resnet50")).splitlines()
    assert rows[2].split(maxsplit=1)[:1] + [cell.strip() for cell in rows[2].split("  ")[1:] if cell.strip()] == [
        "1",
        "Conv7x7, s2 & MaxPool3x3, s2",
        "224x224",
        "64",
        "1",
    ]
    assert [cell.strip() for cell in rows[-1].split("  ") if cell.strip()] == ["6", "Pooling & FC", "7x7", "2048", "1"]


def test_a_cell_is_printed_with_the_channels_of_its_states_and_those_of_its_output() -> None:
    rows = str(network("amoebanet_b")).splitlines()
    found = ["  ".join(cell.strip() for cell in row.split("  ") if cell.strip()) for row in rows[5:7]]
    assert found == ["4  Cell, f512  60x60  2048  6", "5  Cell, f1024, s2  60x60  2048  1"]
