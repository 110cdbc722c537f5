"""Tells whether a process really answers: itself, not somebody else on its port."""

import http.client
from dataclasses import dataclass

from components._kit import marks

TRY_SECONDS = 5.0
GOOD = range(200, 300)


@dataclass(frozen=True)
class Health:
    """Where to ask."""

    root: str
    name: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """Address that answers 2xx when all is well."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def ok(self, tries: int = 1) -> bool:
        """Whether one of the tries got a good answer from a socket of this process.

        More than one try is for a process that should be well already: a machine under load may be slow once.
        """
        return any(self._answers() and self._owns_port() for _ in range(tries))

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TRY_SECONDS)
        try:
            connection.request("GET", self.path)
            return connection.getresponse().status in GOOD
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _owns_port(self) -> bool:
        """A leftover of an earlier life once answered here, and `up` reported a success that was none."""
        return bool(set(marks.port_holders(self.port)) & set(marks.find(self.root, self.name)))
