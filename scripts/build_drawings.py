"""Build tlwidgets/data/files/drawings.zip from emoji drawings in four styles.

    npm install --prefix work/drawings @iconify-json/noto@1.2.9 @iconify-json/twemoji@1.2.5 \\
        @iconify-json/fluent-emoji-flat@1.2.6 @iconify-json/emojione@1.2.3 unicode-emoji-json@0.9.0
    python scripts/build_drawings.py work/drawings/node_modules           # needs resvg-py 0.5.0
    python scripts/build_drawings.py work/drawings/node_modules --check   # compares with the committed copy

The same packages give the same pictures, and the same libwebp (1.6.0) gives them in the same bytes.
"""

import argparse
import io
import json
import re
from importlib.metadata import version
from pathlib import Path

import committed
import numpy as np
from PIL import Image, features

from tlwidgets.data.sheets import FILES, SHEETS, SIDE, Thing, link_things, read_sheets, write_sheets

NAMES = ("unicode-emoji-json", "0.9.0")
STYLES = {
    "noto": ("@iconify-json/noto", "1.2.9"),
    "twemoji": ("@iconify-json/twemoji", "1.2.5"),
    "fluent": ("@iconify-json/fluent-emoji-flat", "1.2.6"),
    "emojione": ("@iconify-json/emojione", "1.2.3"),
}
# Not people (skin tones, families), smileys, flags and symbols (keycaps, letters): near-duplicates of one
# another.
GROUPS = ("Animals & Nature", "Food & Drink", "Travel & Places", "Activities", "Objects")
CLOCK_FACE = re.compile(r"-(o-clock|thirty)$")
RESVG = "0.5.0"
LIBWEBP = "1.6.0"


def package(modules: Path, wanted: tuple[str, str], file: str) -> dict:
    """One JSON file of an npm package, whose version has to be the wanted one."""
    name, number = wanted
    try:
        found = json.loads((modules / name / "package.json").read_text(encoding="utf-8"))["version"]
    except FileNotFoundError:
        raise SystemExit(
            f"There is no {name} in {modules}. Install {name}@{number} there with npm."
        ) from None
    if found != number:
        raise SystemExit(
            f"{name} is there in version {found}; this was written for {number}. Install that one."
        )
    return json.loads((modules / name / file).read_text(encoding="utf-8"))


def build(modules: Path) -> bytes:
    """The file of drawings, of every object that all styles draw, in Unicode's order."""
    entries = package(modules, NAMES, "data-by-emoji.json").values()
    styles = {style: package(modules, wanted, "icons.json") for style, wanted in STYLES.items()}
    kept = {
        key: entry
        for key, entry in ((entry["slug"].replace("_", "-"), entry) for entry in entries)
        if entry["group"] in GROUPS
        and not CLOCK_FACE.search(key)
        and all(key in icons["icons"] for icons in styles.values())
    }
    pictures = {
        style: np.stack([draw(icons["icons"][key], icons) for key in kept]) for style, icons in styles.items()
    }
    names = [entry["name"] for entry in kept.values()]
    families = link_things(names, pictures)
    things = [
        Thing(entry["name"], entry["group"], family)
        for entry, family in zip(kept.values(), families, strict=True)
    ]
    return write_sheets(things, pictures)


def draw(icon: dict, icons: dict) -> np.ndarray:
    """A drawing on white, (72, 72, 3) uint8; what is not square is centred."""
    import resvg_py

    width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{SIDE}" height="{SIDE}" viewBox="0 0 {width} {height}">{icon["body"]}</svg>'
    )
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(np.uint32)
    colour, alpha = pixels[..., :3], pixels[..., 3:]
    return ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def same_content(one: bytes, other: bytes) -> bool:
    (things, pictures), (others, drawn) = read_sheets(one), read_sheets(other)
    return (
        things == others
        and list(pictures) == list(drawn)
        and all(np.array_equal(pictures[style], drawn[style]) for style in pictures)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", type=Path, help="the node_modules folder that holds the npm packages")
    parser.add_argument("--check", action="store_true", help="compare with the committed copy, write nothing")
    options = parser.parse_args()
    if version("resvg-py") != RESVG:
        raise SystemExit(f"resvg-py {version('resvg-py')} may draw otherwise. Install resvg-py=={RESVG}.")
    libwebp = features.version("webp")
    if not options.check and libwebp != LIBWEBP:
        raise SystemExit(f"This Pillow has libwebp {libwebp}. Install one with {LIBWEBP}, or use --check.")
    packed = build(options.modules)
    target = FILES / SHEETS
    if options.check:
        alike = f"the same pictures, in other bytes (libwebp {libwebp})"
        differs = "DIFFERS from what the sources give"
        found = committed.compare(target, packed, same_content, alike, differs)
        if found == "bytes" or (found and libwebp != LIBWEBP):
            return
        raise SystemExit(1)
    committed.replace(target, packed)
    things, pictures = read_sheets(packed)
    print(f"{target.name}: {len(things):,} objects in {len(pictures)} styles, {len(packed):,} bytes")


if __name__ == "__main__":
    main()
