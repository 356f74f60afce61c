"""The symbol graph of the library's public API, as the toolchain extracts it from a build's modules."""
import platform
import subprocess
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent.parent / "Sources"


def extract(modules: str, folder: str, *options: str) -> list[Path]:
    """Writes the graph's files into `folder` and returns them. MODULES is a build's folder of .swiftmodule files."""
    maps = [part for name in ("COpenSSL", "CZlib", "CXattr")
            for part in ("-Xcc", f"-fmodule-map-file={SOURCES / name / 'module.modulemap'}")]
    subprocess.run(["swift-symbolgraph-extract", "-module-name", "SealedCookie", "-I", modules, *maps, "-output-dir", folder,
                    "-target", f"{platform.machine()}-unknown-linux-gnu", "-minimum-access-level", "public", *options], check=True)
    return sorted(Path(folder).glob("*.json"))
