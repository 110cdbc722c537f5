"""When an alert begins and when it ends."""

from collections.abc import Sequence

from mlstep.monitoring.signals import Rule


def firing(reds: Sequence[bool], rule: Rule, before: bool) -> bool:
    """Whether an alert is on.

    It begins when at least `violations` of the last `windows` are red and the latest one is; it ends when fewer than
    that are red, so that one good window in the middle of a bad time does not end it.

    Args:
        reds: one truth value per closed window, oldest first.
        before: whether it was on before the latest window.
    """
    recent = reds[-rule.windows :]
    enough = sum(recent) >= rule.violations
    return enough and (before or recent[-1])


def since(reds: Sequence[bool], rule: Rule) -> int:
    """Index of the first red window among the last `windows`.

    Raises:
        ValueError: none of them is red.
    """
    begins = max(0, len(reds) - rule.windows)
    return list(reds).index(True, begins)
