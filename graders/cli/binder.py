"""`tlcourse binder-links`: a launch link for each lesson."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from urllib.parse import quote

import click

from .build import write_whole
from .home import read_unit
from .places import course_root, units

BEGIN, END = "<!-- binder-links:begin -->", "<!-- binder-links:end -->"
SERVICE = "https://mybinder.org"
_REMOTE = re.compile(r"github\.com[:/]+([\w.-]+/[\w.-]+?)(?:\.git)?/?$")


@click.command("binder-links")
@click.option("--repo", help="OWNER/NAME on GitHub. [read from the git remote]")
@click.option("--ref", default="main", show_default=True, help="Branch, tag or commit to launch.")
@click.option("--write", is_flag=True, help="Write the links into README.md, between its markers.")
@click.option("--json", "as_json", is_flag=True, help="Print the links as JSON.")
def binder_links(repo: str | None, ref: str, write: bool, as_json: bool) -> None:
    """Write launch links for Binder, one for each lesson."""
    root = course_root()
    repo = repo or repo_of_remote(root)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
        raise click.ClickException(
            f"{repo!r} is not the name of a repository. Expected OWNER/NAME, as in --repo "
            "ada/transfer-learning."
        )
    links = launch_links(root, repo, ref)
    if as_json:
        click.echo(json.dumps(links, indent=2))
        return
    text = "\n".join(f"- [{link['title']}]({link['url']})" for link in links)
    if not write:
        click.echo(text)
        return
    readme = root / "README.md"
    write_whole(readme, with_links(readme.read_text(encoding="utf-8"), text).encode())
    click.echo(f"Wrote {len(links)} links into {readme}.")


def launch_links(root: Path, repo: str, ref: str = "main") -> list[dict[str, str]]:
    """Title, file (below the launched folder) and address of each lesson's link."""
    links = []
    for source in units(root):
        unit = read_unit(source)
        file = f"work/{unit.id}/{unit.id}.ipynb"
        url = f"{SERVICE}/v2/gh/{repo}/{quote(ref, safe='')}?urlpath={quote(f'lab/tree/{file}', safe='')}"
        links.append({"title": f"{unit.id.partition('-')[0]} {unit.title}", "file": file, "url": url})
    return links


def with_links(readme: str, text: str) -> str:
    """The README with new links between its markers.

    Raises:
        click.ClickException: the markers are missing.
    """
    if BEGIN not in readme or END not in readme:
        raise click.ClickException(
            f"README.md has no place for the links. Expected the lines {BEGIN} and {END} in it."
        )
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}"


def repo_of_remote(root: Path) -> str:
    """OWNER/NAME of the checkout's GitHub remote.

    Raises:
        click.ClickException: there is none.
    """
    done = subprocess.run(
        ["git", "-C", str(root), "remote", "get-url", "origin"], capture_output=True, text=True
    )
    found = _REMOTE.search(done.stdout.strip()) if done.returncode == 0 else None
    if found is None:
        raise click.ClickException(
            "The git remote does not say which GitHub repository this is. Name it: --repo OWNER/NAME."
        )
    return found[1]
