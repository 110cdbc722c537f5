"""Where steps and commands are found: our own in a table (fast), others' by entry point."""

from importlib import import_module
from typing import Any

from mlstep.errors import ConfigError

# A table instead of entry points for our own: reading every distribution's metadata costs more than a small step.
STEPS = {
    "ingest": "mlstep.steps.ingest:Ingest",
    "validate": "mlstep.steps.validate:Validate",
    "pii": "mlstep.steps.pii:Pii",
    "split": "mlstep.steps.split:Split",
    "fairness": "mlstep.steps.fairness:Fairness",
    "gate": "mlstep.steps.gate:Gate",
    "noop": "mlstep.steps.noop:Noop",
    "train": "mlstep_train.train:Train",
    "evaluate": "mlstep_train.evaluate:Evaluate",
    "explain": "mlstep_train.explain:Explain",
    "plausibility": "mlstep_train.plausibility:Plausibility",
    "register": "mlstep_train.register:Register",
}

# Command name -> function(argv: list[str]) -> int.
COMMANDS = {
    "step": "mlstep.cli:step_main",
    "steps": "mlstep.cli:steps_main",
    "run": "mlstep.runner.command:main",
    "scheduler": "mlstep.scheduler.command:main",
    "new-contract": "mlstep.contracts.propose:main",
    "sign": "mlstep_promote.sign:main",
    "promote": "mlstep_promote.promote:main",
    "rollback": "mlstep_promote.rollback:main",
    "serve": "mlstep_serve.command:main",
    "score": "mlstep_serve.batch:main",
    "truth": "mlstep_serve.truth:main",
    "alerting": "mlstep.monitoring.command:main",
    "receiver": "mlstep.alerts.command:main",
    "drift": "mlstep_serve.drift_demo:main",
    "portal": "mlstep.portal.command:main",
    "trace": "mlstep.evidence.trace:main",
    "status": "mlstep.evidence.status:main",
    "features": "mlstep_features.command:main",
}


def load_step(name: str) -> Any:
    """A new instance of the step called `name`.

    Raises:
        ConfigError: no such step; the message lists those that exist.
    """
    if name in STEPS:
        return _load(STEPS[name])()
    others = _other_steps()
    if name not in others:
        raise ConfigError(f"step {name}: not known", f"known steps: {', '.join(sorted({*STEPS, *others}))}")
    return others[name].load()()


def load_command(name: str) -> Any:
    """The function behind a command.

    Raises:
        ConfigError: no such command.
    """
    if name not in COMMANDS:
        raise ConfigError(f"mlstep {name}: no such command", f"commands: {', '.join(sorted(COMMANDS))}")
    return _load(COMMANDS[name])


def _load(path: str) -> Any:
    module, attribute = path.split(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        missing = error.name or module
        what = f"{path}: {missing} is not installed in this environment"
        raise ConfigError(what, "run it in the environment of its package") from error


def _other_steps() -> dict[str, Any]:
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group="mlsteps")}
