"""The page of the synthetic study, written once."""

import pytest

from tests.report import sample
from triscale.report import write_report


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(sample.write_run(tmp_path_factory.mktemp("run"))).read_text(encoding="utf-8")
