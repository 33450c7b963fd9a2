"""The files that come with the package: in a checkout beside it, else where the wheel put them."""

import sysconfig
import tomllib
from pathlib import Path
from typing import Final

import msgspec

from engine.config.trading import Risk, RiskLimits
from engine.model.errors import ConfigInvalid
from engine.toml_convert import Fault, convert

_PLACES: Final = (Path(__file__).parent.parent.parent / "configs",
                  Path(sysconfig.get_path("data")) / "share" / "trypto-engine" / "configs")


def shipped(name: str) -> Path:
    """Return the path of a shipped config; raise ConfigInvalid where it is missing."""
    for place in _PLACES:
        if (place / name).is_file():
            return place / name
    raise ConfigInvalid(f"no {name} in {' or '.join(map(str, _PLACES))}; right would be an"
                        " installation with its configs")


def limits_of(risk: Risk) -> RiskLimits:
    """Return a profile's limits with what the config sets otherwise; raise ConfigInvalid."""
    path = shipped(f"risk/{risk.profile}.toml")
    try:
        limits = convert(tomllib.loads(path.read_text()), RiskLimits)
    except (tomllib.TOMLDecodeError, Fault) as error:
        raise ConfigInvalid(f"{path}: {error}") from None
    wanted = {key: value for key, value in msgspec.structs.asdict(risk).items()
              if key != "profile" and value is not None}
    found: RiskLimits = msgspec.structs.replace(limits, **wanted)
    return found
