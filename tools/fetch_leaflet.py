"""Fetch the bundled map library, which lets maps work without a network.

The files come from the npm packages listed here, are checked against the registry's sha512 and
written unchanged except for links to source maps. To update them, change version and digest, run
the script and commit the directory.
"""

import base64
import hashlib
import io
import tarfile
import urllib.request
from pathlib import Path

REGISTRY = "https://registry.npmjs.org/"
OUTPUT = Path(__file__).resolve().parents[1] / "python" / "flowtriage" / "data" / "leaflet"
PACKAGES = {
    "leaflet-1.9.4": (
        "leaflet/-/leaflet-1.9.4.tgz",
        "nxS1ynzJOmOlHp+iL3FyWqK89GtNL8U8rvlMOsQdTTssxZwCXh8N2NB3GDQOL+YR3XnWyZAxwQixURb+FA74PA==",
    ),
    "leaflet.markercluster-1.5.3": (
        "leaflet.markercluster/-/leaflet.markercluster-1.5.3.tgz",
        "vPTw/Bndq7eQHjLBVlWpnGeLa3t+3zGiuM7fJwCkiMFq+nmRuG3RI3f7f4N4TDX7T4NpbAXpR2+NTRSEGfCSeA==",
    ),
}
FILES = {
    "leaflet.js": ("leaflet-1.9.4", "dist/leaflet.js"),
    "leaflet.css": ("leaflet-1.9.4", "dist/leaflet.css"),
    "leaflet.LICENSE": ("leaflet-1.9.4", "LICENSE"),
    "markercluster.js": ("leaflet.markercluster-1.5.3", "dist/leaflet.markercluster.js"),
    "markercluster.css": ("leaflet.markercluster-1.5.3", "dist/MarkerCluster.css"),
    "markercluster.LICENSE": ("leaflet.markercluster-1.5.3", "MIT-LICENCE.txt"),
}


def fetch(address: str, digest: str) -> tarfile.TarFile:
    with urllib.request.urlopen(REGISTRY + address, timeout=60) as response:
        archive = response.read()
    if base64.b64encode(hashlib.sha512(archive).digest()).decode() != digest:
        raise ValueError(f"{address}: sha512 differs from the expected one")
    return tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz")


def main() -> None:
    archives = {name: fetch(*source) for name, source in PACKAGES.items()}
    OUTPUT.mkdir(exist_ok=True)
    for name, (package, path) in FILES.items():
        file = archives[package].extractfile(f"package/{path}")
        if file is None:
            raise ValueError(f"{package} does not contain {path}")
        lines = file.read().decode().splitlines()
        kept = [line for line in lines if not line.startswith("//# sourceMappingURL=")]
        (OUTPUT / name).write_text("\n".join(kept) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
