"""Secrets: the order of the places, and every way a keyring is known to fail."""

import threading

import keyring
import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from sync import secrets

NAME = "hubspot.token"
VALUE = "pat-na1-12345678-abcd"


class Memory(KeyringBackend):
    """A keyring that works."""

    priority = 1

    def __init__(self):
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


class Broken(Memory):
    """A keyring that raises what it was given."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def get_password(self, service, username):
        raise self.error

    def set_password(self, service, username, password):
        raise self.error


@pytest.fixture(autouse=True)
def clean_places(monkeypatch):
    monkeypatch.delenv("FORETAG_HUBSPOT_TOKEN", raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def memory():
    backend = Memory()
    keyring.set_keyring(backend)
    return backend


@pytest.fixture
def credentials(monkeypatch, tmp_path):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    return tmp_path


def looked_in_vain():
    with pytest.raises(secrets.MissingSecret) as caught:
        secrets.find(NAME)
    return caught.value


def test_the_environment_comes_first_then_credentials_then_the_keyring(monkeypatch, credentials, memory):
    memory.kept["foretag", NAME] = "from-keyring"
    assert secrets.find(NAME) == secrets.Secret("from-keyring", "keyring")
    (credentials / NAME).write_text("from-credentials\n")
    assert secrets.find(NAME) == secrets.Secret("from-credentials", f"systemd credential {NAME}")
    monkeypatch.setenv("FORETAG_HUBSPOT_TOKEN", " from-env ")
    assert secrets.find(NAME) == secrets.Secret("from-env", "environment variable FORETAG_HUBSPOT_TOKEN")


def test_the_variable_of_a_named_account():
    assert secrets.variable("hubspot-shop-de.token") == "FORETAG_HUBSPOT_SHOP_DE_TOKEN"


def test_a_secret_never_shows_its_value():
    secret = secrets.Secret(VALUE, "keyring")
    assert VALUE not in f"{secret} {secret!r}"


def test_a_missing_secret_names_all_three_places_and_the_way_out():
    error = looked_in_vain()
    text = str(error)
    assert "FORETAG_HUBSPOT_TOKEN: not set" in text
    assert "CREDENTIALS_DIRECTORY is not set" in text
    assert "keyring: none on this machine" in text
    assert text.endswith("Store it: foretag secret set hubspot")
    assert error.exit_code == 1


def test_empty_places_are_told_from_absent_ones(monkeypatch, credentials, memory):
    monkeypatch.setenv("FORETAG_HUBSPOT_TOKEN", "  ")
    (credentials / NAME).write_text("\n")
    text = str(looked_in_vain())
    assert "set, but empty" in text
    assert f"{credentials / NAME} is empty" in text
    assert "keyring: has no such entry" in text


def test_a_credential_that_cannot_be_read_is_said(credentials):
    assert f"no file {credentials / NAME}" in str(looked_in_vain())
    (credentials / NAME).write_bytes(b"\xff\xfe")
    assert "cannot be read (UnicodeDecodeError)" in str(looked_in_vain())
    (credentials / NAME).unlink()
    (credentials / NAME).mkdir()
    assert "cannot be read (IsADirectoryError)" in str(looked_in_vain())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyringLocked("Failed to unlock the collection!"), "locked"),
        (EOFError(), "asks for a password"),
        (RuntimeError(f"secret detail {VALUE}"), "failed with RuntimeError"),
    ],
)
def test_a_failing_keyring_is_a_reason_not_a_traceback(error, said):
    keyring.set_keyring(Broken(error))
    text = str(looked_in_vain())
    assert said in text
    assert VALUE not in text
    with pytest.raises(secrets.NotStored, match=said):
        secrets.store(NAME, VALUE)


@pytest.mark.parametrize(
    ("backend", "said"),
    [("no.such.Backend", "not installed"), ("garbage", "failed with"), ("keyring.backends.fail.Nope", "failed with")],
)
def test_a_wrong_backend_in_the_environment(monkeypatch, backend, said):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    assert said in str(looked_in_vain())


def test_a_silent_keyring_is_given_up(monkeypatch):
    release = threading.Event()

    class Silent(Memory):
        def get_password(self, service, username):
            release.wait(60)

    monkeypatch.setattr(secrets, "KEYRING_SECONDS", 0.05)
    keyring.set_keyring(Silent())
    assert "no answer within 0.05 s" in str(looked_in_vain())
    release.set()


def test_a_plain_text_keyring_is_never_used(monkeypatch, memory):
    monkeypatch.setattr(Memory, "__module__", "keyrings.alt.file")
    memory.kept["foretag", NAME] = VALUE
    assert "unencrypted" in str(looked_in_vain())
    with pytest.raises(secrets.NotStored, match="unencrypted"):
        secrets.store(NAME, VALUE)


def test_storing_says_where_it_went(memory):
    assert secrets.store(NAME, VALUE) == "keyring (service foretag, user hubspot.token)"
    assert secrets.find(NAME).value == VALUE


def test_a_keyring_that_forgets_is_noticed():
    keyring.set_keyring(keyring.backends.null.Keyring())
    with pytest.raises(secrets.NotStored, match="did not keep the value"):
        secrets.store(NAME, VALUE)


def test_without_a_keyring_the_other_ways_are_shown():
    with pytest.raises(secrets.NotStored) as caught:
        secrets.store(NAME, VALUE)
    text = str(caught.value)
    assert "systemd-creds encrypt --name=hubspot.token - /etc/foretag/hubspot.token.cred" in text
    assert "LoadCredentialEncrypted=hubspot.token:/etc/foretag/hubspot.token.cred" in text
    assert "FORETAG_HUBSPOT_TOKEN" in text
    assert VALUE not in text
