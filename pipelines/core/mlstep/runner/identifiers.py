"""Run identifiers: ULIDs, which sort by the time they were made (https://github.com/ulid/spec)."""

from datetime import datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TIME_CHARACTERS = 10
_RANDOM_CHARACTERS = 16
RANDOM_BYTES = 10


def make_run_id(moment: datetime, randomness: bytes) -> str:
    """26 characters: 48 bits of milliseconds, 80 bits of randomness.

    Raises:
        ValueError: not exactly 10 random bytes.
    """
    if len(randomness) != RANDOM_BYTES:
        raise ValueError(f"{len(randomness)} random bytes, expected {RANDOM_BYTES}")
    milliseconds = int(moment.timestamp() * 1000)
    return _encode(milliseconds, _TIME_CHARACTERS) + _encode(int.from_bytes(randomness, "big"), _RANDOM_CHARACTERS)


def is_run_id(text: str) -> bool:
    """Whether a text has the form of a run identifier, and so can be a folder's name."""
    return len(text) == _TIME_CHARACTERS + _RANDOM_CHARACTERS and set(text) <= set(_ALPHABET)


def _encode(number: int, characters: int) -> str:
    text = ""
    for _ in range(characters):
        number, digit = divmod(number, 32)
        text = _ALPHABET[digit] + text
    return text
