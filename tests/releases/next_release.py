"""`mds` of the release after this one: the same, with one more step of the schema."""

from pathlib import Path

from alembic.config import Config

from metadata_server.store import schema_steps

STEPS = Path(__file__).with_name("steps")
present = schema_steps.configuration


def configuration() -> Config:
    config = present()
    versions = Path(config.get_main_option("script_location") or "", "versions")
    config.set_main_option("path_separator", "space")
    config.set_main_option("version_locations", f"{versions} {STEPS}")
    return config


if __name__ == "__main__":
    # Before anything else imports it.
    vars(schema_steps)["configuration"] = configuration
    from control_units.cli import main

    main()
