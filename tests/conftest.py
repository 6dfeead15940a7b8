"""Homes for the tests: every home folder has its own server, which ends with the test."""

import os
import tempfile

# The official client reads its configuration when it is imported; nothing of this machine may get in.
KEPT = {"POLYAXON_PROGRAM", "POLYAXON_TEST_POSTGRES"}
for name in [name for name in os.environ if name.startswith("POLYAXON_") and name not in KEPT]:
    del os.environ[name]
os.environ["HOME"] = os.environ["POLYAXON_HOME"] = tempfile.mkdtemp(prefix="polyaxon-tests-")
os.environ["POLYAXON_INTERVALS_COMPATIBILITY_CHECK"] = "-1"
os.environ["POLYAXON_DISABLE_ERRORS_REPORTING"] = "true"

import pytest  # noqa: E402
from postgres import SERVER, Database  # noqa: E402
from support import Home  # noqa: E402


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def make_home(request, tmp_path_factory):
    """Makes homes whose records live in one kind of database; each has a database of its own."""
    if request.param == "postgres" and not SERVER:
        pytest.skip("POLYAXON_TEST_POSTGRES names no server")
    made = []

    def make():
        database = Database() if request.param == "postgres" else None
        made.append(Home(tmp_path_factory.mktemp(request.param), database))
        return made[-1]

    yield make
    for home in made:
        home.close()


@pytest.fixture(scope="module")
def each_home(make_home):
    """A home folder with a running server for all tests of one file, once for each kind of database."""
    home = make_home()
    home.polyaxon("server", "start")
    return home


@pytest.fixture
def home(tmp_path):
    """An empty home folder."""
    home = Home(tmp_path)
    yield home
    home.close()


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory):
    """A home folder with a running server for all tests of one file."""
    home = Home(tmp_path_factory.mktemp("shared"))
    home.polyaxon("server", "start")
    yield home
    home.close()
