"""Databases for tests in the PostgreSQL server that POLYAXON_TEST_POSTGRES names."""

import glob
import os
import shutil
import subprocess
import uuid

SERVER = os.environ.get("POLYAXON_TEST_POSTGRES")
PSQL = shutil.which("psql") or next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin/psql"), reverse=True)), "psql")


def sql(statement, address=SERVER):
    result = subprocess.run([PSQL, address, "-XAtqc", statement], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


class Database:
    """A new, empty database."""

    def __init__(self):
        self.name = f"test_{uuid.uuid4().hex}"
        sql(f"CREATE DATABASE {self.name} TEMPLATE template0 ENCODING 'UTF8'")
        self.url = SERVER.rsplit("/", 1)[0] + "/" + self.name

    def end_connections(self):
        sql(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{self.name}'")

    def allow_connections(self, allowed):
        sql(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS {allowed}")

    def drop(self):
        sql(f"DROP DATABASE {self.name} WITH (FORCE)")
