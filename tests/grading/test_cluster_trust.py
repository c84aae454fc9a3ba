"""Who may take part in a cluster, and what is believed of what its workers return."""

import dataclasses
import math
import ssl
import stat

import pytest
from classroom import RIGHT
from click.testing import CliRunner
from dask_cluster import Cluster
from ledger import ledger
from notebooks import hand_in, released
from quick import RIGHT as QUICK
from test_batch import ISOLATION, jobs, points

from graders.autograde.batch.certificates import INSECURE, cluster_security, make_certificates
from graders.autograde.batch.cluster import grade_on, remote_cluster
from graders.autograde.batch.verified import verified
from graders.autograde.records import CheckOutcome, Evidence, GradingError, Limits
from graders.cli import main

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder, 2)
    return folder


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "127.0.0.1:8786", "tls://127.0.0.1:8786"])
def test_a_scheduler_without_tls_and_certificates_is_refused_with_what_to_do(address, certificates, tmp_path):
    known = None if address.startswith("tls") else certificates
    with pytest.raises(GradingError, match="without TLS is refused: .*cluster-certs.*--insecure-cluster"):
        cluster_security(address, known, insecure=False)
    assert cluster_security(address, known, insecure=True) is None
    with pytest.raises(GradingError, match="ca.pem is missing or cannot be read. Expected the files"):
        cluster_security("tls://127.0.0.1:8786", tmp_path, insecure=False)


def test_the_command_makes_files_for_each_role_once_and_says_how_they_are_used(tmp_path):
    folder = tmp_path / "certs"
    made = CliRunner().invoke(main, ["cluster-certs", str(folder)])
    assert made.exit_code == 0 and "dask worker tls://HOST:8786" in made.output
    names = {path.name for path in folder.iterdir()}
    assert names == {"ca.pem", "grader.pem", "scheduler.pem", "worker.pem"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    before = {path: path.read_bytes() for path in folder.iterdir()}
    again = CliRunner().invoke(main, ["cluster-certs", str(folder)])
    assert again.exit_code == 1 and "nothing was changed" in again.output
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    """Connect the two, in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_side=False),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(10):
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                continue
    assert not ends


def test_only_who_has_a_certificate_of_the_same_authority_is_let_in(certificates, tmp_path):
    from distributed import Security

    def context(folder, role: str, kind: str) -> ssl.SSLContext:
        own = str(folder / f"{role}.pem")
        options = {f"tls_{kind}_cert": own, f"tls_{kind}_key": own, "tls_ca_file": str(folder / "ca.pem")}
        security = Security(require_encryption=True, **options)
        if kind == "scheduler":
            return security.get_listen_args(kind)["ssl_context"]
        return security.get_connection_args(kind)["ssl_context"]

    server = context(certificates, "scheduler", "scheduler")
    for role, kind in (("worker", "worker"), ("grader", "client")):
        handshake(server, context(certificates, role, kind))
    make_certificates(tmp_path / "others", 2)
    nobody = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    nobody.check_hostname = False
    for stranger in (context(tmp_path / "others", "worker", "worker"), nobody):
        with pytest.raises(ssl.SSLError):
            handshake(server, stranger)


def test_a_cluster_with_certificates_grades_and_an_open_one_is_marked(tmp_path, certificates):
    with Cluster(tmp_path / "dask", certificates=certificates) as dask:
        assert dask.address.startswith("tls://")
        dask.worker(nanny=False)
        with pytest.raises(GradingError, match="No Dask scheduler answers"), remote_cluster(dask.address):
            pass
        security = cluster_security(dask.address, certificates, insecure=False)
        with remote_cluster(dask.address, security) as client:
            (done,) = grade_on(client, jobs(1), Limits(), ISOLATION)
            (marked,) = grade_on(client, jobs(1), Limits(), ISOLATION, mark=INSECURE)
    assert points([done]) == points([marked])
    assert [one.audit_notes for one in (*done.evidence, *marked.evidence)] == [(), (INSECURE,)]


def test_a_mark_is_in_the_audit_and_not_in_what_the_student_gets(room, here, grade):
    room.hand_in("ada", QUICK)

    def on_an_open_cluster(jobs):
        for one in here(jobs):
            evidence = tuple(dataclasses.replace(each, audit_notes=(INSECURE,)) for each in one.evidence)
            yield dataclasses.replace(one, evidence=evidence)

    tally = grade(on_an_open_cluster)
    assert INSECURE in tally.summary["students"][0]["remarks"] and tally.attention == []
    assert "TLS" not in "".join(cell.source for cell in room.autograded("ada").cells)
    assert len(ledger(room.address)["audit"]) == 1


SUBMISSION = hand_in(released(RIGHT)).submission
CHECKS = tuple(
    CheckOutcome(cell.grade_id, cell.points, cell.points, True, 3)
    for cell in SUBMISSION.cells
    if cell.kind == "test"
)
TRUE = Evidence("graded", "", CHECKS, wall_s=0.1, cpu_s=0.1, isolation="namespaces")


def first(**changes) -> Evidence:
    """The evidence, with its first check changed."""
    return dataclasses.replace(TRUE, checks=(dataclasses.replace(CHECKS[0], **changes), *CHECKS[1:]))


IMPOSSIBLE = {
    "nothing": None,
    "text": "5 of 5",
    "a status of its own": dataclasses.replace(TRUE, status="excellent"),
    "more points than there are": first(points=100.0),
    "more points and a higher best": first(points=100.0, best=100.0),
    "points below zero": first(points=-1.0),
    "points that are no number": first(points=math.nan),
    "points without a comparison": first(assertions=0),
    "points of a check that did not end": first(completed=False),
    "an unknown trust": first(trust="blind"),
    "another check": first(grade_id="check-easy"),
    "a check twice": dataclasses.replace(TRUE, checks=(*CHECKS, CHECKS[0])),
    "a check less": dataclasses.replace(TRUE, checks=CHECKS[1:]),
    "a message that is no text": first(message=7),
    "text without end": dataclasses.replace(TRUE, output="x" * (2 << 20)),
    "an hour less than nothing": dataclasses.replace(TRUE, wall_s=-3600.0),
    "no isolation": dataclasses.replace(TRUE, isolation="none"),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_evidence_that_cannot_be_true_is_a_failure_of_the_grader_and_never_a_grade(what):
    (found,) = verified((SUBMISSION,), (IMPOSSIBLE[what],), "namespaces")
    assert found.status == "grader-failed" and "A worker of the cluster returned" in found.reason
    assert sum(check.points for check in found.checks) == 0


def test_evidence_that_can_be_true_is_taken_as_it_is():
    assert verified((SUBMISSION,), (TRUE,), "namespaces") == (TRUE,)
    (found,) = verified((SUBMISSION,), (TRUE, TRUE), "namespaces")
    assert found.status == "grader-failed"
