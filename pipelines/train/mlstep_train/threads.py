"""How many threads numeric libraries may use."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenMP and BLAS to one thread.

    Trees over some ten thousand rows gain little from more, and lose a factor of ten when another process wants the
    cores: OpenMP threads wait for each other by spinning.
    """
    import sklearn.ensemble  # noqa: F401  Only libraries that are loaded can be limited.
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
