"""The front is exactly the set of points that nothing dominates."""

from hypothesis import given
from hypothesis import strategies as st

from triscale.report.pareto import pareto_front

# Few distinct values, so that ties and equal points are common.
points = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda p: (float(p[0]), float(p[1]))), max_size=12
)


def dominates(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return a[0] <= b[0] and a[1] >= b[1] and a != b


@given(points)
def test_the_front_is_what_no_point_dominates(cloud: list[tuple[float, float]]) -> None:
    expected = {i for i, point in enumerate(cloud) if not any(dominates(other, point) for other in cloud)}
    front = pareto_front(cloud)
    assert set(front) == expected
    assert len(front) == len(expected)


@given(points)
def test_along_the_front_cost_and_accuracy_rise(cloud: list[tuple[float, float]]) -> None:
    front = [cloud[index] for index in pareto_front(cloud)]
    assert front == sorted(front)
    assert [top1 for _, top1 in front] == sorted(top1 for _, top1 in front)


@given(points, st.integers(0, 6))
def test_a_dominated_point_changes_nothing(cloud: list[tuple[float, float]], worse: int) -> None:
    if cloud:
        cost, top1 = cloud[0]
        assert pareto_front([*cloud, (cost + 1, top1 - 1 - worse)]) == pareto_front(cloud)
