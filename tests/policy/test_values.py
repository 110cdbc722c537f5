"""Unknown and secret values, and the spellings of targets."""

import pytest

from policies import normalise
from policies.messages import redact
from policies.values import Properties, UnknownValueError
from tests.policy.cases import SECRET, SIGNATURE, UNKNOWN


def _secret(value: object) -> dict[str, object]:
    return {SIGNATURE: SECRET, "value": value}


def test_unknown_is_raised_wherever_it_is() -> None:
    """Asking for a value that is not known, lies below one, or holds one, raises with the path."""
    properties = Properties.of({"a": UNKNOWN, "b": {"c": [1, UNKNOWN]}})
    for path, named in (("a", "a"), ("a.x", "a"), ("b", "b.c[1]"), ("b.c", "b.c[1]"), ("b.c.1", "b.c.1")):
        with pytest.raises(UnknownValueError) as raised:
            properties.get(path)
        assert raised.value.path == named
    assert properties.get("b.c.0") == 1


def test_unknown_is_there_and_can_be_counted() -> None:
    """Presence and number of entries are known even where values are not; a size of something unknown is not."""
    properties = Properties.of({"a": UNKNOWN, "b": [UNKNOWN, 1], "d": {"x": UNKNOWN}})
    assert properties.has("a")
    assert properties.has("a.anything")
    assert properties.size("b") == 2
    assert properties.keys("d") == ("x",)
    for ask in (properties.size, properties.keys):
        with pytest.raises(UnknownValueError):
            ask("a")


def test_absent_is_none() -> None:
    """Nothing there, null, and a path through a plain value are all None, without an error."""
    properties = Properties.of({"a": None, "b": "text", "l": [1]})
    assert [properties.get(path) for path in ("a", "b.c", "z", "l.5", "l.x")] == [None] * 5
    assert properties.text("l") == ""


def test_plain_lists_and_mappings_compare() -> None:
    """A rule gets plain lists and mappings, so that `==`, `in` and `isinstance` do what they say."""
    properties = Properties.of({"a": {"b": ["x"]}})
    assert properties.get("a") == {"b": ["x"]}
    assert isinstance(properties.get("a.b"), list)
    assert "x" in properties.get("a.b")


def test_secrets_are_read_but_known_as_secret() -> None:
    """Values inside a secret are readable, marked secret, and listed for redaction; no representation shows them."""
    properties = Properties.of({"env": _secret({"KEY": "hunter2hunter2"}), "open": "x"})
    assert properties.get("env.KEY") == "hunter2hunter2"
    assert {leaf.path: leaf.secret for leaf in properties.leaves()} == {"env.KEY": True, "open": False}
    assert properties.secrets() == {"hunter2hunter2"}
    assert "hunter2" not in repr(properties) + repr(list(properties.leaves()))


@pytest.mark.parametrize("content", [{"ciphertext": "v1:abc"}, {"value": "[secret]"}, {"plaintext": '"[secret]"'}])
def test_encrypted_secret_may_not_be_read(content: dict[str, str]) -> None:
    """A secret that an exported state holds encrypted is undetermined, not equal to its own cipher text."""
    properties = Properties.of({"a": {SIGNATURE: SECRET, **content}})
    with pytest.raises(UnknownValueError, match="is encrypted"):
        properties.get("a")
    assert properties.has("a")


def test_decrypted_state() -> None:
    """A state exported with its secrets holds JSON text in place of the value."""
    properties = Properties.of({"a": {SIGNATURE: SECRET, "plaintext": '{"b": "value"}'}})
    assert properties.get("a.b") == "value"
    assert properties.secrets() == {"value"}


def test_other_special_objects_do_no_harm() -> None:
    """Assets and references to resources are mappings without their mark."""
    properties = Properties.of({"a": {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "path": "x"}})
    assert properties.get("a") == {"path": "x"}


def test_redaction() -> None:
    """Plain and escaped spellings of a secret go; fragments too short to be secrets stay readable."""
    assert redact("is 'a\\nbcd' or a\nbcd, 183 days", {"a\nbcd", "1", "true"}) == "is '[secret]' or [secret], 183 days"


@pytest.mark.parametrize(
    ("token", "kind", "target"),
    [
        ("strata:index:LocalGovernance", "governance", "local"),
        ("strata:index:AzureModelRegistry", "registry", "azure"),
        ("strata:index:KubernetesPipelines", "pipelines", "kubernetes"),
        ("strata:index:GcpFeatureStore", "feature_store", "gcp"),
        ("strata:index:LocalSomethingElse", "strata:index:LocalSomethingElse", None),
        ("pulumi-python:dynamic/local:Process", "local:Process", None),
        ("azure-native:storage/v20240101:StorageAccount", "azure-native:storage:StorageAccount", None),
        ("azure-native_storage_v20240101:storage:StorageAccount", "azure-native:storage:StorageAccount", None),
        ("azure-native:storage:StorageAccount", "azure-native:storage:StorageAccount", None),
        ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:Deployment", None),
    ],
)
def test_tokens(token: str, kind: str, target: str | None) -> None:
    """Every spelling of a type has one name."""
    assert (normalise.kind(token), normalise.target(token)) == (kind, target)


def test_keys() -> None:
    """A property is found by its snake_case name in every spelling; two spellings at once are ambiguous."""
    assert normalise.find_key(["riskClass"], "risk_class") == "riskClass"
    assert normalise.find_key(["risk-class"], "risk_class") == "risk-class"
    assert normalise.find_key(["use_case", "useCase"], "use_case") == "use_case"
    assert normalise.find_key(["useCase", "use-case"], "use_case") is None
    assert normalise.snake("disableLocalAuth") == "disable_local_auth"
    assert normalise.snake("MLFLOWTrackingURI") == "mlflow_tracking_uri"


@pytest.mark.parametrize(("stack", "environment"), [("credit-dev", "dev"), ("a-b-prod", "prod"), ("credit", None)])
def test_environment_of_a_stack(stack: str, environment: str | None) -> None:
    """The environment is the last part of the stack's name."""
    assert normalise.environment_of(stack) == environment
    urn = f"urn:pulumi:{stack}::strata::strata:index:A$local:B::a::b"
    assert normalise.stack_of(urn) == stack
    assert normalise.name_of(urn) == "a::b"
