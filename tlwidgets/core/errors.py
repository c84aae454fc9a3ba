"""Errors of the freezing room. Each message is a sentence: what was wrong, what was expected, what to do next."""


class FreezeError(ValueError):
    """Base of every error raised by `tlwidgets.core`."""


class NoParametersError(FreezeError):
    """The model has no parameters, or their sizes are not known yet."""


class UnknownGroupError(FreezeError):
    """An id names no group, module or parameter of the tree."""


class NothingTrainableError(FreezeError):
    """A plan would train nothing, or a group that can't be trained was to be thawed."""


class StructureChangedError(FreezeError):
    """The model is not the one the tree was made of."""


class OptimizerError(FreezeError):
    """The optimizer can't train what the plan thaws."""
