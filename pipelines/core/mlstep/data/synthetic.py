"""Synthetic credit applications whose truth is known, so that every judgement about them can be checked.

The true probability of default follows from the applicant's true features alone; drift, unfairness, label delay and
personal data are injected at a known size on top.
"""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from mlstep.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

SCHEME = "synthetic:"
DAYS = 730
START = datetime(2024, 1, 1)  # noqa: DTZ001 - all times in rows are UTC, without saying so
EMPLOYMENT = ("permanent", "temporary", "self_employed", "unemployed")
REGIONS = ("capital", "east", "north", "south", "west")
PURPOSES = ("car", "education", "home", "debt_consolidation", "other")
AGE_BANDS = ("18-25", "26-35", "36-50", "51-65", "66+")
GENDERS = ("man", "woman")
_NOTES = (
    "Applied in the branch.", "Applied online.", "Wants a decision this week.", "Has been a customer for years.",
    "Asked about early repayment.", "Income statement attached.", "Prefers a longer term.", "Second loan with us.",
)  # fmt: skip
_LOG_INCOME = (8.07, 0.45)
_LOG_BURDEN = (1.3, 0.6)
_DEBT_RATIO = (0.36, 0.15)
_REFERENCE_ROWS = 20_000


@dataclass(frozen=True)
class Recipe:
    """What to generate.

    Attributes:
        rows: number of applications.
        seed: the same recipe and seed give the same rows.
        drift: shift of income (down) and debt ratio (up), in standard deviations.
        unfairness: how much worse women are recorded than they are: income and debt ratio by so many standard
            deviations, outcomes by so much on the log-odds of default. `true_probability` does not change.
        pii: share of rows whose note holds an e-mail address, an IBAN or a phone number.
        default_rate: share of defaults without drift, for a large number of rows.
        label_delay_days: outcomes of applications younger than this are not known yet (null).
        start: the first application, UTC; they are spread over the 730 days after it.
    """

    rows: int = 100_000
    seed: int = 7
    drift: float = 0.0
    unfairness: float = 0.0
    pii: float = 0.0
    default_rate: float = 0.054
    label_delay_days: float = 0.0
    start: datetime = START


def generate(
    rows: int,
    seed: int,
    drift: float = 0.0,
    unfairness: float = 0.0,
    pii: float = 0.0,
    default_rate: float = 0.054,
    start: datetime = START,
    label_delay_days: float = 0.0,
    true_probability: bool = False,
) -> "pl.DataFrame":
    """Applications in the order of their time; see `Recipe` for the sizes.

    Args:
        true_probability: add the column `true_probability`, which no model may read.

    Raises:
        ConfigError: a size is out of its range; all in one message.
    """
    recipe = Recipe(rows, seed, drift, unfairness, pii, default_rate, label_delay_days, start)
    _check(recipe)
    return _frame(recipe, true_probability)


def parse_uri(uri: str, start: datetime | None = None) -> Recipe:
    """Read `synthetic:credit?rows=…&seed=…`; `start` stands in when the URI names none.

    Raises:
        ConfigError: another generator, an unknown key or a wrong value; all in one message.
    """
    name, _, query = uri.removeprefix(SCHEME).partition("?")
    known = {field.name: field.type for field in fields(Recipe)}
    problems = [] if name == "credit" else [f"generator {name!r} is not known (there is: credit)"]
    values: dict[str, Any] = {"start": start or START}
    for key, text in parse_qsl(query, keep_blank_values=True):
        try:
            values[key] = _value(key, text)
        except KeyError:
            problems.append(f"{key} is not known (there are: {', '.join(known)})")
        except ValueError:
            problems.append(f"{key}={text} cannot be read as {known[key]}")
    if problems:
        raise ConfigError(f"{uri}: " + "; ".join(problems), f"example: {SCHEME}credit?rows=100000&seed=7&drift=0.5")
    recipe = Recipe(**values)
    _check(recipe)
    return recipe


def to_uri(recipe: Recipe) -> str:
    """The URI that gives exactly these rows again, every size spelled out."""
    values = {field.name: getattr(recipe, field.name) for field in fields(Recipe)}
    values["start"] = recipe.start.isoformat()
    return f"{SCHEME}credit?" + "&".join(f"{key}={value}" for key, value in values.items())


