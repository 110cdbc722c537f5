"""Errors a user can act on; everything else is a defect and keeps its traceback.

StrataError            what failed, why, what to do
├── ConfigError        a step's, pipeline's or platform's configuration is wrong (exit code 2)
├── IntegrityError     bytes, a signature or a chain do not verify (exit code 3)
├── RefusedError       an act was refused by a rule (exit code 4)
└── UnavailableError   a service did not answer; worth a retry (exit code 75, as in sysexits.h EX_TEMPFAIL)
"""


class StrataError(Exception):
    """A failure with a remedy.

    Args:
        what: what failed, in one sentence.
        remedy: what the reader can do about it.
    """

    exit_code = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what if not remedy else f"{what}\n  remedy: {remedy}")
        self.what = what
        self.remedy = remedy


class ConfigError(StrataError):
    """Configuration is wrong; the message holds every problem found."""

    exit_code = 2


class IntegrityError(StrataError):
    """Bytes, a signature or a chain do not verify."""

    exit_code = 3


class RefusedError(StrataError):
    """A rule refuses the act."""

    exit_code = 4


class UnavailableError(StrataError):
    """A service did not answer; the same act may succeed later."""

    exit_code = 75
