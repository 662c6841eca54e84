"""Checks the files of packaging/ that others' programs read against these programs' own schemas.

Prints how many documents were checked; fails with the first that does not fit.
"""

import sys
from pathlib import Path

import kubernetes_validate
import yaml
from compose_spec import PyCompose

# The oldest and the newest release whose schemas are looked at.
RELEASES = ("1.29", "1.37")


def manifests(packaging: Path) -> int:
    checked = 0
    for file in sorted((packaging / "kubernetes").glob("*.yaml")):
        for manifest in yaml.safe_load_all(file.read_text()):
            for release in RELEASES:
                try:
                    kubernetes_validate.validate(manifest, release, strict=True)
                except kubernetes_validate.ValidationError as error:
                    place = ".".join(str(step) for step in error.path)
                    sys.exit(f"{file.name}, {manifest['kind']}, {place}: {error.message}")
                checked += 1
    return checked


def compose(packaging: Path) -> int:
    parsed = PyCompose.from_yaml((packaging / "compose.yaml").read_text())
    parsed.validate()
    return 1


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    print(manifests(folder) + compose(folder))
