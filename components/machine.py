"""What a command may ask about this machine before or after the engine works. Standard library only."""

from collections.abc import Sequence

from components._kit import marks, preflight


def port_problems(root: str, ports: Sequence[int]) -> list[str]:
    """Ports that somebody else holds, one sentence each; what the platform at `root` holds itself is no problem."""
    return preflight.port_problems(root, ports)


def processes(root: str) -> list[int]:
    """Pids of all living processes of the platform at `root`."""
    return marks.find(root)
