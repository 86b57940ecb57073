"""The command ``jobs``: list and stop work in the background."""

from pathlib import Path

import click

from sneaker_core.commands.common import Commands, json_option, print_result
from sneaker_core.errors import SneakerError
from sneaker_core.workspace.jobs import stop_job
from sneaker_core.workspace.jobs_in_use import job_id, living_jobs


@click.group(cls=Commands)
def jobs() -> None:
    """Work in the background: list, stop."""


@jobs.command("list")
@json_option
@click.pass_obj
def list_(workspace: Path, as_json: bool) -> None:
    """List the jobs that are running or in the queue, with their ids."""
    rows = [
        {"id": job_id(workspace, job), "title": job.title, "kind": job.kind, "state": job.state.value}
        for job in living_jobs(workspace)
    ]
    print_result(
        rows, as_json, lambda: "\n".join(f"{row['id']}  {row['state']}: {row['title']}" for row in rows) or "No jobs."
    )


@jobs.command()
@click.argument("job", metavar="ID")
@json_option
@click.pass_obj
def stop(workspace: Path, job: str, as_json: bool) -> None:
    """Ask a job to stop; it ends as soon as it safely can. ID is as listed."""
    found = {job_id(workspace, one): one for one in living_jobs(workspace)}
    if job not in found:
        listed = ", ".join(found) or "none"
        raise SneakerError(f"No job {job[:200]!r} is running. Running jobs: {listed}.")
    stop_job(found[job].folder)
    print_result({"id": job, "title": found[job].title}, as_json, lambda: f"Stopping “{found[job].title}”.")
