"""docker-compose.yml and Dockerfile say only what the product knows. No container engine is needed."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from contact_center.cli import VERBS, load
from contact_center.core.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OURS = ("migrate", "web", "worker")


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = COMPOSE["services"][name]
    return found


@pytest.mark.parametrize("name", OURS)
def test_each_command_is_a_real_verb_with_real_options(name: str) -> None:
    program, verb, *options = shlex.split(service(name)["command"])
    assert program == "contact-center"
    assert verb in VERBS
    known = {option for parameter in load(verb).params for option in parameter.opts}
    assert {option for option in options if option.startswith("--")} <= known


@pytest.mark.parametrize("name", OURS)
def test_each_variable_is_a_real_setting(name: str) -> None:
    variables = set(service(name)["environment"]) | set(re.findall(rf"({PREFIX}\w+)=", DOCKERFILE))
    known = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    assert {variable.removesuffix("_FILE") for variable in variables} <= known


@pytest.mark.parametrize("name", [name for name in COMPOSE["services"] if name != "migrate"])
def test_everything_that_runs_on_has_a_health_check(name: str) -> None:
    own = service(name).get("healthcheck", {})
    image_has_one = "HEALTHCHECK" in DOCKERFILE and name == "web"
    assert own.get("test") or image_has_one


def test_the_one_shot_migration_runs_before_the_others() -> None:
    assert service("migrate")["restart"] == "no"
    for name in ("web", "worker"):
        assert service(name)["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_the_image_does_not_run_as_root() -> None:
    users = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)
    assert users
    assert users[-1] not in ("root", "0")


def test_data_lie_on_named_volumes() -> None:
    used = {volume.split(":")[0] for name in COMPOSE["services"] for volume in service(name).get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_the_services_are_those_that_production_needs() -> None:
    assert set(COMPOSE["services"]) == {"migrate", "web", "worker", "postgres", "redis", "mail"}
