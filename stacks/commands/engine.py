"""The Pulumi engine for one stack, through the Automation API: preview, up, destroy, and what it says meanwhile."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from stacks.commands import locks
from stacks.commands.events import Outcome
from stacks.commands.failure import Failure
from stacks.record import Record

PROJECT = "strata"
WAIT_AFTER_INTERRUPT_SECONDS = 60.0
"""How long the engine may take to wind down after Ctrl-C before we leave it to itself, in seconds."""


class Report(Protocol):
    """Takes what happens now; a milestone is worth a line of its own where there is no terminal."""

    def __call__(self, text: str, milestone: bool = True) -> None:
        """Show a text."""


class Engine:
    """The engine for one stack, on the file backend of this repository unless the environment names another."""

    def __init__(self, record: Record) -> None:
        self.stack_name = record.stack_name
        self.repository = record.repository
        self.log = record.repository / ".strata" / "logs" / f"{record.stack_name}.log"
        self._stack: Any = None

    @property
    def stack(self) -> Any:
        """The Automation API's stack, made when there is none yet.

        Raises:
            Failure: pulumi cannot be found, or the stack cannot be opened.
        """
        if self._stack is None:
            self._stack = self._open()
        return self._stack

    def preview(self, report: Report) -> Outcome:
        """Compare record and world; change nothing.

        Raises:
            Failure: the program, a policy or the engine refuses.
        """
        return self._operate("preview", report, policy_packs=[str(self.repository / "policies")])

    def up(self, report: Report) -> Outcome:
        """Make the world what the record says; call `recover` before.

        Raises:
            Failure: somebody else holds the stack, or the program, a policy, a resource or the engine refuses.
        """
        return self._operate("up", report, policy_packs=[str(self.repository / "policies")])

    def destroy(self, report: Report) -> Outcome:
        """Remove every resource of the stack, but nothing that they keep on purpose; call `recover` before.

        Raises:
            Failure: somebody else holds the stack, or a resource cannot be removed.
        """
        return self._operate("destroy", report)

    def recover(self, report: Report) -> list[Mapping[str, Any]]:
        """Clear what a killed operation left behind: its lock, and notes about resources it was changing.

        Returns the resources that there are, without the stack itself and its providers.

        Raises:
            Failure: an operation that still runs holds the stack.
        """
        _ = self.stack
        found = self._locks()
        alive = locks.clear_stale(found)
        if alive:
            raise self._locked(alive)
        if found:
            report("cleared the lock of an operation that was killed")
        state = self.state()
        pending = locks.pending_operations(state)
        if pending:
            # Every resource of target local is created idempotently, so what was half made is simply made again.
            self._clear_pending()
            report(f"an operation was killed while it changed {', '.join(pending)}; making it whole")
        hidden = ("pulumi:pulumi:", "pulumi:providers:")
        return [entry for entry in state.get("resources") or [] if not entry["type"].startswith(hidden)]

    def state(self, decrypted: bool = False) -> dict[str, Any]:
        """Return the stack's state; secret values stay encrypted unless a judge in memory must see them."""
        # The Automation API's export_stack decrypts every secret, which hardly anything here needs.
        show = ["--show-secrets"] if decrypted else []
        content: dict[str, Any] = json.loads(self._pulumi("stack", "export", "--stack", self.stack_name, *show))
        return content.get("deployment") or {}

    def forget(self) -> None:
        """Remove the stack itself, which must be empty."""
        self._guard("remove the stack", lambda: self.stack.workspace.remove_stack(self.stack_name))

    def _open(self) -> Any:
        from pulumi import automation

        command, environment = pulumi_command(self.repository)
        self.environment = environment
        options = automation.LocalWorkspaceOptions(
            work_dir=str(self.repository), env_vars=environment, pulumi_command=command
        )
        return self._guard(
            "open the stack",
            lambda: automation.create_or_select_stack(
                stack_name=self.stack_name, work_dir=str(self.repository), opts=options
            ),
        )

    def _guard(self, act: str, body: Callable[[], Any]) -> Any:
        from pulumi.automation.errors import CommandError

        try:
            return body()
        except CommandError as error:
            raise self._failure(act, error, Outcome()) from None

    def _clear_pending(self) -> None:
        content = json.loads(self._pulumi("stack", "export", "--stack", self.stack_name))
        content["deployment"]["pending_operations"] = []
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".json") as file:
            json.dump(content, file)
            file.flush()
            self._pulumi("stack", "import", "--stack", self.stack_name, "--file", file.name)

    def _pulumi(self, *arguments: str) -> str:
        command = self.stack.workspace.pulumi_command

        def run() -> str:
            done = command.run(list(arguments), str(self.repository), self.environment)
            return str(done.stdout)

        return str(self._guard(" ".join(arguments[:2]), run))

    def _locks(self) -> list[locks.Lock]:
        return locks.held(self.environment["PULUMI_BACKEND_URL"], PROJECT, self.stack_name)

    def _locked(self, alive: list[locks.Lock]) -> Failure:
        now = datetime.now(UTC)
        return Failure(
            f"{self.stack_name} is locked: another operation is running",
            [f"held by {lock.sentence(now)}" for lock in alive],
            [
                "wait for it to end, then run the same command again",
                f"if that process is certainly gone: rm {' '.join(str(lock.path) for lock in alive)}",
            ],
            exit_code=75,
        )

    def _operate(self, act: str, report: Report, **options: Any) -> Outcome:
        from pulumi.automation.errors import CommandError

        outcome, stack = Outcome(), self.stack
        started = time.monotonic()

        def listen(event: Any) -> None:
            step = outcome.take(event)
            if step:
                report(f"{step.operation} {step.type} {step.name}", step.is_lengthy)

        with self._writing() as write:
            try:
                # Colours would end up in the log and in error texts.
                getattr(stack, act)(on_event=listen, on_output=write, on_error=write, color="never", **options)
            except CommandError as error:
                raise self._failure(act, error, outcome) from None
            except KeyboardInterrupt:
                self._wait_for_engine(report)
                raise
        outcome.seconds = time.monotonic() - started
        return outcome

    def _wait_for_engine(self, report: Report) -> None:
        """Let the engine, which got the same Ctrl-C, finish what it began, and give back its lock."""
        report("stopping: waiting for resources that are being changed")
        until = time.monotonic() + WAIT_AFTER_INTERRUPT_SECONDS
        while time.monotonic() < until and any(not lock.is_stale for lock in self._locks()):
            time.sleep(0.2)

    @contextmanager
    def _writing(self) -> Iterator[Callable[[str], None]]:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("w", encoding="utf-8") as stream:

            def write(line: str) -> None:
                # After Ctrl-C the Automation API's threads may still hand over lines.
                if not stream.closed:
                    stream.write(line + "\n")
                    stream.flush()

            yield write

    def _failure(self, act: str, error: Exception, outcome: Outcome) -> Failure:
        from pulumi.automation.errors import ConcurrentUpdateError

        if isinstance(error, ConcurrentUpdateError):
            return self._locked(self._locks())
        log = self.log if self.log.is_file() else None
        mandatory = [finding for finding in outcome.findings if finding.mandatory]
        if mandatory:
            why = [line for finding in mandatory for line in finding.lines()]
            return Failure(
                f"policy refuses {self.stack_name}: {len(mandatory)} mandatory finding(s)",
                why,
                ["change the record as the finding says, then run the same command again"],
                log,
                exit_code=4,
            )
        why = outcome.errors or _words_of(error)
        return Failure(
            f"{act.replace('up', 'build') if act == 'up' else act} of {self.stack_name} failed",
            _readable(why),
            ["remove the cause, then run the same command again: what is done stays done"],
            log,
        )


