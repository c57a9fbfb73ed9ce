"""Everything that is configured by the environment, a `.env` file or `*_FILE` secrets."""

import os
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, Field, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "CONTACT_CENTER_"


class FileSecrets(PydanticBaseSettingsSource):
    """`CONTACT_CENTER_X_FILE=/run/secrets/x` gives the setting `x` the content of that file."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE")
        return (Path(path).read_text().strip() if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class Settings(BaseSettings):
    """One attribute per setting; its environment variable is `CONTACT_CENTER_<NAME>`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", populate_by_name=True, frozen=True
    )

    database_url: str = Field(
        default="",
        validation_alias=AliasChoices(f"{PREFIX}DATABASE_URL", "DATABASE_URL", "database_url"),
        description="sqlite:///path or postgresql://user:password@host/name; empty = a file in data_dir",
    )
    redis_url: str = Field(
        default="",
        validation_alias=AliasChoices(f"{PREFIX}REDIS_URL", "REDIS_URL", "redis_url"),
        description="redis://host:6379/0; needed as soon as more than one process runs",
    )
    data_dir: Path = Field(default=Path("var"), description="folder for the SQLite file, attachments and the secret")
    host: str = Field(default="127.0.0.1", description="address that the web server listens on")
    port: int = Field(default=8000, ge=1, le=65535, description="port that the web server listens on")
    public_url: str = Field(default="", description="how customers reach us, e.g. https://support.example.com")
    production: bool = Field(default=False, description="refuse to start with development defaults")
    secret_key: str = Field(default="", description="signs and encrypts; generated in data_dir/secret if empty")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="least level logged")
    log_format: Literal["text", "json"] = Field(default="text", description="text for people, json for collectors")
    locale: Literal["en", "vi"] = Field(default="en", description="language where nothing better is known")
    region: str = Field(default="US", description="ISO country whose form phone numbers without + have")
    timezone: str = Field(default="UTC", description="IANA zone of reports and of queues that set none")
    session_days: int = Field(default=14, ge=1, le=365, description="days after which a login ends without use")
    events_token: str = Field(
        default="", description="bearer token with which a shop may POST customer events; empty = off"
    )
    metrics_token: str = Field(default="", description="bearer token for /metrics from other hosts")
    metrics_port: int = Field(
        default=0, ge=0, le=65535, description="port on which a worker answers /metrics on its host; 0 = off"
    )
    max_body_mb: int = Field(default=26, ge=1, le=200, description="largest request body taken, in MB")
    trusted_proxies: str = Field(default="", description="comma-separated addresses whose X-Forwarded-* is believed")
    smtp_in_host: str = Field(default="127.0.0.1", description="address of the built-in mail receiver")
    smtp_in_port: int = Field(default=0, ge=0, le=65535, description="port of the built-in mail receiver; 0 = off")
    smtp_in_certificate: Path | None = Field(
        default=None, description="PEM file with the receiver's certificate chain; with it, it offers STARTTLS"
    )
    smtp_in_key: Path | None = Field(
        default=None, description="PEM file with the certificate's key; empty = it is in the same file"
    )
    smtp_in_require_tls: bool = Field(default=False, description="the receiver takes no mail before STARTTLS")
    twilio_api_url: str = Field(
        default="", description="other base address for Twilio's REST API (a stand-in or a regional edge)"
    )

    private_hosts: str = Field(
        default="", description="comma-separated host:port of our own network that SMS gateways may stand at"
    )

    dkim_key: str = Field(
        default="",
        description="RSA key in PEM with which mailboxes sign that have none of their own; see Connect a mailbox",
    )
    clamav: str = Field(
        default="",
        description="ClamAV daemon that scans files: host:port or the path of its socket; empty = off",
    )

    @field_validator("public_url")
    @classmethod
    def no_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @cached_property
    def own_network(self) -> tuple[str, ...]:
        """The host:port pairs of `private_hosts`."""
        return tuple(pair.strip() for pair in self.private_hosts.split(",") if pair.strip())

    @cached_property
    def base_url(self) -> str:
        """The public address of this service, without a trailing slash."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @cached_property
    def database(self) -> str:
        """The database URL with the driver that we use, e.g. postgresql+asyncpg://…"""
        return normalise_database_url(self.database_url or f"sqlite:///{self.data_dir / 'contact_center.db'}")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, FileSecrets(settings_cls), env_settings, dotenv_settings


def normalise_database_url(url: str) -> str:
    """Accept URLs as people write them; raise ValueError with the accepted forms otherwise."""
    scheme, separator, rest = url.partition("://")
    if separator:
        if scheme in ("postgres", "postgresql", "postgresql+asyncpg"):
            return f"postgresql+asyncpg://{rest}"
        if scheme in ("sqlite", "sqlite+pysqlite"):
            return f"sqlite://{rest}"
    raise ValueError(
        f"cannot use the database URL {url.split('@')[-1]!r}: write sqlite:///path/to/file.db"
        " or postgresql://user:password@host/name"
    )


def environment(name: str, default: str = "") -> str:
    """One variable of the environment, for the few that are not ours (CI, NO_COLOR)."""
    return os.environ.get(name, default)


def child_environment(**overrides: str) -> dict[str, str]:
    """The environment to hand to a child process, with some variables set."""
    return {**os.environ, **overrides}
