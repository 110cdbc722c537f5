"""An estimate with its interval."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Interval:
    """A number and its confidence interval.

    Attributes:
        value: the estimate on all rows.
        low, high: the bounds.
        about: what the number is about, for people, such as `group 18-25, n = 4,210`.
    """

    value: float
    low: float
    high: float
    about: str = ""

    def as_json(self) -> dict[str, Any]:
        """As it stands in reports."""
        content: dict[str, Any] = {"value": self.value, "low": self.low, "high": self.high}
        return {**content, "about": self.about} if self.about else content


def percentile_interval(
    value: float, replicates: "np.ndarray[Any, Any]", confidence: float, about: str = ""
) -> Interval:
    """The percentile interval of bootstrap replicates; replicates that are NaN (an empty class or group) are left out.

    Raises:
        ValueError: no replicate is a number.
    """
    import numpy as np

    usable = replicates[np.isfinite(replicates)]
    if not len(usable):
        raise ValueError("no bootstrap replicate is a number: a class or group is empty")
    tail = (1 - confidence) / 2
    low, high = np.quantile(usable, [tail, 1 - tail])
    return Interval(float(value), float(low), float(high), about)


def wilson(successes: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's interval of a share; z is the normal quantile (1.96 for 95 percent).

    Raises:
        ValueError: total is not positive.
    """
    if total <= 0:
        raise ValueError("an interval of a share needs at least one row")
    share = successes / total
    centre = share + z * z / (2 * total)
    spread = z * float((share * (1 - share) / total + z * z / (4 * total * total)) ** 0.5)
    scale = 1 + z * z / total
    return (centre - spread) / scale, (centre + spread) / scale
