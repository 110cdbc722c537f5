"""MLflow's users as a resource: the five identities exist, with their tokens, and may do no more than they should.

Passwords and tokens come as files, not as values: so no copy of them is in this resource's state.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pulumi
from pulumi import dynamic

from components._kit import provider

DECLARED = ("tracking_uri", "admin_user", "admin_password_file", "token_files", "models")
READERS = "strata-readers"
"""Role of every identity: may read all experiments and models. Whoever creates one manages it, by MLflow's own rule."""
READABLE = ("experiment", "registered_model")
# A server that runs no workspaces keeps everything in this one.
WORKSPACE = "default"
TIMEOUT_SECONDS = 60.0


class RefusedError(RuntimeError):
    """MLflow did not do what was asked; the message has its answer and never a token."""


class Server:
    """The part of MLflow's REST interface that administers users."""

    def __init__(self, uri: str, user: str, password: str) -> None:
        """Speaks as one user; nothing is sent yet."""
        self._client = httpx.Client(base_url=uri, auth=(user, password), timeout=TIMEOUT_SECONDS, trust_env=False)
        self._user = user

    def ask(self, method: str, path: str, *, absent: int | None = None, **content: Any) -> dict[str, Any] | None:
        """Sends a request; gives None where MLflow answers with the status `absent`.

        Raises:
            RefusedError: on every other answer than success.
        """
        given = {"params": content} if method == "GET" else {"json": content}
        try:
            answer = self._client.request(method, f"/api/{path}", **given)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            raise RefusedError(f"MLflow does not answer to {method} {path}: {error}") from None
        if answer.status_code == absent:
            return None
        if answer.is_success:
            found: dict[str, Any] = answer.json()
            return found
        hint = ""
        if answer.status_code == 401:
            hint = "; the password in its database is another one: its secrets folder was removed but its data kept"
        raise RefusedError(
            f"MLflow refused {method} {path} by {self._user!r} ({answer.status_code}: {answer.text[:200]}){hint}"
        )

    def accepted(self) -> bool:
        """Whether MLflow knows this user with this password."""
        try:
            answer = self._client.get("/api/2.0/mlflow/users/current")
        except httpx.HTTPError:
            return False
        return answer.status_code == 200


class MlflowAccessProvider(provider.LocalProvider):
    """Makes users, their right to read, and the models whose owner must not be chosen by whoever comes first."""

    declared = DECLARED
    replacing = ("tracking_uri",)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Makes what is missing and repairs what differs."""
        _converge(props)
        return dynamic.CreateResult(f"{props['tracking_uri']}/users", provider.outs(props, DECLARED))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """The same as create; a user who is no longer declared is removed."""
        admin = _admin(_news)
        for user in sorted(set(_olds["token_files"]) - set(_news["token_files"])):
            admin.ask("DELETE", "2.0/mlflow/users/delete", absent=404, username=user)
        _converge(_news)
        return dynamic.UpdateResult(provider.outs(_news, DECLARED))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Leaves the users: they belong to the data, which stays, and without a server nobody can use them."""

    def as_declared(self, _olds: dict[str, Any], news: dict[str, Any]) -> bool:
        """Whether each user is let in, may read, and each model is there."""
        try:
            accepted = all(
                Server(news["tracking_uri"], user, token).accepted() for user, token in _tokens(news).items()
            )
            admin = _admin(news)
            models = all(_model(admin, name) is not None for name in news["models"])
            return accepted and models and set(news["token_files"]) <= _readers(admin)
        except (RefusedError, OSError):
            return False  # the server is not there, or a token file is gone: an update finds out which, and says so


def _admin(props: dict[str, Any]) -> Server:
    return Server(props["tracking_uri"], props["admin_user"], _read(props["admin_password_file"]))


def _tokens(props: dict[str, Any]) -> dict[str, str]:
    return {user: _read(path) for user, path in sorted(props["token_files"].items())}


def _read(path: str) -> str:
    return Path(path).read_text(encoding="ascii").strip()


def _converge(props: dict[str, Any]) -> None:
    admin = _admin(props)
    tokens = _tokens(props)
    for user, token in tokens.items():
        if admin.ask("GET", "2.0/mlflow/users/get", absent=404, username=user) is None:
            admin.ask("POST", "2.0/mlflow/users/create", username=user, password=token)
        elif not Server(props["tracking_uri"], user, token).accepted():
            admin.ask("PATCH", "2.0/mlflow/users/update-password", username=user, password=token)
    role = _role(admin) or _new_role(admin)
    missing = set(tokens) - _readers(admin)
    for user in sorted(missing):
        admin.ask("POST", "3.0/mlflow/roles/assign", username=user, role_id=role)
    for model, owner in sorted(props["models"].items()):
        if _model(admin, model) is None:
            # Made by its owner: MLflow lets any user create a model, and whoever does may manage it.
            Server(props["tracking_uri"], owner, tokens[owner]).ask(
                "POST", "2.0/mlflow/registered-models/create", name=model
            )


def _role(admin: Server) -> int | None:
    answer = admin.ask("GET", "3.0/mlflow/roles/list", workspace=WORKSPACE)
    roles = answer["roles"] if answer else []
    return next((int(role["id"]) for role in roles if role["name"] == READERS), None)


def _new_role(admin: Server) -> int:
    made = admin.ask("POST", "3.0/mlflow/roles/create", name=READERS, workspace=WORKSPACE)
    assert made is not None  # only an absent status gives None
    role = int(made["role"]["id"])
    for kind in READABLE:
        admin.ask(
            "POST",
            "3.0/mlflow/roles/permissions/add",
            role_id=role,
            resource_type=kind,
            resource_pattern="*",
            permission="READ",
        )
    return role


def _readers(admin: Server) -> set[str]:
    """Users who have the role."""
    answer = admin.ask("GET", "2.0/mlflow/users/list")
    users = answer["users"] if answer else []
    return {user["username"] for user in users if any(role["name"] == READERS for role in user["roles"])}


def _model(admin: Server, name: str) -> dict[str, Any] | None:
    return admin.ask("GET", "2.0/mlflow/registered-models/get", absent=404, name=name)


class MlflowAccess(dynamic.Resource, module="local", name="MlflowAccess"):
    """The users of one MLflow server."""

    tracking_uri: pulumi.Output[str]
    """The server."""

    def __init__(
        self,
        name: str,
        *,
        tracking_uri: pulumi.Input[str],
        admin_user: str,
        admin_password_file: pulumi.Input[str],
        token_files: Mapping[str, pulumi.Input[str]],
        models: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declares the users.

        Args:
            name: Pulumi name.
            tracking_uri: The server; forces replacement.
            admin_user: Who administers it.
            admin_password_file: File with the administrator's password.
            token_files: File with the token, per user.
            models: Owner per registered model that must exist.
            opts: Resource options.
        """
        props = {
            "tracking_uri": tracking_uri,
            "admin_user": admin_user,
            "admin_password_file": admin_password_file,
            "token_files": dict(token_files),
            "models": dict(models),
        }
        super().__init__(MlflowAccessProvider(), name, props, opts)
