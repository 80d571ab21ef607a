"""Settings of the web page: environment variables, read once."""

from ipaddress import ip_address
from socket import gethostname
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from control_units.client import DEFAULT_ADDRESS, parse_addresses
from webui.access.entrance import Entrance, networks
from webui.access.hosts import host_names, own_names
from webui.translation import ENGLISH, languages


class Settings(BaseSettings):
    """What the environment says; an argument with the same name wins over it.

    Attributes:
        web_host: MDS_WEB_HOST, address to listen at.
        web_hosts: MDS_WEB_HOSTS, names by which browsers may call it while nobody is asked who
            they are, separated by commas, besides addresses, `localhost` and this machine's name.
        web_port: MDS_WEB_PORT; 0: any free one.
        web_browsers: MDS_WEB_BROWSERS, most browsers that are kept up to date at once.
        web_requests: MDS_WEB_REQUESTS, most requests of browsers that are answered at once.
        web_language: MDS_WEB_LANGUAGE, what the pages are written in, one for all browsers: `en`,
            or one that has a catalogue.
        address: MDS_ADDRESS, the metadata servers: `host:port`, `dns:name`, `srv:name` or
            `zeroconf:[facility]`, with commas between.
        web_proxies: MDS_WEB_PROXIES, addresses or networks of proxies before it, separated by
            commas: what these say of browsers' addresses and of https is believed.
        insecure: MDS_INSECURE, whether others than this machine may use it though the metadata
            server asks nobody who they are.
        log_level: MDS_LOG_LEVEL, least severe events that are logged.
        log_format: MDS_LOG_FORMAT, how: `json`, one object a line, or `text`, for people.
    """

    model_config = SettingsConfigDict(env_prefix="MDS_", frozen=True, extra="ignore")

    web_host: str = "127.0.0.1"
    web_hosts: str = ""
    web_port: int = Field(default=7402, ge=0, le=65535)
    web_browsers: int = Field(default=200, ge=1)
    web_requests: int = Field(default=400, ge=1)
    web_proxies: str = ""
    web_language: str = ENGLISH
    address: str = DEFAULT_ADDRESS
    insecure: bool = False
    log_level: str = Field(default="info", pattern="^(?i:debug|info|warning|error)$")
    log_format: str = Field(default="json", pattern="^(json|text)$")

    @field_validator("web_language")
    @classmethod
    def _one_that_there_is(cls, language: str) -> str:
        language = language or ENGLISH
        if language not in languages():
            raise ValueError(f"There is no such language. There are: {', '.join(languages())}")
        return language

    @field_validator("address")
    @classmethod
    def _default_instead_of_nothing(cls, address: str) -> str:
        """What is set to nothing is not set, as for all programs that call the server."""
        return address or DEFAULT_ADDRESS

    @model_validator(mode="after")
    def _checked(self) -> Self:
        parse_addresses(self.address)
        try:
            networks(self.web_proxies)
        except ValueError as wrong:
            raise ValueError(
                f"MDS_WEB_PROXIES has no address or network there: {wrong}."
            ) from wrong
        try:
            host_names(self.web_hosts)
        except ValueError as wrong:
            raise ValueError(
                f"MDS_WEB_HOSTS has {wrong}; right would be a name without scheme, port and path: "
                "mds.example.org."
            ) from wrong
        return self

    @property
    def entrance(self) -> Entrance:
        """Whether others may come is known when the server has said whether it asks for tokens."""
        return Entrance(
            is_public=not _is_loopback(self.web_host),
            is_insecure=self.insecure,
            names=host_names(self.web_hosts) | own_names(self.web_host, gethostname()),
            proxies=networks(self.web_proxies),
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
