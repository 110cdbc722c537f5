"""What the infrastructure plane tells the run-time plane: `<root>/platform/*.json`, read once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlstep.canonical import read_json
from mlstep.errors import ConfigError

CONTRACT_VERSION = 1
STAGES = ("foundation", "governance", "registry", "pipelines", "monitoring", "feature_store")


@dataclass(frozen=True)
class Platform:
    """A platform folder and the contracts of its stages.

    Attributes:
        root: the platform folder.
        stages: stage name -> its contract; a stage that is not there is not in the map.
    """

    root: Path
    stages: dict[str, dict[str, Any]]

    def has(self, stage: str) -> bool:
        """Whether the platform has reached a stage."""
        return stage in self.stages

    def stage(self, name: str) -> dict[str, Any]:
        """One stage's contract.

        Raises:
            ConfigError: the platform has not this stage.
        """
        if name not in self.stages:
            found = ", ".join(self.stages) or "none"
            what = f"{self.root}: the platform has no stage {name} (found: {found})"
            raise ConfigError(what, "raise `stage` in the record and run `strata up`")
        return self.stages[name]

    @property
    def environment(self) -> str:
        """dev, test or prod."""
        return str(self.stage("foundation")["environment"])

    def identity(self, name: str) -> tuple[str, str]:
        """User and token of one of the five identities.

        Raises:
            ConfigError: no such identity, or its token file cannot be read by this user.
        """
        identities = self.stage("foundation")["identities"]
        if name not in identities:
            raise ConfigError(f"identity {name}: not known", f"identities: {', '.join(sorted(identities))}")
        return str(identities[name]["user"]), read_secret(Path(identities[name]["token_file"]))

    def signers(self) -> list[dict[str, Any]]:
        """People whose signatures count: name, role, public_key, key_file (demo keys only), demo."""
        return list(self.stage("foundation")["signers"])


def load(root: Path) -> Platform:
    """Read every stage's contract below a platform folder.

    Raises:
        ConfigError: no platform there, or a contract of another version.
    """
    folder = root / "platform"
    stages = {name: read_json(folder / f"{name}.json") for name in STAGES if (folder / f"{name}.json").is_file()}
    if "foundation" not in stages:
        raise ConfigError(f"{root}: no platform here", "run `strata up`, or give the right --root")
    versions = {name: stage.get("contract_version") for name, stage in stages.items()}
    wrong = {name: version for name, version in versions.items() if version != CONTRACT_VERSION}
    if wrong:
        what = f"{root}: contract versions {wrong}, expected {CONTRACT_VERSION}"
        raise ConfigError(what, "run `strata up` with this version of Strata")
    return Platform(root, stages)


def read_secret(path: Path) -> str:
    """One secret from its file, without the final line feed.

    Raises:
        ConfigError: the file is missing or not readable; the message never holds the value.
    """
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "run `strata up` as the platform's own user") from None
