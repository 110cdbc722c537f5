"""What every tier needs."""

import asyncio
import warnings

import pytest


@pytest.fixture(autouse=True)
def event_loop_in_place() -> None:
    """An event loop for the main thread: Pulumi's mocks expect one, and `asyncio.run` takes it away."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            asyncio.get_event_loop()
    except RuntimeError:
        asyncio.set_event_loop(asyncio.new_event_loop())