def with_values(uri: str, **values: Any) -> str:
    """The same URI with some keys set; what it leaves open, such as the start, stays open.

    Raises:
        ConfigError: the URI, or what became of it, is wrong.
    """
    parse_uri(uri)
    name, _, query = uri.partition("?")
    changed = f"{name}?" + urlencode({**dict(parse_qsl(query)), **values}, safe=":")
    parse_uri(changed)
    return changed


def from_recipe(recipe: Recipe) -> "pl.DataFrame":
    """The rows of a recipe, without `true_probability`."""
    return _frame(recipe, False)


def _value(key: str, text: str) -> Any:
    if key == "start":
        return datetime.fromisoformat(text).replace(tzinfo=None)
    kinds = {
        "rows": int,
        "seed": int,
        "drift": float,
        "unfairness": float,
        "pii": float,
        "default_rate": float,
        "label_delay_days": float,
    }
    return kinds[key](text)


def _check(recipe: Recipe) -> None:
    allowed = {
        "rows": (0, 50_000_000), "seed": (0, 2**63), "drift": (-3, 3), "unfairness": (-3, 3), "pii": (0, 1),
        "default_rate": (0.001, 0.6), "label_delay_days": (0, DAYS),
    }  # fmt: skip
    problems = [
        f"{key} is {getattr(recipe, key)}, allowed {low} to {high}"
        for key, (low, high) in allowed.items()
        if not low <= getattr(recipe, key) <= high
    ]
    if problems:
        raise ConfigError("synthetic credit data: " + "; ".join(problems), "choose values in these ranges")


@dataclass
class _People:
    """Standardised true features of n applicants, each of shape (n,)."""

    income: "np.ndarray[Any, Any]"
    burden: "np.ndarray[Any, Any]"
    debt: "np.ndarray[Any, Any]"
    late: "np.ndarray[Any, Any]"
    tenure: "np.ndarray[Any, Any]"
    employment: "np.ndarray[Any, Any]"
    purpose: "np.ndarray[Any, Any]"


def _draw(rng: "np.random.Generator", rows: int, drift: float) -> _People:
    import numpy as np

    income = rng.standard_normal(rows) - drift
    return _People(
        income=income,
        burden=rng.standard_normal(rows),
        debt=rng.standard_normal(rows) - 0.2 * (income + drift) + drift,
        late=np.minimum(rng.poisson(rng.gamma(0.6, 0.9, rows)), 12),
        tenure=np.minimum(rng.exponential(60.0, rows).astype(np.int64), 480),
        employment=_pick(rng, (0.64, 0.16, 0.14, 0.06), rows),
        purpose=_pick(rng, (0.3, 0.1, 0.25, 0.2, 0.15), rows),
    )


def _pick(rng: "np.random.Generator", shares: tuple[float, ...], rows: int) -> "np.ndarray[Any, Any]":
    import numpy as np

    return np.searchsorted(np.cumsum(shares)[:-1], rng.random(rows), side="right")


def _logit(people: _People) -> "np.ndarray[Any, Any]":
    import numpy as np

    employment = np.array([-0.2, 0.25, 0.2, 0.9])
    purpose = np.array([-0.1, 0.1, -0.25, 0.35, 0.1])
    linear = (
        -0.42 * people.income + 0.36 * people.burden + 0.52 * people.debt + 0.44 * people.late - 0.007 * people.tenure
    )
    stressed = 0.5 * (
        (people.debt > 1.0) & (people.late >= 2)
    )  # An interaction, so that a linear model is not the best one.
    return np.asarray(linear + stressed + employment[people.employment] + purpose[people.purpose])


def _intercept(default_rate: float) -> float:
    """Found on a fixed reference population, so that the truth depends neither on seed nor on the injected sizes."""
    import numpy as np

    base = _logit(_draw(np.random.default_rng(20240101), _REFERENCE_ROWS, 0.0))
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if float(np.mean(1 / (1 + np.exp(-(base + middle))))) < default_rate else (low, middle)
        )
    return (low + high) / 2


