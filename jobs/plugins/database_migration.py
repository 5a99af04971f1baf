"""``database-migration``: bring a database to the schema of this commit, by the tool that the project uses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jobs.pipeline.result import Ended
from jobs.plugins.interface import Inputs, Place, failed, missing_tool, passed
from jobs.plugins.scan import folder

_NOT_FOUND = 127  # a shell's word for it

Tool = Literal["alembic", "dbmate", "flyway", "liquibase", "migrate"]


class DatabaseMigrationInputs(Inputs):
    tool: Tool = Field(description="alembic, dbmate, flyway, liquibase or golang-migrate (migrate)")
    url: str = Field(description="name of the step's secret with the database's address")
    path: str = Field(".", description="the folder with the migrations (alembic: with alembic.ini)")
    check: bool = Field(False, description="only say what would be done; nothing is changed")


class DatabaseMigration:
    name = "database-migration"
    version = "1.0.0"
    description = "Schema migrations by alembic, dbmate, flyway, liquibase or golang-migrate."
    inputs = DatabaseMigrationInputs

    def run(self, inputs: DatabaseMigrationInputs, at: Place) -> Ended:
        url, path = at.secret(inputs.url), folder(at, inputs.path)
        # Where a tool can take the address from its environment it does: argument lists can be read by others.
        env = {"DATABASE_URL": url}
        if inputs.tool == "alembic":
            script = 'cd "$1" && shift && exec alembic "$@"'
            command = ["check"] if inputs.check else ["upgrade", "head"]
            done = at.tool("sh", "-c", script, "ghapp", path, *command, env=env)
        elif inputs.tool == "dbmate":
            command = ["status", "--exit-code"] if inputs.check else ["--wait", "up"]
            done = at.tool("dbmate", f"--migrations-dir={path}", "--no-dump-schema", *command, env=env)
        elif inputs.tool == "flyway":
            env = {"FLYWAY_URL": url, "FLYWAY_LOCATIONS": f"filesystem:{path}"}
            done = at.tool("flyway", "info" if inputs.check else "migrate", env=env)
        elif inputs.tool == "liquibase":
            env = {"LIQUIBASE_COMMAND_URL": url, "LIQUIBASE_SEARCH_PATH": path}
            done = at.tool("liquibase", "status" if inputs.check else "update", env=env)
        else:
            script = 'exec migrate -source "file://$1" -database "$DATABASE_URL" "$2"'
            done = at.tool("sh", "-c", script, "ghapp", path, "version" if inputs.check else "up", env=env)
        if done.status == _NOT_FOUND:
            raise missing_tool(inputs.tool)
        if done.status:
            return failed(f"{inputs.tool} ended with exit status {done.status}", exit_code=done.status)
        return passed()


plugin = DatabaseMigration()
