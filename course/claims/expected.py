"""What a lesson expects a run to show, asserted in tests and said to a student whose run differs."""

import os

STRICT = "TLCOURSE_STRICT"  # set where the course itself is tested: a run that differs is then an error


def expect(holds: object, claim: str, measured: str) -> None:
    """Compare a run with what the lesson says; a student whose run differs reads so, and goes on.

    One run may differ from the average that a claim is about, and a student may have chosen other settings.

    Args:
        holds: whether the run shows it.
        claim: what the lesson says, as a sentence.
        measured: what this run measured, as a sentence.

    Raises:
        AssertionError: the run differs, and the environment has `TLCOURSE_STRICT`.
    """
    if holds:
        return
    said = f"Expected here: {claim} This run measured: {measured}"
    if os.environ.get(STRICT):
        raise AssertionError(said)
    print(f"{said} A single run, or other settings than the lesson's, can differ. Go on, and compare.")