def _frame(recipe: Recipe, with_truth: bool) -> "pl.DataFrame":
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(recipe.seed)
    rows = recipe.rows
    people = _draw(rng, rows, recipe.drift)
    logit = _logit(people) + _intercept(recipe.default_rate)
    chance = rng.random(rows)
    gender = rng.integers(0, 2, rows)
    # What is recorded of women, features and outcomes, is worse than what is true; the truth knows no gender.
    harm = recipe.unfairness * (gender == 1)
    probability = 1 / (1 + np.exp(-logit))
    defaulted = chance < 1 / (1 + np.exp(-(logit + harm)))
    age = _pick(rng, (0.12, 0.25, 0.33, 0.22, 0.08), rows)
    offsets = np.sort(rng.integers(0, DAYS * 86_400, rows))
    offsets[-1:] = DAYS * 86_400 - 1  # However few the rows, the newest is as young as the recipe says.
    missing_tenure = rng.random(rows) < 0.02
    income = np.exp(_LOG_INCOME[0] + _LOG_INCOME[1] * (people.income - harm))
    loan = income * np.exp(_LOG_BURDEN[0] + _LOG_BURDEN[1] * people.burden)
    debt = _DEBT_RATIO[0] + _DEBT_RATIO[1] * (people.debt + harm)
    frame = pl.DataFrame(
        {
            "application_id": np.arange(1, rows + 1),
            "applied_at": offsets,
            "income": np.round(np.clip(income, 300, 60_000), 2),
            "loan_amount": np.round(np.clip(loan, 500, 250_000), -1),
            "debt_ratio": np.round(np.clip(debt, 0, 2), 4),
            "late_payments": people.late.astype(np.int64),
            "tenure_months": people.tenure,
            "employment_type": people.employment,
            "region": _pick(rng, (0.3, 0.15, 0.12, 0.25, 0.18), rows),
            "purpose": people.purpose,
            "age_band": age,
            "gender": gender,
            "note": _notes_index(rng, rows),
            "defaulted": defaulted,
            "true_probability": probability,
            "missing_tenure": missing_tenure,
        }
    )
    frame = _label(frame, recipe)
    if recipe.pii > 0:
        frame = frame.with_columns(_personal_notes(frame["note"], rng, recipe.pii))
    return frame if with_truth else frame.drop("true_probability")


def _notes_index(rng: "np.random.Generator", rows: int) -> "np.ndarray[Any, Any]":
    return rng.integers(0, len(_NOTES), rows)


def _label(frame: "pl.DataFrame", recipe: Recipe) -> "pl.DataFrame":
    import polars as pl

    codes = {
        "employment_type": EMPLOYMENT,
        "region": REGIONS,
        "purpose": PURPOSES,
        "age_band": AGE_BANDS,
        "gender": GENDERS,
        "note": _NOTES,
    }
    known_until = recipe.start + timedelta(days=DAYS - recipe.label_delay_days)
    start = pl.lit(recipe.start, dtype=pl.Datetime("us"))
    named = [
        pl.Series(column, names, dtype=pl.String).gather(frame[column]).alias(column)
        if frame.height
        else pl.Series(column, [], dtype=pl.String)
        for column, names in codes.items()
    ]
    return (
        frame.with_columns(named)
        .with_columns(
            pl.format("A{}", pl.col("application_id").cast(pl.String).str.zfill(8)).alias("application_id"),
            (start + pl.duration(seconds=pl.col("applied_at"))).alias("applied_at"),
            pl.when(~pl.col("missing_tenure")).then(pl.col("tenure_months")).alias("tenure_months"),
        )
        .with_columns(pl.when(pl.col("applied_at") < known_until).then(pl.col("defaulted")).alias("defaulted"))
        .drop("missing_tenure")
    )


def _personal_notes(notes: "pl.Series", rng: "np.random.Generator", share: float) -> "pl.Series":
    """Put one piece of made-up, checksum-valid personal data into exactly round(share · n) notes, one at least."""
    import polars as pl

    from mlstep.data.personal import iban_with_checksum

    count = min(len(notes), max(1, round(share * len(notes))))
    chosen = sorted(rng.choice(len(notes), count, replace=False).tolist())
    texts = notes.to_list()
    for order, row in enumerate(chosen):
        number = int(rng.integers(10**6, 10**7))
        pieces = (
            f"mail kund{number}@example.org",
            f"pay to {iban_with_checksum('SE', f'5000000005839{number}')}",
            f"call +46 70 {number:07d}",
        )
        texts[row] = f"{texts[row]} {pieces[order % 3]}"
    return pl.Series("note", texts, dtype=pl.String)
