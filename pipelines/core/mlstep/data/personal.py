"""Checksums and shapes of personal identifiers. Pure functions on text, so that each can be tested on known numbers."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

_IBAN_LENGTHS = {
    "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24,
    "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21,
    "LT": 20, "LU": 20, "LV": 21, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24,
    "SI": 19, "SK": 24, "UA": 29, "TR": 26, "RS": 22, "MC": 27,
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """One kind of personal data.

    Attributes:
        name: as reports name it.
        pattern: a regular expression without look-around, for the Rust engine behind polars; group 0 is the candidate.
        valid: the checksum; None when the shape alone decides.
        chance: share of random candidates of this shape that pass the checksum.
        digits_only: whether the candidate may be nothing but digits, so that a number column can hold it.
    """

    name: str
    pattern: str
    valid: Callable[[str], bool] | None
    chance: float = 0.0
    digits_only: bool = False


def digits(text: str) -> list[int]:
    """The decimal digits in a text."""
    return [int(character) for character in text if character.isdecimal()]


def luhn(text: str) -> bool:
    """Luhn's check digit (ISO/IEC 7812)."""
    numbers = digits(text)[::-1]
    doubled = [2 * number for number in numbers[1::2]]
    return (
        bool(numbers)
        and (sum(numbers[0::2]) + sum(number - 9 if number > 9 else number for number in doubled)) % 10 == 0
    )


def is_card(text: str) -> bool:
    """A payment card: 13 to 19 digits, a known first digit, Luhn; not one digit repeated."""
    numbers = digits(text)
    return 13 <= len(numbers) <= 19 and numbers[0] in (2, 3, 4, 5, 6) and len(set(numbers)) > 1 and luhn(text)


def is_iban(text: str) -> bool:
    """An IBAN of a known country's length whose remainder is 1 (ISO 13616, mod 97)."""
    compact = re.sub(r"[\s-]", "", text).upper()
    return _IBAN_LENGTHS.get(compact[:2]) == len(compact) and _iban_remainder(compact) == 1


def iban_with_checksum(country: str, account: str) -> str:
    """An IBAN for an account number, with the right check digits; for test data."""
    body = account.rjust(_IBAN_LENGTHS[country] - 4, "0")
    return f"{country}{98 - _iban_remainder(f'{country}00{body}'):02d}{body}"


def is_swedish(text: str) -> bool:
    """A Swedish personal or co-ordination number: a date (day may be raised by 60) and Luhn over ten digits."""
    numbers = digits(text)[-10:]
    day = numbers[4] * 10 + numbers[5] if len(numbers) == 10 else 0
    return (
        len(numbers) == 10
        and _is_day(numbers[2] * 10 + numbers[3], day - 60 if day > 60 else day)
        and luhn("".join(map(str, numbers)))
    )


def is_finnish(text: str) -> bool:
    """A Finnish personal identity code: a date, a century sign, and the remainder by 31."""
    compact = text.upper()
    numbers = digits(compact[:6]) + digits(compact[7:10])
    if len(compact) != 11 or len(numbers) != 9:
        return False
    remainder = int("".join(map(str, numbers))) % 31
    return (
        _is_day(numbers[2] * 10 + numbers[3], numbers[0] * 10 + numbers[1])
        and compact[10] == "0123456789ABCDEFHJKLMNPRSTUVWXY"[remainder]
    )


