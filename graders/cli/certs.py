"""`tlcourse cluster-certs`: certificates for a Dask cluster that grades."""

from __future__ import annotations

from pathlib import Path

import click

from .extras import need


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long they are valid."
)
def cluster_certs(folder: Path, days: int) -> None:
    """Make certificates with which only your own scheduler and workers take part in grading.

    They go to FOLDER: ca.pem, and grader.pem, scheduler.pem and worker.pem, each a certificate with its key.
    Whoever has one of the last three can run programs on the cluster: keep them as you keep a password.
    """
    need("cryptography", "cluster", "tlcourse cluster-certs")
    from graders.autograde.batch.certificates import make_certificates

    try:
        made = make_certificates(folder, days)
    except FileExistsError as error:
        raise click.ClickException(
            f"{error}, and nothing was changed. Name a new folder, or remove the old files: certificates of "
            "two authorities do not go together."
        ) from error
    except OSError as error:
        raise click.ClickException(
            f"{folder} cannot be written to ({error.strerror}). Name a folder of your own."
        ) from error
    for path in made:
        click.echo(path)
    tls = "--tls-ca-file {0}/ca.pem --tls-cert {0}/{1}.pem --tls-key {0}/{1}.pem"
    click.echo(
        f"""
On the scheduler's machine:  dask scheduler --protocol tls {tls.format(folder, "scheduler")}
On each worker's machine:    dask worker tls://HOST:8786 --nthreads 1 {tls.format(folder, "worker")}
Here:                        tlcourse grade ASSIGNMENT --scheduler tls://HOST:8786 --certs {folder}""",
        err=True,
    )