def _words_of(error: Exception) -> list[str]:
    """Return what a failed command itself says: a signal, else its error lines, else its last lines."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    code = next((line.split(":", 1)[1].strip() for line in lines if line.strip().startswith("code:")), "")
    if code.startswith("-"):
        return [f"the engine was killed by signal {code[1:]}"]
    said = [line.strip() for line in lines if "error:" in line]
    return said or [f"the engine ended with exit code {code}", *lines[-5:]]


def _readable(errors: list[str]) -> list[str]:
    """Drop what the engine repeats for every failed operation once something more precise has been said."""
    noise = ("update failed", "preview failed", "resource registration failed", "deployment failed")
    said = [text for text in errors if not any(word in text.lower() for word in noise)]
    return said or errors


def pulumi_command(repository: Path) -> tuple[Any, dict[str, str]]:
    """Return the Automation API's pulumi command and the environment for it.

    Raises:
        Failure: no suitable pulumi is there.
    """
    from pulumi import automation

    from tools import pulumi_cli

    try:
        environment = pulumi_cli.environment(repository)
        folder = pulumi_cli.find()
        # The Automation API knows only ROOT/bin/pulumi, or what PATH finds first, which is what `find` looks at too.
        command = automation.PulumiCommand(root=str(folder.parent) if folder.name == "bin" else None)
    except (pulumi_cli.PulumiMissingError, OSError) as error:
        raise Failure("there is no usable pulumi", str(error), "run `make up`, which provides it") from None
    return command, environment