def is_norwegian(text: str) -> bool:
    """A Norwegian birth or D number: a date (day may be raised by 40) and two remainders by 11."""
    numbers = digits(text)
    if len(numbers) != 11:
        return False
    day, month = numbers[0] * 10 + numbers[1], numbers[2] * 10 + numbers[3]
    first = _weighted(numbers, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0
    second = _weighted(numbers, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
    return first and second and _is_day(month, day - 40 if day > 40 else day)


def is_danish(text: str) -> bool:
    """A Danish CPR number in its written form DDMMYY-NNNN; newer ones have no checksum, so the date decides."""
    numbers = digits(text)
    return len(numbers) == 10 and _is_day(numbers[2] * 10 + numbers[3], numbers[0] * 10 + numbers[1])


def is_baltic(text: str) -> bool:
    """An Estonian or Lithuanian personal code: century digit, date, two-level remainder by 11."""
    numbers = digits(text)
    if (
        len(numbers) != 11
        or not 1 <= numbers[0] <= 8
        or not _is_day(numbers[3] * 10 + numbers[4], numbers[5] * 10 + numbers[6])
    ):
        return False
    remainder = _weighted(numbers, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if remainder == 10:
        remainder = _weighted(numbers, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return remainder == numbers[10]


def is_polish(text: str) -> bool:
    """A Polish PESEL: a date (month raised by a multiple of 20 for its century) and a weighted check digit."""
    numbers = digits(text)
    if len(numbers) != 11 or not _is_day((numbers[2] * 10 + numbers[3]) % 20, numbers[4] * 10 + numbers[5]):
        return False
    return (10 - _weighted(numbers, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10 == numbers[10]


def is_spanish(text: str) -> bool:
    """A Spanish DNI or NIE: the letter follows from the remainder by 23."""
    compact = (
        text.upper().replace("-", "").translate(str.maketrans("XYZ", "012"))
        if text[:1].upper() in "XYZ"
        else text.upper().replace("-", "")
    )
    return (
        len(compact) == 9 and compact[:8].isdecimal() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(compact[:8]) % 23] == compact[8]
    )


def is_french(text: str) -> bool:
    """A French social security number: month, and 97 less the remainder by 97 as key."""
    compact = re.sub(r"\s", "", text).upper()
    number = compact[:13].replace("2A", "19").replace("2B", "18")
    return (
        len(compact) == 15
        and number.isdecimal()
        and compact[13:].isdecimal()
        and 97 - int(number) % 97 == int(compact[13:])
    )


def is_phone(text: str) -> bool:
    """A phone number in its written form: 8 to 15 digits (ITU-T E.164), and no date such as 01-02-2026."""
    date_like = re.search(r"\b\d{1,2}[-/ ](?:0[1-9]|1[0-2])[-/ ](?:19|20)?\d{2}\b|\b\d{4}-\d{2}-\d{2}\b", text)
    return 8 <= len(digits(text)) <= 15 and date_like is None


def is_ipv4(text: str) -> bool:
    """An IPv4 address whose parts are 0 to 255, not a version such as 0.1.2.3."""
    parts = text.split(".")
    return len(parts) == 4 and all(part == str(int(part)) and int(part) <= 255 for part in parts) and int(parts[0]) > 0


KINDS: tuple[Kind, ...] = (
    Kind("e-mail", r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,}", None),
    Kind("IBAN", r"\b[A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]{4}){2,7}(?:[ \-]?[A-Z0-9]{1,3})?\b", is_iban, 1 / 97),
    Kind("payment card", r"\b[2-6]\d{3}(?:[ \-]?\d{3,6}){2,4}\b", is_card, 0.1, True),
    Kind(
        "phone",
        r"(?:\+|\b00)[1-9]\d{0,2}[ \-/]?(?:\(0\))?(?:[ \-/]?\d{2,4}){3,5}\b"
        r"|(?:^|[\s(:,;])0\d{1,3}[ \-/]\d{2,4}(?:[ \-]?\d{2,3}){1,3}\b",
        is_phone,
    ),
    Kind("Swedish personal number", r"\b(?:19|20)?\d{2}[01]\d[0-9]\d[\-+]?\d{4}\b", is_swedish, 0.01, True),
    Kind("Finnish personal code", r"\b[0-3]\d[01]\d{3}[\-+A-FU-Ya-fu-y]\d{3}[0-9A-Ya-y]\b", is_finnish, 0.03),
    Kind("Norwegian birth number", r"\b\d{6} ?\d{5}\b", is_norwegian, 0.001, True),
    Kind("Danish CPR number", r"\b[0-3]\d[01]\d{3}-\d{4}\b", is_danish),
    Kind("Estonian or Lithuanian personal code", r"\b[1-8]\d{10}\b", is_baltic, 0.03, True),
    Kind("Polish PESEL", r"\b\d{11}\b", is_polish, 0.03, True),
    Kind("Spanish DNI or NIE", r"\b[XYZxyz]?-?\d{7,8}-?[A-Za-z]\b", is_spanish, 1 / 23),
    Kind(
        "French social security number",
        r"\b[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[ABab]) ?\d{3} ?\d{3} ?\d{2}\b",
        is_french,
        0.01,
        True,
    ),
    Kind("IP address", r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b", is_ipv4),
)


def _iban_remainder(compact: str) -> int:
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97


def _weighted(numbers: list[int], weights: tuple[int, ...]) -> int:
    return sum(number * weight for number, weight in zip(numbers, weights, strict=False))


def _is_day(month: int, day: int) -> bool:
    try:
        date(2000, month, day)  # A leap year, so that 29 February is a day.
    except ValueError:
        return False
    return True
