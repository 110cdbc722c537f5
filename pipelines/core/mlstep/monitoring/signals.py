"""`signals.yaml`, parsed: what is watched, from which size on, by which rule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mlstep.errors import ConfigError

SIGNALS_VERSION = 1
STREAMS = ("predictions", "outcomes")
Per = Literal["predictions", "outcomes", "moment"]


@dataclass(frozen=True)
class WindowSize:
    """When a window of a stream closes: full, or old with enough rows."""

    rows: int
    minimum_rows: int
    close_after_hours: float


@dataclass(frozen=True)
class Rule:
    """n of m: an alert begins when `violations` of the last `windows` are red, the latest one among them."""

    windows: int
    violations: int


@dataclass(frozen=True)
class Signal:
    """One thing that is watched; exactly one of `above` and `below` is a number."""

    id: str
    per: Per
    metric: str
    above: float | None
    below: float | None
    severity: str
    retrain: bool
    summary: str
    runbook: str

    @property
    def threshold(self) -> float:
        """The size from which on it matters."""
        return self.above if self.above is not None else float(self.below or 0.0)

    def red(self, value: float) -> bool:
        """Whether a size is beyond the threshold."""
        return value > self.above if self.above is not None else value < self.threshold


@dataclass(frozen=True)
class Retraining:
    """Limits of retraining."""

    cool_down_hours: float
    maximum_runs_per_week: int
    no_promotion_while: tuple[str, ...]


@dataclass(frozen=True)
class Signals:
    """The whole file.

    Attributes:
        to: who hears of an alert: `owner`, or an address.
    """

    windows: Mapping[str, WindowSize]
    rule: Rule
    repeat_hours: float
    keep_windows: int
    to: str
    signals: Mapping[str, Signal]
    retraining: Retraining

    def of(self, per: str) -> list[Signal]:
        """Signals of a stream, or of the moment."""
        return [signal for signal in self.signals.values() if signal.per == per]


def load(path: Path) -> Signals:
    """Read and check `signals.yaml`.

    Raises:
        ConfigError: missing, not YAML, or wrong; every problem in one message.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "name signals.yaml by its absolute path in the record") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {error}", "correct the line") from None
    return parse(content, str(path))


def parse(content: Any, where: str) -> Signals:
    """Check the file's content.

    Raises:
        ConfigError: every problem in one message.
    """
    check = _Check()
    top = check.map("", content, {"signals_version", "windows", "rule", "alerts", "routes", "signals", "retraining"})
    if top.get("signals_version") != SIGNALS_VERSION:
        check.problems.append(f"signals_version: {top.get('signals_version')!r}, expected {SIGNALS_VERSION}")
    windows = check.map("windows", top.get("windows"), set(STREAMS))
    rule = check.map("rule", top.get("rule"), {"windows", "violations"})
    alerts = check.map("alerts", top.get("alerts"), {"repeat_hours", "keep_windows"})
    routes = check.map("routes", top.get("routes"), {"default"})
    route = check.map("routes.default", routes.get("default"), {"to", "receiver"})
    check.one_of("routes.default.receiver", route.get("receiver"), ("alert_route",))
    limits = check.map(
        "retraining", top.get("retraining"), {"cool_down_hours", "maximum_runs_per_week", "no_promotion_while"}
    )
    named = top.get("signals")
    entries = named if isinstance(named, dict) else {}
    if not entries:
        check.problems.append(f"signals: {named!r}, expected a map of signals")
    found = Signals(
        windows={stream: _window(check, stream, windows.get(stream)) for stream in STREAMS},
        rule=Rule(
            int(check.number("rule.windows", rule.get("windows"), 1, 100)),
            int(check.number("rule.violations", rule.get("violations"), 1, 100)),
        ),
        repeat_hours=check.number("alerts.repeat_hours", alerts.get("repeat_hours"), 0.01, 24 * 31),
        keep_windows=int(check.number("alerts.keep_windows", alerts.get("keep_windows"), 10, 100_000)),
        to=check.text("routes.default.to", route.get("to"), lambda text: text == "owner" or "@" in text),
        signals={str(name): _signal(check, str(name), entry) for name, entry in entries.items()},
        retraining=Retraining(
            check.number("retraining.cool_down_hours", limits.get("cool_down_hours"), 0, 24 * 366),
            int(check.number("retraining.maximum_runs_per_week", limits.get("maximum_runs_per_week"), 0, 1000)),
            tuple(check.names("retraining.no_promotion_while", limits.get("no_promotion_while"), set(entries))),
        ),
    )
    if found.rule.violations > found.rule.windows:
        check.problems.append(f"rule.violations: {found.rule.violations}, at most rule.windows ({found.rule.windows})")
    if check.problems:
        raise ConfigError(
            f"{where}: " + "; ".join(check.problems),
            "correct the file; docs/runbooks/monitoring.md says what each signal means",
        )
    return found


