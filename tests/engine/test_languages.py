"""Fields of an error's message that are words of ours come in the language of the message; everything else stays as it was given."""

from __future__ import annotations

import pytest

from engine import Engine
from engine.commands.environment import CommandEnvironment
from engine.errors import Conflict, DecisionNotFound, Said, english
from engine.store import reads
from tests.feel.test_languages import HAN
from tests.migration.support import deploy, sequence, start


def test_words_come_in_the_language_of_the_message() -> None:
    error = Conflict(reason=Said("批处理已经结束", "the batch is over"), key="甲")
    assert error.message("zh").endswith("批处理已经结束") and error.message("en").endswith("the batch is over")
    assert (english("甲"), english(Said("甲")), f"{Said('甲', 'a')}") == ("甲", "甲", "甲")


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_decision_that_is_not_deployed(engine: Engine) -> None:
    definition = deploy(engine, sequence("a"))
    key = start(engine)
    with engine.reading() as session:
        environment = CommandEnvironment(session, reads.instance_row(session, key), definition, "li")
        with pytest.raises(DecisionNotFound) as missing:
            environment.decide("none", "latest", None, {})
    assert not HAN.search(missing.value.message("en")) and "“none”" in missing.value.message("zh")
