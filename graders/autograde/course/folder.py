"""An nbgrader course folder, with the configuration that nbgrader's own commands would read."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

from jupyter_core.paths import jupyter_config_path
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from traitlets.config.loader import ConfigFileNotFound, JSONFileConfigLoader, PyFileConfigLoader

from ..records import GradingError

_NAME = "nbgrader_config"


@dataclass(frozen=True)
class Course:
    """A course: its folders, the address of its gradebook, and every other option."""

    root: Path
    config: Config
    directory: CourseDirectory

    def folder(self, step: str, student: str, assignment: str) -> Path:
        """A folder in nbgrader's structure; `step` is "source", "submitted", "autograded" or "feedback"."""
        name = getattr(self.directory, f"{step}_directory")
        return Path(self.directory.format_path(name, student, assignment))


def open_course(root: Path) -> Course:
    """Read the configuration as nbgrader does: Jupyter's folders first, the course's own file last.

    After that, modules in the course folder (a plugin for late penalties) can be imported, as in nbgrader's
    commands.

    Raises:
        GradingError: the configuration cannot be read.
    """
    root = root.resolve()
    if str(root) not in sys.path:
        sys.path.append(str(root))  # last, so that nothing in the folder can replace a package
    config = Config()
    for folder in [*reversed(jupyter_config_path()), str(root)]:
        for loader, ending in ((PyFileConfigLoader, "py"), (JSONFileConfigLoader, "json")):
            try:
                config.merge(loader(f"{_NAME}.{ending}", path=folder).load_config())
            except ConfigFileNotFound:
                continue
            except Exception as error:  # whatever an instructor's Python file raises
                raise GradingError(
                    f"{folder}/{_NAME}.{ending} stopped with {type(error).__name__}: {error}. Expected "
                    "nbgrader's configuration: correct the file, then run the command again."
                ) from error
    config.CourseDirectory.root = str(root)
    quiet = logging.getLogger("graders.autograde")
    return Course(root, config, CourseDirectory(config=config, log=quiet))
