"""Stage 1 on one machine: MLflow, the artifact store, the prediction service and the portal as supervised processes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pulumi

from components._kit import contracts, placement
from components._kit.arguments import Checks, is_known
from components._kit.files import File
from components._kit.mlflow_access import MlflowAccess
from components._kit.placement import Placement
from components._kit.process import Process
from components._kit.secrets import Secret
from components.foundation.contract import IDENTITIES
from components.registry import contract

ADMIN = "admin"
"""MLflow's administrator: internal, used to make the five identities and never handed out."""
SERVER = Path(__file__).with_name("mlflow_server.py")
MLFLOW_SECONDS = 180.0
"""A start with an empty database needs some 20 CPU seconds."""
FOLDERS = ("mlflow", "artifacts", "artifacts/store", "champions", "predictions", "site")
DATABASE_URLS = ("postgresql://", "postgresql+psycopg://")


def _resolve(name: str, args: contract.LocalModelRegistryArgs) -> str:
    checks = Checks("LocalModelRegistry", name)
    model = checks.slug(args, "default_model")
    url = args.get("backend_store_url")
    if url is not None and is_known(url):
        known = isinstance(url, str) and url.startswith(DATABASE_URLS)
        # Its value may hold a password, so it is not repeated.
        checks.that(
            known,
            "backend_store_url",
            "a hidden value",
            f"a URL that starts with {' or '.join(DATABASE_URLS)}",
            "correct the secret",
        )
    checks.done()
    return model


class LocalModelRegistry(contract.ModelRegistry):
    """One MLflow with basic authentication and no rights by default; one prediction service; one portal."""

    def __init__(
        self, name: str, args: contract.LocalModelRegistryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Builds stage 1.

        Raises:
            pulumi.InputPropertiesError: if arguments are wrong; the message has every problem.
        """
        model = _resolve(name, args)
        super().__init__("strata:index:LocalModelRegistry", name, cast(dict[str, Any], _registered(args)), opts)
        self._name = name
        self._place = place = Placement(self, name, args["host"])
        folders = [place.directory(folder) for folder in FOLDERS]
        self.tracking_uri = place.url("mlflow")
        self.artifact_store_uri = place.path("artifacts/store").apply(lambda path: f"file://{path}")
        self.prediction_service = place.url("prediction")
        self.portal_uri = place.url("portal")
        platform = place.platform_file(
            "registry",
            {
                "tracking_uri": self.tracking_uri,
                "artifact_store_uri": self.artifact_store_uri,
                "prediction_service": self.prediction_service,
                "portal_uri": self.portal_uri,
                "default_model": model,
            },
        )
        self._tracking(args.get("backend_store_url"), model, platform, folders)
        serve = place.mlstep(place.python, "serve", "--role", "champion", process="prediction")
        place.process("prediction", serve, health="/ready", reads=platform, depends_on=folders)
        portal = place.mlstep(place.python, "portal", process="portal")
        place.process("portal", portal, health="/healthz", reads=platform, depends_on=folders)
        self.image_registry = pulumi.Output.from_input(cast(str | None, None))
        self.ci_identity = pulumi.Output.from_input(cast(str | None, None))
        self.platform_file = platform.path
        self.unavailable = pulumi.Output.from_input(
            dict.fromkeys(("image_registry", "ci_identity"), placement.UNAVAILABLE)
        )
        self.register_outputs(contracts.outputs(self, contract.ModelRegistry))

    def _tracking(
        self, database: pulumi.Input[str] | None, model: str, platform: File, folders: Sequence[pulumi.Resource]
    ) -> None:
        """MLflow with its administrator, then its users."""
        place = self._place
        admin = Secret(f"{self._name}-mlflow-admin", path=place.path("secrets/mlflow-admin"), opts=place.options())
        flask = Secret(f"{self._name}-mlflow-flask", path=place.path("secrets/mlflow-flask"), opts=place.options())
        auth = File(
            f"{self._name}-mlflow-auth",
            path=place.path("mlflow/auth.ini"),
            content=pulumi.Output.all(place.root, admin.value).apply(lambda found: auth_ini(*found)),
            secret=True,
            opts=place.options(folders),
        )
        url = database if database is not None else place.root.apply(lambda root: f"sqlite:///{root}/mlflow/mlflow.db")
        server = self._server(url, auth, flask, platform, folders)
        MlflowAccess(
            f"{self._name}-mlflow-access",
            tracking_uri=self.tracking_uri,
            admin_user=ADMIN,
            admin_password_file=admin.path,
            token_files={identity: place.path(f"secrets/{identity}.token") for identity in IDENTITIES},
            # The champion's model belongs to `promote` alone; candidates belong to `pipeline`.
            models={model: "promote", f"{model}-candidate": "pipeline"},
            opts=place.options([server]),
        )

    def _server(
        self, url: pulumi.Input[str], auth: File, flask: Secret, platform: File, folders: Sequence[pulumi.Resource]
    ) -> Process:
        place = self._place
        port = place.port("mlflow")
        hosts = port.apply(lambda number: f"127.0.0.1:{number},localhost:{number}")
        command: list[pulumi.Input[str]] = [place.python, str(SERVER), "server", "--app-name", "basic-auth"]
        command += ["--host", "127.0.0.1", "--port", port.apply(str), "--workers", "1", "--allowed-hosts", hosts]
        command += ["--artifacts-destination", place.path("artifacts"), "--serve-artifacts"]
        return place.process(
            "mlflow",
            command,
            health="/health",
            reads=platform,
            depends_on=[auth, *folders],
            health_timeout_seconds=MLFLOW_SECONDS,
            env={
                "MLFLOW_AUTH_CONFIG_PATH": auth.path,
                # By environment too: part of MLflow reads it while it is imported, before it reads its arguments.
                "MLFLOW_SERVER_ALLOWED_HOSTS": hosts,
            },
            secret_env={
                # Not an argument: a database URL holds a password, and others see arguments in `ps`.
                "MLFLOW_BACKEND_STORE_URI": url,
                "MLFLOW_FLASK_SERVER_SECRET_KEY": flask.value,
            },
        )


def auth_ini(root: str, password: str) -> str:
    """Configuration of MLflow's basic authentication.

    The cache spares a slow password check per request; with one worker a changed password counts at once all the same.
    """
    return (
        "[mlflow]\n"
        "default_permission = NO_PERMISSIONS\n"
        f"database_uri = sqlite:///{root}/mlflow/auth.db\n"
        f"admin_username = {ADMIN}\n"
        f"admin_password = {password}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
        "auth_cache_ttl_seconds = 60\n"
    )


def _registered(args: contract.LocalModelRegistryArgs) -> Mapping[str, Any]:
    """Arguments as policies see them: a database URL is a secret whatever the caller made of it."""
    url = args.get("backend_store_url")
    return {**args} if url is None else {**args, "backend_store_url": pulumi.Output.secret(url)}
