"""Identifiers of answers: sortable by time, unguessable, readable aloud (ULID, https://github.com/ulid/spec)."""

import os
from datetime import UTC, datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_TIME_LETTERS = 10
LETTERS = 26


def new_id(moment: datetime, randomness: bytes | None = None) -> str:
    """A ULID: 48 bits of milliseconds, 80 random bits, in Crockford's base 32."""
    milliseconds = int(moment.timestamp() * 1000)
    number = (milliseconds << 80) | int.from_bytes(randomness or os.urandom(10))
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def id_time(identifier: str) -> datetime | None:
    """The time in an identifier, in UTC; None if it is not one of ours."""
    letters = identifier[:_TIME_LETTERS]
    if len(identifier) < LETTERS or any(letter not in _VALUES for letter in letters):
        return None
    milliseconds = 0
    for letter in letters:
        milliseconds = milliseconds * 32 + _VALUES[letter]
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError):
        return None
