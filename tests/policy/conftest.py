"""One running pack for all tests that only ask it for verdicts."""

from collections.abc import Iterator

import pytest

from tests.policy.harness import Pack, running


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pack]:
    """The pack of this repository, on a fixed day."""
    with running(tmp_path_factory.mktemp("policy"), STRATA_POLICY_AS_OF="2026-06-01") as started:
        yield started
