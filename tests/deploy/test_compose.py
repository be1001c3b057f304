"""`docker-compose.yml` without Docker: its schema, and that every word in it exists."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from typer.testing import CliRunner

from pacc.cli import app
from pacc.process.settings import load_settings

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services, with anchors resolved."""
    by_name: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))["services"]
    return by_name


def test_it_is_a_compose_file_of_the_specification() -> None:
    whole = yaml.safe_dump(yaml.safe_load(FILE.read_text("utf-8")))  # anchors resolved
    names = PyCompose.from_yaml(whole).service_names()
    assert {"kafka", "postgres", "migrate", "run", "scout", "serve", "tend"} <= set(names)
    with pytest.raises(ValueError, match="helthcheck"):
        PyCompose.from_yaml("services: {a: {image: b, helthcheck: {}}}")


def test_every_command_in_it_exists_with_its_options(services: dict[str, Any]) -> None:
    ours = {
        name: service for name, service in services.items() if service["image"].startswith("pacc:")
    }
    assert len(ours) == 6
    for service in ours.values():
        name, *options = service["command"]
        shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"})
        assert shown.exit_code == 0, name
        for option in options:
            if option.startswith("--"):
                assert option in re.sub(r"\x1b\[[0-9;]*m", "", shown.stdout)


def test_every_setting_in_it_exists_and_is_valid(services: dict[str, Any]) -> None:
    for service in services.values():
        settings = {
            name: re.sub(r"\$\{\w+:-(\w+)}", r"\1", str(value))
            for name, value in service.get("environment", {}).items()
            if name.startswith("PACC_")
        }
        load_settings(settings)


def test_images_are_pinned_and_nobody_is_root(services: dict[str, Any]) -> None:
    for name, service in services.items():
        tag = service["image"].rpartition(":")[2]
        assert re.match(r"v?\d+\.\d+", tag), name
        assert service.get("user") not in ("root", "0"), name
        assert "user" in service or "build" in service, name
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
    assert re.findall(r"^USER (\d+)$", dockerfile, re.MULTILINE) == ["10001"]
    for base in re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE):
        assert re.search(r":\d+\.\d+\.\d+", base)
    for folder in re.findall(r"^COPY (\w+) \w+$", dockerfile, re.MULTILINE):
        assert (ROOT / folder).is_dir()


def test_what_stays_up_is_watched_and_what_waits_names_what_for(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if service.get("restart") == "unless-stopped":
            assert "healthcheck" in service, name
        for other, how in service.get("depends_on", {}).items():
            assert other in services
            ends = services[other].get("restart") == "no"
            wanted = "service_completed_successfully" if ends else "service_healthy"
            assert how["condition"] == wanted, (name, other)


def test_prometheus_and_grafana_are_a_profile_and_change_nothing_but_their_data(
    services: dict[str, Any],
) -> None:
    observers = {
        name for name, service in services.items() if service.get("profiles") == ["observe"]
    }
    assert observers == {"prometheus", "grafana"}
    for name in observers:
        service = services[name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        for volume in service["volumes"]:
            source, *_, mode = volume.split(":")
            assert (ROOT / source).is_dir() if mode == "ro" else source == name


def test_only_this_machine_reaches_what_is_published(services: dict[str, Any]) -> None:
    published = [port for one in services.values() for port in one.get("ports", ())]
    assert len(published) == 3
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_every_password_is_set_from_outside(services: dict[str, Any]) -> None:
    environments = [service.get("environment", {}) for service in services.values()]
    values = {name: value for service in environments for name, value in service.items()}
    passwords = {name: value for name, value in values.items() if "PASSWORD" in name}
    assert set(passwords) == {"POSTGRES_PASSWORD", "GF_SECURITY_ADMIN_PASSWORD"}
    for name, value in passwords.items():
        assert re.fullmatch(r"\$\{PACC_\w+_PASSWORD:-\w+}", value), name


def test_what_compose_takes_from_the_env_file_is_no_mistake_to_a_command_beside_it() -> None:
    taken = re.findall(r"\$\{(PACC_\w+)", FILE.read_text("utf-8"))
    assert taken
    load_settings(dict.fromkeys(taken, "secret"))


def test_prometheus_scrapes_every_process_that_shows_metrics(services: dict[str, Any]) -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text("utf-8"))
    scraped = {
        job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]
    }
    stay = {
        name: one["environment"]["PACC_METRICS_PORT"]
        for name, one in services.items()
        if one["image"].startswith("pacc:")
        and one["restart"] == "unless-stopped"
        and "profiles" not in one
    }
    assert scraped == {name: [f"{name}:{port}"] for name, port in stay.items()}


def test_grafana_asks_the_prometheus_of_the_profile(services: dict[str, Any]) -> None:
    folder = ROOT / "deploy/grafana"
    (source,) = yaml.safe_load((folder / "datasources/prometheus.yml").read_text("utf-8"))[
        "datasources"
    ]
    host, port = source["url"].removeprefix("http://").split(":")
    assert services[host]["ports"] == [f"127.0.0.1:{port}:{port}"]
    (provider,) = yaml.safe_load((folder / "dashboards/pacc.yml").read_text("utf-8"))["providers"]
    path = provider["options"]["path"]
    assert f"./deploy/grafana/dashboards:{path}:ro" in services["grafana"]["volumes"]
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{path}/pacc.json"
    panels = json.loads((folder / "dashboards/pacc.json").read_text("utf-8"))["panels"]
    assert {panel["datasource"]["uid"] for panel in panels} == {source["uid"]}
    assert len({panel["id"] for panel in panels}) == len(panels)
