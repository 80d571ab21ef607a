"""Secrets of webhooks: made here, so that no server ever tells one."""

import base64
import secrets
from typing import IO

PREFIX = "whsec_"
BYTES = 32


def a_new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def secret_from(file: IO[str]) -> str:
    return file.read().strip()
