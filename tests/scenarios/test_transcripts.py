"""Every flow has a transcript for each owner, and there is none of a flow that is no more."""

from pathlib import Path

from tests.scenarios.conftest import SCENARIOS
from tests.scenarios.owners import OWNERS


def test_every_transcript_is_of_a_flow() -> None:
    here = Path(__file__)
    flows = [
        file.stem.removeprefix("test_").replace("_", "-") for file in here.parent.glob("test_*.py") if file != here
    ]
    wanted = {f"{flow}.{owner.locale}.md" for flow in flows for owner in OWNERS}
    assert {file.name for file in SCENARIOS.iterdir()} == wanted
