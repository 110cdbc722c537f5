"""A bank whose pages are asked for through the application itself."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from mlstep.portal.app import build
from tests.unit.evidence.world import World
from tests.unit.portal.bank import open_bank


@dataclass(frozen=True)
class Portal:
    """The application over a bank, and the bank."""

    app: Starlette
    world: World
    requests: list[str]

    def ask(self, path: str, method: str = "GET", **options: Any) -> httpx.Response:
        """The answer to one request, redirects not followed."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def get(self, path: str, status: int = 200) -> str:
        """The page at an address, which must answer with this status."""
        answer = self.ask(path)
        assert answer.status_code == status, f"{path}: {answer.status_code}\n{answer.text[:2000]}"
        return answer.text


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The full bank; tests only read it."""
    with pytest.MonkeyPatch.context() as patch:
        world = World(tmp_path_factory.mktemp("bank") / "root", patch)
        requests = open_bank(world)
        yield Portal(build(world.root), world, requests)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Portal:
    """A platform in which nothing has happened."""
    world = World(tmp_path / "root", monkeypatch)
    return Portal(build(world.root), world, [])