def _window(check: "_Check", stream: str, entry: Any) -> WindowSize:
    where = f"windows.{stream}"
    values = check.map(where, entry, {"rows", "minimum_rows", "close_after_hours"})
    size = WindowSize(
        int(check.number(f"{where}.rows", values.get("rows"), 50, 10_000_000)),
        int(check.number(f"{where}.minimum_rows", values.get("minimum_rows"), 50, 10_000_000)),
        check.number(f"{where}.close_after_hours", values.get("close_after_hours"), 0.01, 24 * 366),
    )
    if size.minimum_rows > size.rows:
        check.problems.append(f"{where}.minimum_rows: {size.minimum_rows}, at most rows ({size.rows})")
    return size


def _signal(check: "_Check", name: str, entry: Any) -> Signal:
    where = f"signals.{name}"
    keys = {"per", "metric", "above", "below", "severity", "retrain", "summary", "runbook"}
    values = check.map(where, entry, keys)
    if ("above" in values) == ("below" in values):
        check.problems.append(f"{where}: exactly one of above and below is wanted")
    sides = {
        side: check.number(f"{where}.{side}", values[side], -1e9, 1e9) for side in ("above", "below") if side in values
    }
    per = check.one_of(f"{where}.per", values.get("per"), (*STREAMS, "moment"))
    return Signal(
        id=name,
        per=per,  # type: ignore[arg-type]
        metric=check.text(f"{where}.metric", values.get("metric"), lambda text: text.startswith("strata_")),
        above=sides.get("above"),
        below=sides.get("below"),
        severity=check.one_of(f"{where}.severity", values.get("severity"), ("warning", "critical")),
        retrain=check.truth(f"{where}.retrain", values.get("retrain")),
        summary=check.text(f"{where}.summary", values.get("summary"), lambda text: "{model}" in text),
        runbook=check.text(
            f"{where}.runbook", values.get("runbook"), lambda text: text.startswith(("docs/", "https://"))
        ),
    )


class _Check:
    """Collects every problem; a wrong value is replaced by one that lets checking go on."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def map(self, where: str, value: Any, known: set[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.problems.append(f"{where or 'the file'}: {value!r}, expected a map with {', '.join(sorted(known))}")
            return {}
        prefix = f"{where}." if where else ""
        self.problems += [f"{prefix}{key}: not known" for key in value if key not in known]
        return value

    def number(self, where: str, value: Any, low: float, high: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.problems.append(f"{where}: {value!r}, expected {low:g} to {high:g}")
            return low
        return float(value)

    def one_of(self, where: str, value: Any, allowed: tuple[str, ...]) -> str:
        if value not in allowed:
            self.problems.append(f"{where}: {value!r}, expected one of {', '.join(allowed)}")
            return allowed[0]
        return str(value)

    def truth(self, where: str, value: Any) -> bool:
        if not isinstance(value, bool):
            self.problems.append(f"{where}: {value!r}, expected true or false")
        return value is True

    def text(self, where: str, value: Any, right: Callable[[str], bool]) -> str:
        if not isinstance(value, str) or not right(value):
            self.problems.append(f"{where}: {value!r} is no such text; see the other signals")
            return ""
        return value

    def names(self, where: str, value: Any, known: set[str]) -> list[str]:
        if not isinstance(value, list) or not set(map(str, value)) <= known:
            self.problems.append(f"{where}: {value!r}, expected names of signals")
            return []
        return [str(name) for name in value]
