"""Personal data is found wherever it stands, shown masked, and allowed only with a legal basis."""

import json
from pathlib import Path

import polars as pl
import pytest

from mlstep.data import personal
from mlstep.data.synthetic import generate
from mlstep.manifest import Origin, write_manifest
from mlstep.step import StepResult, run_step
from mlstep.steps.pii import Pii, scan


def kinds(*values: str, column: str = "remark") -> set[str]:
    """The kinds of personal data found by content in a text column."""
    frame = pl.DataFrame({column: ["nothing here", *values]})
    return {hit.kind for hit in scan(frame.lazy()) if hit.by == "content" and not hit.by_chance}


def run(folder: Path, frame: pl.DataFrame, contract: Path) -> tuple[StepResult, str]:
    """Run the step; return its result and the report's text."""
    data = folder / "data"
    data.mkdir()
    frame.write_parquet(data / "data.parquet")
    write_manifest(data, "data", Origin("ingest", "r", {}, "0", "-", "-"), frame.height, None)
    result = run_step(
        Pii(), {}, {"data": data, "contract": contract}, {"report": folder / "report"}, folder / "r.json", "r"
    )
    return result, (folder / "report" / "report.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("e-mail", "write to anna.svensson@bank.example.se today"),
        ("IBAN", "to DE89 3704 0044 0532 0130 00 please"),
        ("IBAN", "SE4550000000058398257466"),
        ("payment card", "card 4111 1111 1111 1111"),
        ("phone", "call +46 70 123 45 67"),
        ("phone", "call 08-123 45 67"),
        ("Swedish personal number", "born 811228-9874"),
        ("Swedish personal number", "198112289874"),
        ("Finnish personal code", "131052-308T"),
        ("Norwegian birth number", "151086 95088"),
        ("Danish CPR number", "211062-5629"),
        ("Estonian or Lithuanian personal code", "37605030299"),
        ("Polish PESEL", "44051401359"),
        ("Spanish DNI or NIE", "12345678Z"),
        ("French social security number", "2 55 08 14 168 025 38"),
        ("IP address", "from 192.168.10.4"),
    ],
)
def test_each_kind_is_found(kind: str, text: str) -> None:
    """Published example numbers of every kind, inside text or alone."""
    assert kind in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "to SE4550000000058398257467 please", "card 4111 1111 1111 1112", "born 811228-9875", "131052-308U",
        "44051401358", "12345678A", "version 0.1.2.3", "at 999.1.1.1", "order 123456", "price 1 234,50 EUR",
        "2026-01-31 12:00:00", "@home", "01-02-2026", "on 01/02/2026 at 10",
    ],
)  # fmt: skip
def test_what_fails_its_checksum_is_not_reported(text: str) -> None:
    """One wrong digit, a version, a date or an amount is no personal data."""
    assert kinds(text) == set()


def test_injected_personal_data_is_counted_exactly(tmp_path: Path, credit_contract: Path) -> None:
    """Of 20,000 rows with one per cent dirty notes, exactly 200 are found, and no value can be read in the report."""
    frame = generate(20_000, 3, pii=0.01)
    result, report = run(tmp_path, frame, credit_contract)
    assert result.decision == "fail"
    found = json.loads(report)["findings"]
    assert sum(entry["rows"] for entry in found) == 200
    assert {entry["kind"] for entry in found} == {"e-mail", "IBAN", "phone"}
    dirty = frame.filter(pl.col("note").str.contains("@"))["note"].to_list()
    addresses = {text.split()[-1] for text in dirty}
    assert not any(address in report or address in " ".join(result.reasons) for address in addresses)


def test_clean_rows_pass(tmp_path: Path, credit_contract: Path) -> None:
    """The reference rows hold no personal data."""
    result, report = run(tmp_path, generate(20_000, 3), credit_contract)
    assert (result.decision, json.loads(report)["findings"]) == ("pass", [])


def test_a_single_dirty_row_is_enough(tmp_path: Path, credit_contract: Path) -> None:
    """The scan is of all rows, not of a sample."""
    assert run(tmp_path, generate(20_000, 3, pii=1e-9), credit_contract)[0].metrics["findings"] == 1


def test_a_legal_basis_allows_it(tmp_path: Path, credit_contract: Path) -> None:
    """A column whose contract names a legal basis is reported as allowed, and does not fail."""
    text = credit_contract.read_text(encoding="utf-8")
    role = "customProperties: [{property: strata.role, value: ignored}]"
    basis = '{property: strata.personal_data_allowed, value: "consent, GDPR Art. 6(1)(a)"}'
    allowed = tmp_path / "allowed.odcs.yaml"
    allowed.write_text(
        text.replace(role, f"customProperties: [{{property: strata.role, value: ignored}}, {basis}]"), encoding="utf-8"
    )
    result, report = run(tmp_path, generate(5_000, 3, pii=0.01), allowed)
    assert result.decision == "pass"
    assert {entry["allowed"] for entry in json.loads(report)["findings"]} == {"consent, GDPR Art. 6(1)(a)"}


@pytest.mark.parametrize(
    "name", ["customer_name", "lastName", "E-Mail", "homeAddress", "personnummer", "dateOfBirth", "IBAN", "mobile"]
)
def test_columns_called_like_personal_data_are_found(name: str) -> None:
    """Names are found by their column's name, since no pattern knows a person's name."""
    assert [hit.by for hit in scan(pl.DataFrame({name: ["x"]}).lazy())] == ["name"]


@pytest.mark.parametrize("name", ["file_name_length", "product", "income", "region", "addressable_market", "note"])
def test_ordinary_column_names_are_not(name: str) -> None:
    """A column that only sounds a little like it is left alone."""
    assert scan(pl.DataFrame({name: ["x"]}).lazy()) == []


def test_numbers_are_scanned_too() -> None:
    """Card numbers in a column of whole numbers are found; counters that pass the checksum by chance are not."""
    cards = [int(f"4{number:014d}") for number in range(10**12, 10**12 + 200)]
    valid = [card * 10 + digit for card in cards for digit in range(10) if personal.luhn(str(card * 10 + digit))]
    found = scan(pl.DataFrame({"x": valid}).lazy())
    assert [(hit.kind, hit.rows, hit.by_chance) for hit in found] == [("payment card", 200, False)]
    counter = pl.DataFrame({"x": range(4 * 10**15, 4 * 10**15 + 2_000)})
    assert all(hit.by_chance for hit in scan(counter.lazy()))


def test_generated_ibans_are_valid() -> None:
    """The generator of test data and the checksum agree, for every length known."""
    for country in ("SE", "DE", "NO", "FR"):
        assert personal.is_iban(personal.iban_with_checksum(country, "1234567"))
